"""The picture of errors over rounds is sound for any errors, and says in words what it shows."""

import xml.etree.ElementTree as ElementTree

from hypothesis import given
from hypothesis import strategies as st

from twinbench.web.error_plot import error_svg

errors = st.floats(0, 1e12)
lines = st.lists(st.tuples(st.integers(1, 60), errors), max_size=20)


def drawn(series, limit=None, label="Errors"):
    return ElementTree.fromstring(str(error_svg(series, limit=limit, label=label)))  # ours


def test_each_response_is_a_line_with_a_point_per_round():
    svg = drawn({"discharged_Ah": [(1, 9.0), (2, 3.0), (3, 1.5)]}, limit=2.0)

    ys = [float(one.get("cy")) for one in svg.iter("circle")]
    assert ys == sorted(ys)
    assert next(svg.iter("circle"))[0].text == "discharged_Ah after round 1: 9 %"
    assert "ends below 2 %" in [one.text for one in svg.iter("text")]
    assert svg.get("aria-label") == "Errors"


def test_nothing_at_all_and_no_limit_can_be_drawn():
    svg = drawn({"a": []})

    assert not list(svg.iter("circle"))
    assert not any("goal" in (one.get("class") or "") for one in svg.iter())


@given(st.dictionaries(st.text("ab<>&\"'", max_size=4), lines, max_size=9), st.none() | st.floats(1e-6, 1e9))
def test_whatever_the_errors_are_every_point_lies_within(series, limit):
    svg = drawn(series, limit, label="<&>")

    assert len(list(svg.iter("circle"))) == sum(map(len, series.values()))
    assert all(0 <= float(one.get("cx")) <= 520 for one in svg.iter("circle"))
    assert all(0 <= float(one.get("cy")) <= 220 for one in svg.iter("circle"))
    assert len([one for one in svg.iter("text") if (one.text or "").endswith(" %")]) <= 9
