"""The FMUs the lab ships are a good bundle, and simulate to what FMPy gives."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import fmpy
import numpy as np
import pytest
from fmpy.fmi3 import FMU3Slave

from twinbench.adapters.fmi import check_bundle, open_bundle, open_system
from twinbench.core.cosim import Coupling, Experiment, Point, simulate
from twinbench.core.errors import SimulationError
from twinbench.core.findings import Severity
from twinbench.workflow.execution import simulate_bundle
from twinbench.workflow.tables import CsvTable

BUNDLE = Path(__file__).parents[3] / "include" / "fmus"
BATTERY = "FMU_Battery_Model"
CHAIN = ("FMU_Input_Handler", BATTERY, "FMU_Output_Handler")
INPUTS = {
    "Current_Profile_In": -5.0,
    "Ambient_Temperature_In": 25.0,
    "Initial_SoC_In": 90.0,
    "Initial_Temperature_In": 25.0,
}

pytestmark = pytest.mark.skipif(
    not (BUNDLE / f"{BATTERY}.fmu").is_file(), reason="include/fmus holds no FMUs yet: make fmus"
)


@pytest.fixture
def stimuli(tmp_path) -> Path:
    path = tmp_path / "input.csv"
    rows = ["timestamp,Current_Profile,Ambient_Temperature,Initial_SoC,Initial_Temperature"]
    rows += ["0,0,20,90,25", "60,-5,20,90,25", "120,2.5,30,90,25", "300,0,30,90,25"]
    path.write_text("\n".join(rows) + "\n")
    return path


def test_the_bundle_has_no_errors_and_no_warnings():
    check = check_bundle(BUNDLE)

    assert [str(finding) for finding in check.findings if finding.severity is not Severity.NOTE] == []
    assert sorted(model.name for model in check.models) == sorted(CHAIN)


def test_the_battery_alone_equals_simulate_fmu(tmp_path):
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / f"{BATTERY}.fmu").write_bytes((BUNDLE / f"{BATTERY}.fmu").read_bytes())
    (alone / "inter_connection.json").write_text("[]")
    (model,) = check_bundle(alone).models
    outputs = [v.name for v in model.variables.values() if v.causality == "output" and not v.dimensions]
    reference = fmpy.simulate_fmu(
        alone / f"{BATTERY}.fmu", stop_time=600, step_size=1.0, output_interval=1.0, start_values=INPUTS, output=outputs
    )

    with open_system(alone, start_values={BATTERY: INPUTS}) as system:
        run = simulate(
            system, start_time=0, stop_time=600, step_size=1, record=[f"{BATTERY}.{name}" for name in outputs]
        )
        values = np.concatenate([block.values for block in run])

    for column, name in enumerate(outputs):
        np.testing.assert_allclose(values[:, column], reference[name], rtol=1e-9, err_msg=name)
    assert np.ptp(values[:, outputs.index("Cell_Voltage_Out")]) > 0.05


@contextmanager
def plain(name: str, folder: Path, **strings: str):
    """An FMU through FMPy's own methods."""
    archive = BUNDLE / f"{name}.fmu"
    description = fmpy.read_model_description(archive)
    fmpy.extract(archive, folder / name)
    fmu = FMU3Slave(
        guid=description.guid,
        modelIdentifier=description.coSimulation.modelIdentifier,
        unzipDirectory=str(folder / name),
        instanceName=name,
    )
    references = {variable.name: variable.valueReference for variable in description.modelVariables}
    fmu.instantiate()
    try:
        for key, value in strings.items():
            fmu.setString([references[key]], [value])
        fmu.enterInitializationMode(startTime=0.0)
        yield fmu, references
        fmu.terminate()
    finally:
        fmu.freeInstance()


def test_the_wired_bundle_equals_a_plain_loop_bit_for_bit(tmp_path, stimuli):
    check = check_bundle(BUNDLE)
    metrics = ["Current_Profile", "Cell_Voltage_01", "Cell_Average_Temperature_01", "SoC"]
    expected = []

    def hand_on() -> None:
        for name in CHAIN:
            for wire in (wire for wire in check.connections if wire.target.model == name):
                source, sources = fmus[wire.source.model]
                target, targets = fmus[name]
                target.setFloat64([targets[wire.target.signal]], source.getFloat64([sources[wire.source.signal]]))

    with (
        plain(CHAIN[0], tmp_path, Stimuli_File=str(stimuli)) as handler,
        plain(CHAIN[1], tmp_path) as battery,
        plain(CHAIN[2], tmp_path) as collector,
    ):
        fmus = dict(zip(CHAIN, (handler, battery, collector), strict=True))
        hand_on()
        for fmu, _ in fmus.values():
            fmu.exitInitializationMode()
        for k in range(601):
            hand_on()
            fmu, references = collector
            expected.append([fmu.getFloat64([references[name]])[0] for name in metrics])
            for fmu, _ in fmus.values():
                fmu.doStep(k * 0.5, 0.5)

    start_values, coupling = {CHAIN[0]: {"Stimuli_File": str(stimuli)}}, Coupling("sorted")
    with open_system(BUNDLE, start_values=start_values, coupling=coupling) as system:
        record = [f"{CHAIN[2]}.{name}" for name in metrics]
        run = simulate(system, start_time=0, stop_time=300, step_size=0.5, record=record)
        values = np.concatenate([block.values for block in run])

    assert np.array_equal(values, np.array(expected))
    assert values[0, 3] == pytest.approx(90.0)
    assert values[:, 0].min() == -5.0


def test_the_bundle_is_simulated_from_files_to_a_table(tmp_path, stimuli):
    document = simulate_bundle(
        BUNDLE,
        open_bundle=open_bundle,
        open_table=CsvTable,
        experiment=Experiment(stop_time=300.0, step_size=1.0, record=("FMU_Output_Handler.SoC",)),
        output=tmp_path / "out.csv",
        stimuli=stimuli,
    )

    lines = Path(document["output"]).read_text().splitlines()
    assert (document["status"], document["communication_steps"]) == ("completed", 300)
    assert lines[0] == "time,FMU_Output_Handler.SoC"
    assert len(lines) == 302


def test_structural_parameters_change_the_size_of_arrays_from_run_to_run():
    with open_bundle(BUNDLE / f"{BATTERY}.fmu") as opened, opened.crew(workers=1) as crew:
        experiment = Experiment(stop_time=2.0, step_size=1.0)
        sizes = ((1, 1), (4, 2), (1, 1), (2, 3))
        todo = [
            Point(number, {BATTERY: {"Series_Count": series, "Parallel_Count": parallel}}, experiment)
            for number, (series, parallel) in enumerate(sizes)
        ]
        names: dict[int, list[str]] = {}
        results = list(crew.run(todo, on_block=lambda k, block: names.update({k: [s.name for s in block.signals]})))

    assert [result.status for result in results] == ["completed"] * 4
    for number, (series, parallel) in enumerate(sizes):
        cells = [name for name in names[number] if ".Cell_Voltages[" in name]
        assert len(cells) == series * parallel
        assert cells[-1].endswith(f"[{series},{parallel}]")


@pytest.mark.parametrize("value", [0, 500, -1, "many", 1.5])
def test_a_structure_that_cannot_be_is_refused(value):
    with (
        pytest.raises(SimulationError, match="Series_Count"),
        open_system(BUNDLE / f"{BATTERY}.fmu", start_values={BATTERY: {"Series_Count": value}}),
    ):
        pass
