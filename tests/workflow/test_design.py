"""A request's design has the factors of its test, as far as the request says nothing else of them."""

import json

import pytest

from tests.fakes import REQUEST_UUID, request_document
from twinbench.core.errors import DesignError
from twinbench.workflow.design import design_runs, specify
from twinbench.workflow.intake import register, stage_bundle
from twinbench.workflow.planning import plan_benches

CAPACITY = {"standard": "IEC62660", "test_name": "Performance - Capacity"}
PROFILE = {
    "Name": "current",
    "type": "input",
    "unit": "A",
    "values": [{"timestamp": 0, "value": -2}, {"timestamp": 60, "value": 0}],
}


@pytest.fixture
def designed(fake):
    """Brings a request up to its design; returns the area."""

    def bring(**changes):
        register(fake.lab, REQUEST_UUID, request_document(**{**CAPACITY, **changes}), "a run id")
        fake.drop_bundle()
        stage_bundle(fake.lab, REQUEST_UUID)
        design_runs(fake.lab, REQUEST_UUID)
        return fake.lab.area(REQUEST_UUID)

    return bring


def levels(area, name):
    return [run["levels"][name] for run in area.read_json("doe-output/design.json")["runs"]]


def test_without_a_word_the_tests_own_factors_vary(designed):
    area = designed(runs=5)

    assert min(levels(area, "temperature_degC")) == 0
    assert max(levels(area, "discharge_c_rate")) == 2
    assert area.read_json("doe-input/spec.json")["kind"] == "latin-hypercube"


def test_a_request_narrows_holds_and_adds_factors(designed):
    factors = [
        {"name": "temperature_degC", "low": 20, "high": 30, "resolution": 5},
        {"name": "discharge_c_rate", "value": 1},
    ]
    area = designed(design={"factors": factors, "kind": "full-factorial", "replicates": 2})

    assert sorted(levels(area, "temperature_degC")) == [20, 20, 30, 30]
    assert set(levels(area, "discharge_c_rate")) == {1}


def test_a_variable_of_a_model_becomes_a_start_value_of_each_run(designed):
    factor = {"name": "diffusion", "categories": ["SPMe", "circuit"], "variable": "FMU_Battery_Model.Model"}
    area = designed(design={"factors": [factor], "kind": "d-optimal", "runs": 8})

    settings = [area.read_json(f"doe-output/run-{run:04d}/settings.json") for run in range(1, 9)]
    assert [entry["FMU_Battery_Model.Model"] for entry in settings] == levels(area, "diffusion")


def test_runs_that_set_a_model_are_planned_on_virtual_benches_alone(fake, designed):
    factor = {"name": "diffusion", "categories": ["SPMe", "circuit"], "variable": "FMU_Battery_Model.Model"}
    area = designed(design={"factors": [factor], "kind": "d-optimal", "runs": 8}, test_bench="Any")

    plan_benches(fake.lab, REQUEST_UUID)

    assert {part["kind"] for part in area.read_json("schedule-output/plan.json")["assignments"]} == {"virtual"}


def test_a_custom_profile_is_scaled_by_factors(designed):
    factors = [{"name": "current_scale", "low": 0.5, "high": 1.5}, {"name": "time_scale", "low": 1, "high": 2}]
    area = designed(custom_profile=PROFILE, design={"factors": factors, "kind": "full-factorial"})

    for run in area.read_json("doe-output/design.json")["runs"]:
        first = area.read_json(f"doe-output/run-{run['run']:04d}/procedure.json")["steps"][0]
        assert first["current_A"] == -2 * run["levels"]["current_scale"]
        assert first["duration_s"] == 60 * run["levels"]["time_scale"]


def test_an_aim_recommends_a_design_and_says_why(designed):
    area = designed(design={"aim": "response-surface"})

    design = area.read_json("doe-output/design.json")
    assert design["kind"] == "central-composite"
    assert design["notes"][0].startswith("Recommended: 9 runs at three levels")


def test_the_same_request_gives_the_same_bytes(fake, designed):
    area = designed(design={"aim": "exploration", "runs": 12})
    before = area.read("doe-output/design.json"), area.read("doe-output/runs.csv")

    design_runs(fake.lab, REQUEST_UUID)

    assert (area.read("doe-output/design.json"), area.read("doe-output/runs.csv")) == before


@pytest.mark.parametrize(
    ("design", "message"),
    [
        ({"factors": [{"name": "temprature_degC", "low": 0, "high": 9}]}, "did you mean 'temperature_degC'"),
        ({"factors": [{"name": "temperature_degC", "unit": "K", "low": 273, "high": 300}]}, "is in 'K'.* has it in 'd"),
        ({"factors": [{"name": "temperature_degC", "categories": ["warm", "cold"]}]}, "is a number"),
        ({"factors": [{"name": "discharge_c_rate"}, {"name": "discharge_c_rate"}]}, "more than once"),
        ({"factors": {"name": "discharge_c_rate"}}, "give a list"),
        ({"kind": "latin-hypercubes"}, "did you mean 'latin-hypercube'"),
        ({"kinds": "sobol"}, "has a field 'kinds': did you mean 'kind'"),
        ({"kind": "full-factorial", "replicates": 51}, "204 runs, more than the 200 of a request"),
        ({"sequential": {"responses": ["discharged_mAh"], "initial": 6, "budget": 9}}, "did you mean 'discharged_Ah'"),
        ({"constraints": ["discharge_c_rate > 3"]}, "leaves no combination"),
    ],
)
def test_what_cannot_be_is_refused_at_the_latest_when_designing(designed, design, message):
    with pytest.raises(DesignError, match=message):
        designed(design=design)


@pytest.mark.parametrize(
    ("variable", "unit", "message"),
    [
        ("FMU_Batery_Model.Capacity_Scale", "", "no such model is in the bundle"),
        ("FMU_Battery_Model.Capacity", "", "does not have|is output and no parameter"),
        ("FMU_Battery_Model.Voltage_Max", "mV", "is in 'mV', and FMU_Battery_Model.Voltage_Max is in 'V'"),
        ("FMU_Battery_Model.Model", "", "is of type String: give categories"),
    ],
)
def test_a_variable_that_the_models_do_not_have_so_is_named(designed, variable, unit, message):
    factor = {"name": "x", "unit": unit, "low": 4, "high": 4.2, "variable": variable}

    with pytest.raises(DesignError, match=message):
        designed(design={"factors": [factor], "kind": "latin-hypercube"})


def test_a_physical_bench_has_no_models_to_set(designed):
    factor = {"name": "x", "unit": "V", "low": 4, "high": 4.2, "variable": "FMU_Battery_Model.Voltage_Max"}

    with pytest.raises(DesignError, match="a physical bench has no models"):
        designed(design={"factors": [factor], "kind": "latin-hypercube"}, test_bench="Physical")


def test_a_request_is_refused_for_its_design_before_the_twin_is_asked(fake):
    with pytest.raises(DesignError, match="no design kind"):
        register(fake.lab, REQUEST_UUID, request_document(design={"kind": "guess"}), "a run id")
    assert fake.requests.rows == {}


def test_the_specification_can_be_designed_again_from_its_document(fake, designed):
    from twinbench.core.doe.designs import make_design
    from twinbench.core.doe.spec import DesignSpec

    area = designed(design={"aim": "effects"})
    document = area.read_json("doe-output/design.json")

    again = make_design(DesignSpec.from_document(document["spec"]))

    assert json.loads(json.dumps(again.as_document())) == document
    assert specify(fake.lab.request(REQUEST_UUID), fake.lab.catalogue)["aim"] == "effects"
