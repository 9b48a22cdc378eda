"""Many points run on processes of their own: what goes wrong costs one point, and each begins from a fresh state."""

from __future__ import annotations

import math
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from twinbench.adapters.fmi import open_bundle, open_system
from twinbench.adapters.fmi.session import prove_way_back
from twinbench.core.cosim import Experiment, Point, simulate
from twinbench.core.errors import SimulationError

pytestmark = pytest.mark.thorough

EXPERIMENT = Experiment(stop_time=2.0, step_size=0.1, record=("A.y", "B.z"), block_rows=8)
VERSIONS = ["2.0", "3.0"]


@pytest.fixture
def pair(bundle):
    """A bundle of two FMUs of one version."""
    return lambda version: bundle({"A": version, "B": version}, ["A.y>B.u"])


def points(*values, experiment=EXPERIMENT) -> list[Point]:
    return [Point(number, {"A": {"u": 1.0, **part}}, experiment) for number, part in enumerate(values, 1)]


def run(folder: Path, todo, **options):
    rows: dict[int, list] = {}
    with open_bundle(folder) as opened, opened.crew(**options) as crew:
        results = list(crew.run(todo, on_block=lambda number, block: rows.setdefault(number, []).append(block.values)))
    return results, {number: np.concatenate(parts) for number, parts in rows.items()}


def alone(folder: Path, values) -> np.ndarray:
    with open_system(folder, start_values={"A": {"u": 1.0, **values}}) as system:
        options = {key: value for key, value in vars(EXPERIMENT).items() if key != "wall_limit_s"}
        return np.concatenate([block.values for block in simulate(system, **options)])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("workers", [1, 2])
def test_each_point_gives_what_it_gives_alone_in_the_order_of_the_points(pair, version, workers):
    values = [{"T": 0.5 + 0.1 * k, "x0": k} for k in range(8)]
    folder = pair(version)

    results, rows = run(folder, points(*values), workers=workers)

    assert [result.number for result in results] == list(range(1, 9))
    assert {result.status for result in results} == {"completed"}
    for number, part in enumerate(values, 1):
        assert np.array_equal(rows[number], alone(folder, part))


BAD = [
    ({"fail_at": 0.7}, "failed", "A could not step by 0.1 s at t = 0.7", "A [error] lag says the spring broke"),
    ({"crash_at": 0.7}, "crashed", "signal SIGSEGV; it printed: last words", "A [error] lag says here it comes"),
    ({"hang_at": 0.7}, "timeout", "took longer than 1 s", ""),
    ({"nan_at": 0.7}, "failed", "became NaN", ""),
    ({"T": -1}, "failed", "A could not enter initialization mode", "A [error] lag says T must be positive"),
    ({"T": "two"}, "failed", "A.T is a Float64 and cannot be 'two'", ""),
]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_point_that_fails_crashes_or_hangs_costs_itself_only(pair, version):
    good = {"T": 2.0}
    folder = pair(version)
    todo = points(good, *(part for bad, *_ in BAD for part in (bad, good)))

    results, rows = run(folder, todo, workers=2, deadline_s=1.0)

    assert [result.number for result in results] == [point.number for point in todo]
    expected = alone(folder, good)
    for result in results[::2]:
        assert result.status == "completed", result
        assert np.array_equal(rows[result.number], expected)
    for result, (_, status, words, line) in zip(results[1::2], BAD, strict=True):
        assert (result.status, words in result.message) == (status, True), result
        assert line in result.log or not line
    assert len(rows[4]) >= 7  # what was recorded before the failure


@pytest.mark.parametrize(
    ("label", "ways"),
    [("honest", "state"), ("stubborn", "state"), ("once", "process")],
)
def test_the_way_back_is_recorded_and_points_are_right_whatever_it_is(pair, label, ways):
    folder = pair("3.0")
    values = [{"label": label, "x0": k} for k in range(5)]

    results, rows = run(folder, points(*values), workers=1)

    assert results[0].ways_back["A"] == ways
    for number, part in enumerate(values, 1):
        assert np.array_equal(rows[number], alone(folder, {"x0": part["x0"]}))


