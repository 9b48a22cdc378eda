"""FMUs run through the lab give what FMPy gives, bit for bit; what goes wrong is said with name, time and log."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import fmpy
import fmpy.fmi2
import fmpy.fmi3
import numpy as np
import pytest

from twinbench.adapters.fmi import open_instance, open_system
from twinbench.core.cosim import Coupling, StopCondition, simulate
from twinbench.core.errors import BundleError, SimulationError

VERSIONS = ["2.0", "3.0"]
PERIOD = {"start_time": 1.0, "stop_time": 3.0, "step_size": 0.1}


def run(folder: Path, start_values=None, coupling=None, **options):
    with open_system(folder, start_values=start_values or {}, start_time=1.0, coupling=coupling) as system:
        blocks = list(simulate(system, **{**PERIOD, **options}))
    return np.concatenate([block.values for block in blocks]), blocks[-1].outcome


class Plain:
    """An FMU through FMPy's own methods, one call per value."""

    def __init__(self, path: Path, name: str, folder: Path) -> None:
        description = fmpy.read_model_description(path)
        fmpy.extract(path, folder / name)
        old = description.fmiVersion == "2.0"
        kind = fmpy.fmi2.FMU2Slave if old else fmpy.fmi3.FMU3Slave
        self.fmu = kind(guid="{lag}", modelIdentifier="lag", unzipDirectory=str(folder / name), instanceName=name)
        self.fmu.instantiate()
        if old:
            self.fmu.setupExperiment(startTime=1.0)
        self.fmu.enterInitializationMode(**({} if old else {"startTime": 1.0}))
        self._get = self.fmu.getReal if old else self.fmu.getFloat64
        self._set = self.fmu.setReal if old else self.fmu.setFloat64

    def get(self, reference: int) -> float:
        return self._get([reference])[0]

    def set(self, reference: int, value: float) -> None:
        self._set([reference], [value])


