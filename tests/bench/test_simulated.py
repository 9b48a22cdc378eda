"""The simulated bench does what the procedure says, keeps its limits, and measures with a sensor's noise."""

import statistics
import threading
import time
from pathlib import Path

import pytest

from tests.bench.plant import opener
from twinbench.adapters.environment import Settings
from twinbench.bench.drivers import open_driver
from twinbench.bench.drivers.simulated import SimulatedDriver
from twinbench.core.battery.procedure import Procedure, Step
from twinbench.core.battery.stages import Mode, Stage
from twinbench.core.errors import BenchError, ConfigurationError
from twinbench.core.telemetry import METRIC_SIGNALS

MODEL = Path(__file__).parents[2] / "include" / "fmus" / "FMU_Battery_Model.fmu"
AT_ONCE = 1e12


def procedure(*steps, soc=50.0, low_V=2.5, high_V=4.5, step_size_s=1.0):
    return Procedure(soc, 25.0, tuple(Step(*step) for step in steps), low_V, high_V, step_size_s)


def measured(given, *, open_plant=None, seed="a"):
    driver = SimulatedDriver(Path("model"), speed=AT_ONCE, open_plant=open_plant or opener())
    samples = list(driver.start(given, seed=seed))
    return [sample.time_s for sample in samples], samples, dict(zip(driver.columns, zip(*(s.values for s in samples))))  # noqa: B905


def test_it_measures_metric_signals():
    driver = SimulatedDriver(Path("model"), speed=1)

    assert set(driver.columns) <= set(METRIC_SIGNALS)
    assert {"Current_Profile", "Cell_Voltage_01", "Cell_Average_Temperature_01"} <= set(driver.columns)


def test_the_battery_starts_as_the_procedure_says():
    open_plant = opener()
    measured(procedure((-5.0, 2.0), soc=80.0), open_plant=open_plant)

    assert open_plant.plants[0].start_values == {
        "Current_Profile_In": -5.0,
        "Ambient_Temperature_In": 25.0,
        "Initial_SoC_In": 80.0,
        "Initial_Temperature_In": 25.0,
    }


def test_each_current_is_held_for_its_duration_and_there_is_a_sample_at_each_step_and_the_end():
    times, samples, signals = measured(procedure((-5.0, 3.0), (0.0, 2.0), (2.5, 1.5), step_size_s=0.5))

    assert times == [0.5 * n for n in range(14)]
    expected = [-5.0] * 6 + [0.0] * 4 + [2.5] * 4
    assert signals["Current_Profile"] == pytest.approx(expected, abs=0.02)
    assert [sample.stop_reason for sample in samples] == [""] * 13 + ["end"]


def test_steps_that_do_not_add_up_to_whole_samples_end_before_the_end():
    times, samples, _ = measured(procedure((-5.0, 2.5), step_size_s=1.0))

    assert times == [0.0, 1.0, 2.0]
    assert samples[-1].stop_reason == "end"


@pytest.mark.parametrize(("current_A", "soc", "limits"), [(-5.0, 10.0, {"low_V": 3.0}), (5.0, 90.0, {"high_V": 4.25})])
def test_a_limit_ends_the_run_at_the_sample_that_crosses_it(current_A, soc, limits):
    _, samples, signals = measured(procedure((current_A, 3600.0), soc=soc, **limits))

    voltage = signals["Cell_Voltage_01"]
    beyond = [v <= 3.0 if current_A < 0 else v >= 4.25 for v in voltage]
    assert samples[-1].stop_reason == "limit"
    assert beyond == [False] * (len(voltage) - 1) + [True]


def test_a_limit_counts_only_in_the_direction_of_the_current():
    _, samples, _ = measured(procedure((-5.0, 5.0), (0.0, 5.0), soc=100.0, high_V=3.5))

    assert (len(samples), samples[-1].stop_reason) == (11, "end")


def test_the_noise_is_a_sensors_and_the_same_for_the_same_seed():
    given = procedure((0.0, 2000.0))
    _, _, signals = measured(given)

    assert statistics.stdev(signals["Cell_Voltage_01"]) == pytest.approx(0.0005, rel=0.1)
    assert statistics.stdev(signals["Current_Profile"]) == pytest.approx(0.002, rel=0.1)
    assert statistics.stdev(signals["Cell_Average_Temperature_01"]) == pytest.approx(0.05, rel=0.1)
    assert set(signals["SoC"]) == {50.0}
    assert measured(given)[1] == measured(given)[1] != measured(given, seed="b")[1]


def test_time_passes_at_the_asked_speed():
    driver = SimulatedDriver(Path("model"), speed=100.0, open_plant=opener())

    begun = time.monotonic()
    samples = list(driver.start(procedure((0.0, 50.0)), seed="a"))

    assert len(samples) == 51
    assert time.monotonic() - begun >= 0.45


def test_it_stops_when_told_however_slow_its_time_is():
    driver = SimulatedDriver(Path("model"), speed=0.001, open_plant=opener())
    timer = threading.Timer(0.1, driver.stop)
    timer.start()

    samples = list(driver.start(procedure((0.0, 3600.0)), seed="a"))

    assert samples[-1].stop_reason == "cancelled"
    assert len(samples) < 5
    timer.join()


def test_it_may_be_used_again_after_it_was_stopped():
    driver = SimulatedDriver(Path("model"), speed=AT_ONCE, open_plant=opener())
    driver.stop()

    assert list(driver.start(procedure((0.0, 3.0)), seed="a"))[-1].stop_reason == "end"


def test_a_model_that_breaks_is_the_benchs_failure():
    with pytest.raises(BenchError, match="The simulated bench failed: the model broke"):
        measured(procedure((0.0, 30.0)), open_plant=opener(breaks_at_s=10.0))


def test_the_driver_is_found_by_name_and_others_are_named():
    settings = Settings({})

    assert isinstance(open_driver("simulated", settings, speed=600), SimulatedDriver)
    with pytest.raises(ConfigurationError, match="no driver 'magic': there are simulated"):
        open_driver("magic", settings, speed=1)


@pytest.mark.skipif(not MODEL.is_file(), reason="include/fmus holds no FMUs yet: make fmus")
def test_the_shipped_battery_gives_its_capacity_in_an_hour_at_one_c():
    driver = SimulatedDriver(MODEL, speed=AT_ONCE)

    samples = list(driver.start(procedure((-5.0, 7200.0), soc=100.0, high_V=4.2), seed="a"))

    assert samples[-1].stop_reason == "limit"
    assert samples[-1].time_s == pytest.approx(3600.0, rel=0.1)
    assert samples[0].values[1] > 4.0 > 2.55 > samples[-1].values[1]


def test_the_shipped_battery_regulates_the_stages_of_a_procedure_by_itself():
    stages = (
        Stage(Mode.CURRENT, 2.5, voltage_above_V=4.2),
        Stage(Mode.VOLTAGE, 4.2, current_below_A=1.0),
        Stage(Mode.REST, duration_s=60.0),
    )
    given = Procedure(60.0, 25.0, (), 2.5, 4.2, 10.0, stages, 20_000.0)
    driver = SimulatedDriver(MODEL, speed=AT_ONCE)

    samples = list(driver.start(given, seed="a"))

    currents = [sample.values[0] for sample in samples]
    voltages = [sample.values[1] for sample in samples]
    assert samples[-1].stop_reason == "end"
    assert samples[-1].time_s < 6000
    assert max(voltages) == pytest.approx(4.2, abs=0.003)
    assert min(current for current in currents if current > 0.1) == pytest.approx(1.0, abs=0.1)
