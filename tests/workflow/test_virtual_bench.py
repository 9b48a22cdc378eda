"""A virtual bench simulates what it was assigned, streams while it runs, and never does the same work twice."""

import pyarrow.parquet as pq
import pytest

from tests.fakes import INCLUDE, REQUEST_UUID
from twinbench.core.battery.bdf import BDF_LABELS
from twinbench.core.errors import SimulationError, UnreachableError
from twinbench.workflow import virtual_bench
from twinbench.workflow.planning import virtual_assignments
from twinbench.workflow.results import read_signals, read_summary
from twinbench.workflow.virtual_bench import run_virtual

pytestmark = pytest.mark.thorough

METRICS = ["Current_Profile", "Cell_Voltage_01", "Cell_Average_Temperature_01", "Cell_Temperature_Gradient_01"]
METRICS += ["SoC", "SoH", "Internal_Resistance", "Capacity"]


def carry_out(fake):
    return [run_virtual(fake.lab, REQUEST_UUID, part) for part in virtual_assignments(fake.lab, REQUEST_UUID)]


def test_each_run_leaves_its_signals_with_units_and_a_summary(fake, planned, tmp_path):
    area = planned(runs=2)

    accounts = carry_out(fake)

    assert sum(account["runs"] for account in accounts) == 2
    (tmp_path / "run.parquet").write_bytes(area.read("results/run-0001.parquet"))
    table = pq.read_table(tmp_path / "run.parquet")
    assert table.column_names[: len(METRICS) + 1] == ["time_s", *METRICS]  # what is not connected has no column
    assert set(table.column_names[len(METRICS) + 1 :]) == BDF_LABELS
    assert table["Test Time / s"].equals(table["time_s"])
    assert table.schema.field("Charging Capacity / Ah").metadata == {b"unit": b"Ah"}
    assert table.schema.field("Internal_Resistance").metadata == {b"unit": b"mOhm"}
    assert table.schema.metadata[b"request"] == REQUEST_UUID.encode()
    summary = read_summary(area, 1)
    assert (summary["status"], summary["rows"]) == ("completed", table.num_rows)
    assert fake.requests.progress[-1] == 100


def test_the_twin_collects_exactly_the_rows_that_were_written(fake, planned):
    area = planned(runs=2)

    accounts = carry_out(fake)

    messages = [payload for (_, _), (_, payload) in sorted(fake.wire.collected.items())]
    assert len(messages) == sum(account["published"] for account in accounts)
    for run in (1, 2):
        of_run = [message for message in messages if message["run"] == run]
        voltages = [
            sample["value"]
            for message in of_run
            for variable in message["variables"]
            if variable["name"] == "Cell_Voltage_01"
            for sample in variable["values"]
        ]
        assert voltages == read_signals(area, run)["Cell_Voltage_01"].tolist()
        assert [message["seq"] for message in of_run] == list(range(len(of_run)))
        assert [message["final"] for message in of_run] == [False] * (len(of_run) - 1) + [True]


def test_a_variable_that_the_design_varies_reaches_the_model_and_decides_whether_a_run_is_done_again(fake, planned):
    held = [{"name": name, "value": value} for name, value in (("soc_pct", 50), ("temperature_degC", 25))]
    model = {"name": "model", "categories": ["SPMe", "circuit"], "variable": "FMU_Battery_Model.Model"}
    factors = [*held, {"name": "pulse_c_rate", "value": 2}, model]
    area = planned(design={"kind": "full-factorial", "factors": factors})

    carry_out(fake)

    lowest = [read_signals(area, run)["Cell_Voltage_01"].min() for run in (1, 2)]
    assert abs(lowest[0] - lowest[1]) > 1e-4
    before = [read_summary(area, run)["run_uuid"] for run in (1, 2)]
    area.write_json("doe-output/run-0002/settings.json", area.read_json("doe-output/run-0001/settings.json"))
    carry_out(fake)
    after = [read_summary(area, run)["run_uuid"] for run in (1, 2)]
    assert (after[0] == before[0], after[1] == before[1]) == (True, False)
    assert read_signals(area, 2)["Cell_Voltage_01"].min() == lowest[0]