class PlainTriple:
    """A.y -> B.u, B.z -> C.u, C.y -> A.u, step by step as each scheme says."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.a, self.b, self.c = (Plain(folder / f"{name}.fmu", name, scratch) for name in "ABC")
        self.all = (self.a, self.b, self.c)
        self.places = {"Ay": (self.a, 2), "Bz": (self.b, 3), "Cy": (self.c, 2), "Cz": (self.c, 3)}
        self.drives = {"Cy": self.a, "Ay": self.b, "Bz": self.c}
        self.signals = dict.fromkeys(self.places, 0.0)
        self.a.set(13, 0.5)
        self.a.set(1, 3.0)
        for name in ("Ay", "Bz", "Cy"):
            self.read(name)
            self.give(name)
        for one in self.all:
            one.fmu.exitInitializationMode()

    def read(self, *names: str) -> None:
        self.signals.update({name: self.places[name][0].get(self.places[name][1]) for name in names})

    def give(self, *names: str) -> None:
        for name in names:
            self.drives[name].set(1, self.signals[name])

    def jacobi(self, at: tuple[float, float]) -> list[float]:
        self.read(*self.signals)
        return self._row_then_step(at)

    def sorted(self, at: tuple[float, float]) -> list[float]:
        self.read("Ay", "Cy")
        self.give("Ay")
        self.read("Bz")
        self.give("Bz")
        self.read("Cz")
        return self._row_then_step(at)

    def _row_then_step(self, at: tuple[float, float]) -> list[float]:
        row = list(self.signals.values())
        self.give("Cy", "Ay", "Bz")
        for one in self.all:
            one.fmu.doStep(*at)
        return row

    def gauss_seidel(self, at: tuple[float, float]) -> list[float]:
        if at[0] == 1.0:
            self.read(*self.signals)
        row = list(self.signals.values())
        for fmu, given, read in ((self.a, "Cy", ["Ay"]), (self.b, "Ay", ["Bz"]), (self.c, "Bz", ["Cy", "Cz"])):
            self.give(given)
            fmu.fmu.doStep(*at)
            self.read(*read)
        return row


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("scheme", ["jacobi", "sorted", "gauss-seidel"])
def test_each_scheme_equals_a_plain_loop_over_fmpy_bit_for_bit(bundle, tmp_path, version, scheme):
    folder = bundle({"A": version, "B": version, "C": version}, ["A.y>B.u", "B.z>C.u", "C.y>A.u"])
    plain = PlainTriple(folder, tmp_path)
    expected = [getattr(plain, scheme.replace("-", "_"))((1.0 + k * 0.1, 0.1)) for k in range(21)]
    for one in plain.all:
        one.fmu.freeInstance()

    values, _ = run(folder, {"A": {"x0": 0.5, "u": 3.0}}, Coupling(scheme), record=["A.y", "B.z", "C.y", "C.z"])

    assert np.array_equal(values, np.array(expected))
    assert values[-1].all()


JUMP = {"A": {"T": "2.0", "u": 1.5, "jump_at": 1.85}}


@pytest.mark.parametrize(("version", "events"), [("2.0", False), ("3.0", False), ("3.0", True)])
def test_a_jump_within_a_step_is_handled_by_event_early_return_or_discarded_step(bundle, version, events):
    values, outcome = run(bundle({"A": version}, []), JUMP, Coupling(events=events), record=["A.y"])

    x, expected = 0.0, []
    for k in range(21):
        expected.append(x)
        at = 1.0 + k * 0.1
        parts = [1.85 - at, at + 0.1 - 1.85] if at < 1.85 < at + 0.1 else [0.1]
        for number, part in enumerate(parts):
            x += 100 * number + part * (1.5 - (x + 100 * number)) / 2
    assert outcome.status == "completed"
    np.testing.assert_allclose(values[:, 0], expected, rtol=1e-12)


def test_with_events_a_single_fmu_equals_simulate_fmu(bundle):
    folder = bundle({"A": "3.0"}, [])
    options = {"start_time": 1.0, "stop_time": 3.0, "step_size": 0.1, "output_interval": 0.1}
    reference = fmpy.simulate_fmu(
        folder / "A.fmu",
        **options,
        start_values=JUMP["A"],
        output=["y"],
        use_event_mode=True,
        early_return_allowed=True,
    )

    values, _ = run(folder, JUMP, Coupling(events=True), record=["A.y"])

    last = {round(float(time_s), 6): float(y) for time_s, y in reference}  # at an event, the row after it
    expected = [last[round(1.0 + k * 0.1, 6)] for k in range(21)]
    assert max(expected) > 90
    np.testing.assert_allclose(values[:, 0], expected, rtol=1e-12)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_single_fmu_equals_simulate_fmu(bundle, version):
    folder = bundle({"A": version}, [])
    reference = fmpy.simulate_fmu(
        folder / "A.fmu",
        start_time=1.0,
        stop_time=3.0,
        step_size=0.1,
        output_interval=0.1,
        start_values={"T": 2.0, "u": 1.5},
        output=["y", "z"],
    )

    values, outcome = run(folder, {"A": {"T": "2.0", "u": 1.5}}, record=["A.y", "A.z"])

    assert outcome.steps == 20
    np.testing.assert_allclose(values[:, 0], reference["y"], rtol=1e-12)
    np.testing.assert_allclose(values[:, 1], reference["z"], rtol=1e-12)


def test_versions_mix_and_a_feed_through_shows_the_same_point(bundle):
    values, _ = run(
        bundle({"A": "2.0", "B": "3.0"}, ["A.z>B.u"]),
        {"A": {"u": 1.0}},
        Coupling("sorted"),
        record=["A.z", "B.u", "B.z", "B.y"],
    )

    assert np.array_equal(values[:, 0], values[:, 1])
    assert np.array_equal(values[:, 2], values[:, 1] + values[:, 3])


def test_inputs_have_their_connected_value_when_initialization_ends(bundle):
    folder = bundle({"A": "3.0", "B": "3.0"}, ["A.z>B.u"])

    with open_system(folder, start_values={"A": {"u": 7.5}}) as system:
        (b,) = (instance for instance in system.instances if instance.name == "B")

        assert b.get(["u"]) == [7.5]


def test_arrays_are_connected_and_recorded_element_by_element(bundle):
    folder = bundle({"A": "3.0", "B": "3.0"}, ["A.w>B.v"])

    with open_system(folder, start_values={"A": {"v": "1 10"}}) as system:
        (block,) = simulate(system, start_time=0, stop_time=0, step_size=1, record=["B.w", "A.y"])

    assert [signal.name for signal in block.signals] == ["B.w[1]", "B.w[2]", "A.y"]
    assert block.values.tolist() == [[4.0, 40.0, 0.0]]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_failing_step_names_fmu_time_and_log_after_the_rows_so_far(bundle, version):
    lines, rows = [], []
    start = {"A": {"fail_at": 1.5, "label": "front"}}

    with (
        open_system(bundle({"A": version, "B": version}, []), start_values=start, on_log=lines.append) as system,
        pytest.raises(SimulationError, match=r"A could not step by 0\.1 s at t = 1\.5 s .*front says the spring broke"),
    ):
        rows.extend(block.time_s.size for block in simulate(system, **{**PERIOD, "start_time": 0.0}))

    assert rows == [16]
    assert lines == ["A [error] front says the spring broke"]


@pytest.mark.parametrize("version", VERSIONS)
def test_an_fmu_may_end_the_run(bundle, version):
    values, outcome = run(bundle({"A": version}, []), {"A": {"end_at": 1.3}})

    assert (outcome.status, outcome.stop_reason) == ("completed", "model")
    assert "A asked to end" in outcome.message
    assert len(values) == 5


def test_nan_fails_the_run_and_is_named(bundle):
    values, outcome = run(bundle({"A": "3.0"}, []), {"A": {"nan_at": 1.2}})

    assert (outcome.status, outcome.stop_reason) == ("failed", "not-a-number")
    assert outcome.message == "A.y, A.z became NaN at t = 1.3 s"
    assert np.isnan(values[-1, 0])
    assert not np.isnan(values[-2]).any()


def test_a_stop_condition_ends_the_run(bundle):
    values, outcome = run(bundle({"A": "3.0"}, []), {"A": {"u": 1.0}}, stop_conditions=[StopCondition("A.y", high=0.5)])

    assert outcome.stop_reason == "limit"
    assert values[-1, 0] > 0.5 >= values[-2, 0]


@pytest.mark.parametrize("version", VERSIONS)
def test_all_types_of_start_values_arrive(pack, lag_parts, version):
    lines: list[str] = []
    start = {"T": "0.5", "label": "rear", "count": "7", "loud": "true", "u": 1}

    with open_instance(
        pack(lag_parts[version]), instance_name="one", start_values=start, on_log=lines.append
    ) as instance:
        instance.do_step(0.0, 0.25)
        instance.set({"u": 0.0})

        assert instance.get(["count", "loud", "T", "y", "u"]) == [7, 1, 0.5, 0.5, 0]
    assert lines == ["one [ok] rear says step done"]


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ({"A": {"TT": 1}}, r"A has no variable 'TT'. Did you mean T\?"),
        ({"AA": {"T": 1}}, r"'AA', no FMU here. Did you mean A\?"),
        ({"A": {"T": "two"}}, r"A\.T is a Float64 and cannot be 'two'"),
        ({"A": {"count": 1.5}}, r"A\.count is a Int32 and cannot be 1\.5"),
        ({"A": {"loud": "perhaps"}}, r"A\.loud is a Boolean and cannot be 'perhaps'"),
        ({"A": {"v": 1}}, r"A\.v has 2 elements and cannot be 1: give as many"),
        ({"A": {"y": 1}}, r"A could not set y = 1 .*lag says this cannot be set"),
        ({"A": {"label": "refuse"}}, r"A could not set label = refuse .*no such file"),
        ({"A": {"T": -1}}, r"A could not enter initialization mode .*T must be positive"),
    ],
)
def test_a_wrong_start_value_is_refused_in_words(bundle, start, words):
    with (
        pytest.raises(SimulationError, match=words),
        open_system(bundle({"A": "3.0"}, []), start_values=start),
    ):
        pass


def test_a_library_that_cannot_be_loaded_is_named(bundle, pack, lag_parts):
    broken = lag_parts["2.0"]["binaries/linux64/lag.so"]
    folder = bundle({"A": "3.0"}, [])
    pack({**lag_parts["3.0"], "binaries/x86_64-linux/lag.so": broken}, "bundle/A.fmu")
    before = Path.cwd()

    with (
        pytest.raises(SimulationError, match=r"A cannot be loaded: .*undefined symbol: fmi3"),
        open_system(folder, start_values={}),
    ):
        pass

    assert Path.cwd() == before


def test_a_bundle_with_errors_is_not_loaded(bundle):
    folder = bundle({"A": "3.0", "B": "3.0"}, ["A.y>B.y"])

    with pytest.raises(BundleError, match="BUNDLE-NOT-AN-INPUT") as caught, open_system(folder, start_values={}):
        pass

    assert caught.value.findings


def test_nothing_is_left_behind_without_a_cache(bundle, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))

    run(bundle({"A": "3.0", "B": "2.0"}, ["A.y>B.u"]))

    assert list(scratch.iterdir()) == []


@pytest.mark.thorough
def test_a_cache_is_filled_once_and_used_many_times(bundle, tmp_path):
    folder = bundle({"A": "3.0", "B": "3.0", "C": "2.0"}, ["A.y>B.u", "B.z>C.u"])
    cache = tmp_path / "cache"
    seen = []

    for _ in range(30):
        with open_system(folder, start_values={"A": {"u": 1.0}}, cache=cache) as system:
            seen.append(np.concatenate([block.values for block in simulate(system, **PERIOD)]))
        times = {path: path.stat().st_mtime_ns for path in sorted(cache.iterdir())}

    assert len(times) == 2  # A and B are the same file
    assert all(len(path.name) == 64 for path in times)
    assert all(np.array_equal(seen[0], values) for values in seen)


def test_two_instances_of_one_library_do_not_disturb_each_other(pack, lag_parts, tmp_path):
    path = pack(lag_parts["3.0"])
    other = shutil.copy(path, tmp_path / "other.fmu")

    with open_instance(path, instance_name="a", start_values={"u": 1.0}, cache=tmp_path / "c") as a:
        with open_instance(Path(other), instance_name="b", start_values={"u": -1.0}, cache=tmp_path / "c") as b:
            b.do_step(0.0, 0.5)
            a.do_step(0.0, 0.5)

            assert (a.get(["y"]), b.get(["y"])) == ([0.5], [-0.5])
        a.do_step(0.5, 0.5)

        assert a.get(["y"]) == [0.75]


def test_an_fmu_alone_is_a_bundle(bundle):
    folder = bundle({"A": "3.0"}, [])

    with open_system(folder / "A.fmu", start_values={"A": {"u": 1.0}}) as system:
        (block,) = simulate(system, start_time=0, stop_time=0, step_size=1, record=["A.z"])

    assert block.values.tolist() == [[1.0]]


@pytest.mark.thorough
def test_the_kernel_is_found_a_place_where_code_and_home_are_read_only(tmp_path):
    program = (
        "import numba.core.caching as c\n"
        "c.CacheImpl._locator_classes = [c.UserProvidedCacheLocator]\n"
        "from twinbench.core.cosim import System\n"
        "System([], []).initialise()\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], env={"PATH": "/usr/bin", "TMPDIR": str(tmp_path)}, check=False
    )

    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []
