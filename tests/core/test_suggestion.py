"""A suggestion is the closest choice, whatever its case, or all choices."""

from twinbench.core.suggestion import did_you_mean


def test_the_closest_choice_is_suggested_whatever_its_case():
    assert did_you_mean("performance capacty", ["Ageing", "Performance - Capacity"]) == (
        "did you mean 'Performance - Capacity'?"
    )


def test_all_choices_are_named_when_none_is_close():
    assert did_you_mean("zebra", ["Cell", "Pack"]) == "there are Cell, Pack."
    assert did_you_mean("zebra", []) == "there are none."