def test_the_procedure_reaches_the_battery(fake, planned):
    area = planned(runs=1)

    carry_out(fake)

    signals = read_signals(area, 1)
    procedure = area.read_json("doe-output/run-0001/procedure.json")
    assert signals["SoC"][0] == pytest.approx(procedure["initial_soc_pct"])
    assert signals["Current_Profile"].min() == pytest.approx(min(step["current_A"] for step in procedure["steps"]))
    assert signals["Cell_Average_Temperature_01"][0] == pytest.approx(procedure["ambient_degC"])


def test_each_run_of_a_bench_has_stimuli_of_its_own(fake, planned):
    area = planned(runs=7)

    carry_out(fake)

    starts_degC = [read_signals(area, run)["Cell_Average_Temperature_01"][0] for run in range(1, 8)]
    asked_degC = [area.read_json(f"doe-output/run-{run:04d}/procedure.json")["ambient_degC"] for run in range(1, 8)]
    assert starts_degC == pytest.approx(asked_degC)
    assert len(set(asked_degC)) == 7


def test_a_procedure_ends_when_its_last_stage_does(fake, planned):
    area = planned(test_name="Performance - Capacity", runs=1)

    carry_out(fake)

    voltage_V = read_signals(area, 1)["Cell_Voltage_01"]
    assert read_summary(area, 1)["stop_reason"] == "end"
    assert 2.5 <= voltage_V.min() < 2.6
    assert read_signals(area, 1)["time_s"][-1] < area.read_json("doe-output/run-0001/procedure.json")["longest_s"]


def test_a_procedure_of_many_stages_is_carried_out_by_the_models_cycler(fake, planned, tmp_path):
    area = planned(test_name="Performance - Energy efficiency", runs=1)

    carry_out(fake)

    (tmp_path / "run.parquet").write_bytes(area.read("results/run-0001.parquet"))
    table = pq.read_table(tmp_path / "run.parquet").to_pandas()
    assert read_summary(area, 1)["stop_reason"] == "end"
    assert set(table["Step ID"]) - {0.0} == {1, 2, 3, 4, 5}
    assert table["Step Count / 1"].is_monotonic_increasing
    assert table["Voltage / V"].between(2.5 - 1e-4, 4.2 + 1e-4).all()
    given, taken = table["Discharging Energy / Wh"].iloc[-1], table["Charging Energy / Wh"].iloc[-1]
    assert 0.8 < given / taken < 1.05


def test_a_module_is_cells_in_series_and_parallel_whose_limits_are_kept(fake, planned, tmp_path):
    area = planned(uut="Gen3b - Module", standard="ISO12405.4", test_name="Performance - Energy efficiency", runs=1)

    carry_out(fake)

    (tmp_path / "run.parquet").write_bytes(area.read("results/run-0001.parquet"))
    table = pq.read_table(tmp_path / "run.parquet").to_pandas()
    assert read_summary(area, 1)["stop_reason"] == "end"
    assert table["Voltage / V"].max() == pytest.approx(16.8, abs=0.001)
    assert table["Cell_Voltage_01"].max() == pytest.approx(4.2, abs=0.001)
    assert 9.5 < table["Capacity"].iloc[0] < 10.5


def test_a_requesters_own_profile_ends_at_a_limit_of_the_cell(fake, planned):
    values = [{"timestamp": 0, "value": -10.0}, {"timestamp": 3600, "value": 0.0}]
    profile = {"Name": "current", "type": "input", "unit": "A", "values": values}
    area = planned(runs=1, custom_profile=profile)

    carry_out(fake)

    signals = read_signals(area, 1)
    assert read_summary(area, 1)["stop_reason"] == "limit"
    assert signals["time_s"][-1] < 2000
    assert signals["Cell_Voltage_01"].min() >= 2.5 - 1e-4


