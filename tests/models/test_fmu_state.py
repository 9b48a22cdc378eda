"""An instance can be taken back to an earlier state, and reset, as if nothing had happened in between."""

from pathlib import Path

import pytest
from fmpy import extract, read_model_description
from fmpy.fmi3 import FMU3Slave

BATTERY = Path(__file__).resolve().parents[2] / "include" / "fmus" / "FMU_Battery_Model.fmu"


@pytest.fixture
def cell(tmp_path):
    description = read_model_description(str(BATTERY))
    folder = extract(str(BATTERY), unzipdir=str(tmp_path))
    slave = FMU3Slave(
        guid=description.guid,
        unzipDirectory=folder,
        modelIdentifier=description.coSimulation.modelIdentifier,
        instanceName="cell",
    )
    slave.instantiate()
    start(slave)
    yield slave
    slave.terminate()
    slave.freeInstance()


def start(slave):
    slave.enterInitializationMode()
    slave.setFloat64([1], [-5.0])
    slave.exitInitializationMode()


def discharge(slave, begin_s):
    for step in range(10):
        slave.doStep(begin_s + 10.0 * step, 10.0)
    return slave.getFloat64([6, 7, 9])


def test_a_state_that_is_given_back_reproduces_what_followed(cell):
    discharge(cell, 0.0)
    state = cell.getFMUState()
    first = discharge(cell, 100.0)
    cell.setFMUState(state)

    assert discharge(cell, 100.0) == first
    cell.freeFMUState(state)


def test_a_fresh_state_forgets_the_file_that_was_read(tmp_path):
    for name, current_A in (("a.csv", -1.0), ("b.csv", 2.0)):
        (tmp_path / name).write_text(f"timestamp,Current_Profile\n0,{current_A}\n")
    handler = BATTERY.with_name("FMU_Input_Handler.fmu")
    description = read_model_description(str(handler))
    slave = FMU3Slave(
        guid=description.guid,
        unzipDirectory=extract(str(handler), unzipdir=str(tmp_path / "fmu")),
        modelIdentifier="FMU_Input_Handler",
        instanceName="stimuli",
    )
    slave.instantiate()
    fresh, seen = slave.getFMUState(), []
    for name in ("a.csv", "b.csv"):
        slave.setFMUState(fresh)
        slave.setString([100], [str(tmp_path / name)])
        slave.enterInitializationMode()
        slave.exitInitializationMode()
        seen.append(slave.getFloat64([1])[0])
    slave.freeInstance()

    assert seen == [-1.0, 2.0]


def test_a_state_is_taken_up_in_a_fresh_instance(cell):
    discharge(cell, 0.0)
    state = cell.getFMUState()
    first = discharge(cell, 100.0)
    cell.reset()

    cell.setFMUState(state)

    assert discharge(cell, 100.0) == first


def test_bytes_that_are_no_state_are_refused(cell):
    one = cell.getFMUState()
    written = cell.serializeFMUState(one)

    with pytest.raises(Exception, match="fmi3DeserializeFMUState"):
        cell.deserializeFMUState(written[:-8])
    with pytest.raises(Exception, match="fmi3DeserializeFMUState"):
        cell.deserializeFMUState(b"\xff" * len(written))


def test_a_state_can_be_written_down_and_read(cell):
    discharge(cell, 0.0)
    state = cell.getFMUState()
    written = cell.serializeFMUState(state)
    first = discharge(cell, 100.0)

    cell.setFMUState(cell.deserializeFMUState(written))

    assert discharge(cell, 100.0) == first


def test_after_a_reset_everything_begins_anew(cell):
    first = discharge(cell, 0.0)

    cell.reset()
    start(cell)

    assert discharge(cell, 0.0) == first