@pytest.mark.parametrize(
    ("label", "saves", "way"),
    [
        ("honest", "true", "state"),
        ("honest", "false", "reset"),
        ("stubborn", "false", "instance"),
        ("once", "false", "process"),
    ],
)
def test_the_cheapest_way_back_that_reproduces_is_taken(pack, lag_parts, tmp_path, label, saves, way):
    parts = dict(lag_parts["3.0"])
    name = "modelDescription.xml"
    parts[name] = parts[name].replace(b'canGetAndSetFMUState="true"', f'canGetAndSetFMUState="{saves}"'.encode())
    pack(parts, "bundle/A.fmu")
    (tmp_path / "bundle/inter_connection.json").write_text("[]")
    with open_bundle(tmp_path / "bundle") as opened:
        models = opened.models()
        instance = models.load(models.models[0], keep_loaded=False)

        found = prove_way_back(instance, {"label": label, "u": 1.0}, start_time=0.0, step_size=0.1)

    assert found == way


def test_a_cancelled_crew_ends_at_once_and_says_so(pair):
    begun = time.monotonic()

    with open_bundle(pair("3.0")) as opened, opened.crew(workers=2) as crew:
        todo = points({"hang_at": 0.0}, {"hang_at": 0.0}, {})
        results = list(crew.run(todo, cancelled=lambda: time.monotonic() > begun + 1.5))

    assert [result.status for result in results] == ["cancelled"] * 3
    assert time.monotonic() - begun < 4


@pytest.mark.stack
def test_memory_stays_flat_and_nothing_is_left_behind(pair, tmp_path, monkeypatch):
    with open_bundle(pair("2.0")) as opened, opened.crew(workers=1) as crew:
        assert len(list(crew.run(points({})))) == 1  # multiprocessing's own folder is there from now on
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    resident = []

    with open_bundle(pair("2.0")) as opened, opened.crew(workers=1) as crew:
        for result in crew.run(points(*[{"x0": k} for k in range(400)])):
            if result.number in (100, 400):
                tree = psutil.Process().children(recursive=True)
                resident.append(sum(child.memory_info().rss for child in tree))
        processes = {child.pid for child in psutil.Process().children(recursive=True)}

    assert resident[1] < resident[0] + (8 << 20)
    assert list(scratch.iterdir()) == []
    left = {child.pid for child in psutil.Process().children(recursive=True)}
    assert len(left) < len(processes) or not processes


def test_a_process_whose_memory_has_grown_is_replaced_after_its_point(pair, monkeypatch):
    monkeypatch.setattr("twinbench.adapters.fmi.crew._GREED", 1e12)
    with open_bundle(pair("3.0")) as opened, opened.crew(workers=1) as crew:
        crew._memory_bytes = 1
        results = list(crew.run(points({}, {}, {})))

    assert [result.status for result in results] == ["completed"] * 3


def test_a_process_that_grows_without_end_is_killed(pair):
    with open_bundle(pair("3.0")) as opened, opened.crew(workers=1) as crew:
        crew._memory_bytes = 1
        (result,) = crew.run(points({"hang_at": 0.5}))

    assert result.status == "crashed"
    assert "of memory: its process was killed" in result.message


def test_no_points_are_no_work(pair):
    assert run(pair("3.0"), [])[0] == []


def test_a_run_that_is_too_slow_is_given_up(pair):
    experiment = Experiment(stop_time=1e6, step_size=1e-3, record=("A.y",), record_every=1000, wall_limit_s=0.2)

    ((result,), _) = run(pair("3.0"), points({}, experiment=experiment))

    assert (result.status, result.outcome.stop_reason) == ("failed", "wall-limit")
    assert not math.isnan(result.outcome.wall_s)


def test_an_fmu_that_cannot_be_set_is_an_error_in_this_process_too(pair):
    with pytest.raises(SimulationError, match="has no variable"):
        alone(pair("3.0"), {"nonsense": 1})


@pytest.mark.stack
def test_workers_do_not_outlive_the_process_that_started_them(pair, tmp_path):
    folder = pair("3.0")
    program = tmp_path / "program.py"
    program.write_text(
        "import os\n"
        "from pathlib import Path\n"
        "from twinbench.adapters.fmi import open_bundle\n"
        "from twinbench.core.cosim import Experiment, Point\n"
        f"with open_bundle(Path({str(folder)!r})) as opened, opened.crew() as crew:\n"
        "    todo = [Point(1, {'A': {'hang_at': 0.5}}, Experiment(stop_time=2.0, step_size=0.1, block_rows=2))]\n"
        "    for _ in crew.run(todo, on_block=lambda *_: os.kill(os.getpid(), 9)):\n"
        "        pass\n"
    )
    process = psutil.Popen([os.sys.executable, program])
    children: set[psutil.Process] = set()
    while process.poll() is None:
        try:
            children.update(process.children(recursive=True))
        except psutil.NoSuchProcess:
            break
        time.sleep(0.02)

    assert process.wait() == -9
    assert children
    _, alive = psutil.wait_procs(list(children), timeout=10)
    assert alive == []