def test_models_without_a_cycler_are_driven_by_currents_over_time(fake, planned, monkeypatch):
    monkeypatch.setattr(virtual_bench, "_CYCLER", {"No_Such_Parameter"})
    area = planned(test_name="Performance - Capacity", runs=1)

    carry_out(fake)

    assert read_summary(area, 1)["stop_reason"] == "limit"


def test_models_without_a_cycler_cannot_regulate(fake, planned, monkeypatch):
    monkeypatch.setattr(virtual_bench, "_CYCLER", {"No_Such_Parameter"})
    planned(test_name="Performance - Energy efficiency", runs=1)

    with pytest.raises(SimulationError, match="no FMU of the bundle has a cycler that could do it"):
        carry_out(fake)


def test_what_is_done_is_not_done_again(fake, planned):
    area = planned(runs=3)
    carry_out(fake)
    before = {run: area.read(f"results/run-{run:04d}.json") for run in (1, 2, 3)}
    lines = len(fake.said)

    carry_out(fake)

    assert {run: area.read(f"results/run-{run:04d}.json") for run in (1, 2, 3)} == before
    assert fake.said[lines:] == []


def test_an_interrupted_task_goes_on_with_the_run_that_is_missing(fake, planned):
    area = planned(runs=3)
    carry_out(fake)
    whole = area.read("results/run-0002.parquet")
    fake.lab.store.remove(area.key("results/run-0002.json"))
    lines = len(fake.said)

    carry_out(fake)

    assert [line.split(" on ")[0] for line in fake.said[lines:]] == ["run 2"]
    assert area.read("results/run-0002.parquet") == whole


def test_other_inputs_make_another_run_with_messages_of_its_own(fake, planned):
    area = planned(runs=1)
    carry_out(fake)
    first = read_summary(area, 1)["run_uuid"]
    stimuli = area.read("doe-output/run-0001/input.csv").decode()
    area.write("doe-output/run-0001/input.csv", stimuli + "\n")

    carry_out(fake)

    second = read_summary(area, 1)["run_uuid"]
    assert second != first
    assert {stream for stream, _ in fake.wire.collected} == {first, second}


def test_one_run_that_fails_says_why_and_the_others_go_on(fake, planned):
    area = planned(runs=2)
    area.write("doe-output/run-0001/input.csv", "timestamp,Current_Profile\n0,ten\n")

    carry_out(fake)

    failed = read_summary(area, 1)
    assert (failed["status"], failed["rows"]) == ("failed", 0)
    assert "line 2: 'ten' in column 2 is no number" in failed["error"] + " ".join(failed["messages"])
    assert read_summary(area, 2)["status"] == "completed"


def test_results_survive_a_twin_that_is_away(fake, planned):
    area = planned(runs=1)
    fake.wire.twin_is_there = False
    with pytest.raises(UnreachableError, match="not acknowledged by the digital twin"):
        carry_out(fake)
    assert read_summary(area, 1)["status"] == "completed"
    fake.wire.twin_is_there = True
    lines = len(fake.said)

    carry_out(fake)

    assert fake.said[lines:] == []  # nothing was simulated again
    assert len(fake.wire.collected) == read_summary(area, 1)["published"]


def test_a_bundle_that_cannot_be_driven_is_refused_in_words(fake, planned):
    area = planned(runs=1)
    fake.lab.store.remove(area.key("fastest-models"))
    area.write("fastest-models/fmus/FMU_Battery_Model.fmu", (INCLUDE / "fmus" / "FMU_Battery_Model.fmu").read_bytes())
    area.write("fastest-models/inter_connection.json", "[]")

    with pytest.raises(SimulationError, match=r"FMU_Battery_Model\) cannot carry out a test: no FMU has an output"):
        carry_out(fake)
