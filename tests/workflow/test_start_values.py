"""What people write is read as start values, or refused in words."""

import pytest

from tests.fake_bundle import model
from twinbench.core.errors import RequestError
from twinbench.workflow.start_values import parse_settings, read_points


def test_settings_are_read_with_the_longest_fmu_name():
    models = [model("A"), model("A.b")]

    assert parse_settings(["A.x=1", "A.b.c = d=e", "A.y="], models) == {"A": {"x": "1", "y": ""}, "A.b": {"c": " d=e"}}


@pytest.mark.parametrize("setting", ["A.x", "B.x=1", "A=1", ""])
def test_an_unreadable_setting_is_refused(setting):
    with pytest.raises(RequestError, match=r"write FMU\.variable=value with one of the FMUs A"):
        parse_settings([setting], [model("A")])


MODELS = [model("Ramp", "Stimuli_File"), model("Other")]


def test_a_table_of_points_is_read_column_by_column():
    text = "run,Ramp.y0,Other.a.b\n7,1.5, x\n8,2,\n"

    assert read_points(text, MODELS) == [
        {"Ramp": {"y0": "1.5"}, "Other": {"a.b": "x"}},
        {"Ramp": {"y0": "2"}, "Other": {"a.b": ""}},
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no run"),
        ("Ramp.y0\n", "holds no run"),
        ("Rump.y0\n1\n", "Column 'Rump.y0' names no variable: write FMU.variable with one of the FMUs Other, Ramp"),
        ("Ramp.y0,Ramp.gain\n1,2\n3\n", "Line 3 of the points has 1 values, not 2"),
    ],
)
def test_an_unreadable_table_of_points_is_refused(text, words):
    with pytest.raises(RequestError, match=words):
        read_points(text, MODELS)
