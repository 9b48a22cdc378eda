"""The engines that ``cosim.py`` compares: ours, the peers from PyPI, and the floor in C.

Each runs a system of ``cosim_models.py`` in a process of its own, since some start thread pools. An engine is a
function of the bundle, the system, how many steps, and how many rounds; it returns the outputs it recorded, in the
order of ``system.outputs`` (at least those of the last communication point), and CPU and wall seconds of each round.
"""

from __future__ import annotations

import ctypes
import glob
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
from cosim_models import KINDS, Wired

Times = list[tuple[float, float]]
FLOOR = Path(__file__).with_name("cosim_floor.c")


class Clock:
    """CPU and wall time of rounds."""

    def __init__(self) -> None:
        self.times: Times = []

    @contextmanager
    def round(self) -> Any:
        """Time one."""
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        yield
        self.times.append((time.process_time() - cpu_s, time.perf_counter() - wall_s))


def twinbench(bundle: Path, system: Wired, steps: int, rounds: int) -> tuple[np.ndarray, Times]:
    """Ours: all outputs recorded at each communication point and handed over block by block."""
    from twinbench.adapters.fmi import open_bundle
    from twinbench.adapters.fmi.session import Session
    from twinbench.core.cosim import Experiment

    clock = Clock()
    record = tuple(f"{name}.{variable}" for name, variable in system.outputs)
    experiment = Experiment(stop_time=steps * system.step_s, step_size=system.step_s, record=record)
    with open_bundle(bundle) as opened:
        session = Session(opened.models(), dict.fromkeys(system.models, "state"))
        table = np.concatenate([block.values for block in session.run({}, experiment)])  # not timed: for comparison
        for _ in range(rounds):
            with clock.round():
                for _ in session.run({}, experiment):
                    pass
    return table, clock.times


def floor(bundle: Path, system: Wired, steps: int, rounds: int) -> tuple[np.ndarray, Times]:
    """The hand-written loop in C."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as scratch:
        library = Path(scratch) / "floor.so"
        flags = ["-shared", "-fPIC", "-O3", "-ffp-contract=off"]
        subprocess.run(["gcc", *flags, "-w", "-o", library, FLOOR], check=True)
        run = getattr(ctypes.CDLL(str(library)), bundle.name)
        run.argtypes = [ctypes.c_void_p, ctypes.c_long, ctypes.c_double, ctypes.c_void_p]
        table = np.zeros((steps + 1, len(system.outputs)))
        for _ in range(rounds):
            fmus = [_slave(bundle, name, kind, system, scratch) for name, kind in system.models.items()]
            verbs = ("GetReal", "SetReal", "DoStep") if system.fmi == 2 else ("GetFloat64", "SetFloat64", "DoStep")
            addresses = [
                [ctypes.cast(getattr(fmu.dll, f"fmi{system.fmi}{verb}"), ctypes.c_void_p).value for verb in verbs]
                + [fmu.component]
                for fmu in fmus
            ]
            _initialise(fmus, system)
            given = np.array(addresses, dtype=np.uint64)
            with clock.round():
                run(given.ctypes.data, steps, system.step_s, table.ctypes.data)
    return table, clock.times


def fmpy_loop(bundle: Path, system: Wired, steps: int, rounds: int) -> tuple[np.ndarray, Times]:
    """FMPy's objects in a plain loop: one get and one set per FMU and step."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as scratch:
        for _ in range(rounds):
            fmus = [_slave(bundle, name, kind, system, scratch) for name, kind in system.models.items()]
            _initialise(fmus, system)
            with clock.round():
                table = _plain_loop(fmus, system, steps)
            for fmu in fmus:
                fmu.freeInstance()
    return np.array(table), clock.times


def _plain_loop(fmus: list[Any], system: Wired, steps: int) -> list[list[float]]:
    get, set_ = ("getReal", "setReal") if system.fmi == 2 else ("getFloat64", "setFloat64")
    names = list(system.models)
    reads = [(getattr(fmu, get), _references(system, name, "output")) for fmu, name in zip(fmus, names, strict=True)]
    places = {signal: place for place, signal in enumerate(system.outputs)}
    writes = []
    for fmu, name in zip(fmus, names, strict=True):
        wires = [(u, places[a, y]) for a, y, b, u in system.wires if b == name]
        if wires:
            references = [_reference(system, name, u) for u, _ in wires]
            writes.append((getattr(fmu, set_), references, [place for _, place in wires]))
    table = []
    h = system.step_s
    for k in range(steps + 1):
        row = [value for read, references in reads for value in read(references)]
        table.append(row)
        if k == steps:
            break
        for write, references, sources in writes:
            write(references, [row[place] for place in sources])
        for fmu in fmus:
            fmu.doStep(k * h, h)
    return table


def _reference(system: Wired, name: str, variable: str) -> int:
    return [v for v, _, _ in KINDS[system.models[name]].variables].index(variable) + 1


def _references(system: Wired, name: str, causality: str) -> list[int]:
    variables = KINDS[system.models[name]].variables
    return [number for number, (_, kind, _) in enumerate(variables, 1) if kind == causality]


def _slave(bundle: Path, name: str, kind: str, system: Wired, scratch: str) -> Any:
    import fmpy

    folder = Path(scratch) / name
    if not folder.is_dir():
        fmpy.extract(str(bundle / f"{name}.fmu"), str(folder))
    type_ = fmpy.fmi2.FMU2Slave if system.fmi == 2 else fmpy.fmi3.FMU3Slave
    fmu = type_(guid=kind, unzipDirectory=str(folder), modelIdentifier=kind, instanceName=name)
    fmu.instantiate()
    if system.fmi == 2:
        fmu.setupExperiment()
    fmu.enterInitializationMode()
    return fmu


def _initialise(fmus: list[Any], system: Wired) -> None:
    """Hand values on in initialization mode, in the order of their dependencies."""
    get, set_ = ("getReal", "setReal") if system.fmi == 2 else ("getFloat64", "setFloat64")
    by_name = dict(zip(system.models, fmus, strict=True))
    for a, y, b, u in system.wires:
        value = getattr(by_name[a], get)([_reference(system, a, y)])
        getattr(by_name[b], set_)([_reference(system, b, u)], value)
    for fmu in fmus:
        fmu.exitInitializationMode()


def fmpy_container(bundle: Path, system: Wired, steps: int, rounds: int) -> tuple[np.ndarray, Times]:
    """FMPy's container FMU, read out at each step."""
    import fmpy
    from fmpy.container_fmu.cli import create_container_fmu
    from fmpy.container_fmu.config import Component, Configuration, Connection
    from fmpy.model_description import CoSimulation, ModelDescription, ModelVariable

    components = {}
    for name in system.models:
        file = bundle / f"{name}.fmu"
        components[name] = Component(name, file, fmpy.read_model_description(str(file)))

    def variable(name: str, signal: str) -> Any:
        found = copy(next(v for v in components[name].modelDescription.modelVariables if v.name == signal))
        found.type = "Float64"  # the container's own side does not know FMI 2.0's Real
        return found

    outputs = [
        ModelVariable(
            name=f"{name}.{signal}", type="Float64", causality="output", variability="continuous", valueReference=number
        )
        for number, (name, signal) in enumerate(system.outputs)
    ]
    description = ModelDescription(
        fmiVersion="3.0",
        modelName="container",
        instantiationToken="container",
        coSimulation=CoSimulation(modelIdentifier="container_fmu", fixedInternalStepSize=system.step_s),
        modelVariables=[
            ModelVariable(name="time", type="Float64", causality="independent", variability="continuous"),
            *outputs,
        ],
    )
    configuration = Configuration(
        parallelDoStep=False,
        modelDescription=description,
        components=list(components.values()),
        connections=[
            Connection(components[a], [variable(a, y)], components[b], [variable(b, u)]) for a, y, b, u in system.wires
        ],
        variableMappings={
            output: [(components[name], variable(name, signal))]
            for output, (name, signal) in zip(outputs, system.outputs, strict=True)
        },
    )
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "container.fmu"
        unpacked = Path(scratch) / "unpacked"
        unpacked.mkdir()
        create_container_fmu(configuration, unpacked, file)
        return _read_out(file, [output.name for output in outputs], system, steps, rounds, fmpy)


def renault_container(bundle: Path, system: Wired, steps: int, rounds: int) -> tuple[np.ndarray, Times]:
    """The container FMU of fmu-manipulation-toolbox, read out at each step."""
    import fmpy
    from fmu_manipulation_toolbox.container import FMUContainer

    with tempfile.TemporaryDirectory() as scratch:
        made = FMUContainer("container", bundle, fmi_version=system.fmi)
        for name in system.models:
            made.get_fmu(f"{name}.fmu")
        for name, signal in system.outputs:
            made.add_output(f"{name}.fmu", signal, f"{name}.{signal}")
        for a, y, b, u in system.wires:
            made.add_link(f"{a}.fmu", y, f"{b}.fmu", u)
        made.make_fmu(str(Path(scratch) / "container.fmu"), system.step_s)
        file = next(p for folder in (Path(scratch), bundle) for p in folder.rglob("container.fmu"))
        names = [f"{name}.{signal}" for name, signal in system.outputs]
        return _read_out(file, names, system, steps, rounds, fmpy)


def _read_out(
    file: Path, names: list[str], system: Wired, steps: int, rounds: int, fmpy: Any
) -> tuple[np.ndarray, Times]:
    clock = Clock()
    description = fmpy.read_model_description(str(file), validate=False)
    folder = fmpy.extract(str(file))
    references = {v.name: v.valueReference for v in description.modelVariables}
    wanted = [references[name] for name in names]
    is_2 = description.fmiVersion.startswith("2")
    for _ in range(rounds):
        type_ = fmpy.fmi2.FMU2Slave if is_2 else fmpy.fmi3.FMU3Slave
        fmu = type_(
            guid=description.guid,
            unzipDirectory=folder,
            modelIdentifier=description.coSimulation.modelIdentifier,
            instanceName="c",
        )
        fmu.instantiate()
        if is_2:
            fmu.setupExperiment()
        fmu.enterInitializationMode()
        fmu.exitInitializationMode()
        get = fmu.getReal if is_2 else fmu.getFloat64
        table = []
        with clock.round():
            for k in range(steps):
                fmu.doStep(k * system.step_s, system.step_s)
                table.append(get(wanted))
        fmu.freeInstance()
    return np.array(table), clock.times


def libcosim(bundle: Path, system: Wired, steps: int, rounds: int) -> tuple[np.ndarray, Times]:
    """libcosimpy, fixed-step algorithm; it records nothing, the values at the end are asked for."""
    clock = Clock()
    for _ in range(rounds):
        execution, observer, slaves = _libcosim(bundle, system)
        with clock.round():
            execution.step(steps)
    values = [
        observer.last_real_values(slaves[name], [_reference(system, name, signal)])[0]
        for name, signal in system.outputs
    ]
    return np.array([values]), clock.times


def _libcosim(bundle: Path, system: Wired) -> Any:
    from libcosimpy.CosimExecution import CosimExecution
    from libcosimpy.CosimObserver import CosimObserver
    from libcosimpy.CosimSlave import CosimLocalSlave

    execution = CosimExecution.from_step_size(system.step_s * 1e9)
    slaves = {
        name: execution.add_local_slave(CosimLocalSlave(str(bundle / f"{name}.fmu"), name)) for name in system.models
    }
    for a, y, b, u in system.wires:
        execution.connect_real_variables(slaves[a], _reference(system, a, y), slaves[b], _reference(system, b, u))
    observer = CosimObserver.create_last_value()
    execution.add_observer(observer)
    return execution, observer, slaves


def ecos(bundle: Path, system: Wired, steps: int, rounds: int) -> tuple[np.ndarray, Times]:
    """ecospy; it records nothing, the values at the end are asked for."""
    clock = Clock()
    for _ in range(rounds):
        simulation = _ecos(bundle, system)
        with clock.round():
            simulation.step(steps)
        values = [simulation.get_real(f"{name}::{signal}") for name, signal in system.outputs]
        simulation.terminate()
        simulation.free()
    return np.array([values]), clock.times


def _ecos(bundle: Path, system: Wired) -> Any:
    for library in glob.glob(f"{sys.prefix}/lib/libtbb.so.12"):
        ctypes.CDLL(library, ctypes.RTLD_GLOBAL)
    from ecospy import EcosSimulation, EcosSimulationStructure

    structure = EcosSimulationStructure()
    for name in system.models:
        structure.add_model(name, str(bundle / f"{name}.fmu"))
    for a, y, b, u in system.wires:
        structure.make_real_connection(f"{a}::{y}", f"{b}::{u}")
    simulation = EcosSimulation(structure=structure, step_size=system.step_s)
    simulation.init()
    return simulation


ENGINES: dict[str, Callable[[Path, Wired, int, int], tuple[np.ndarray, Times]]] = {
    "twinbench": twinbench,
    "c_floor": floor,
    "fmpy_loop": fmpy_loop,
    "fmpy_container": fmpy_container,
    "renault_container": renault_container,
    "libcosim": libcosim,
    "ecos": ecos,
}

POINT_STEPS = 1000


def point_twinbench(bundle: Path, system: Wired, points: int) -> tuple[float, float]:
    """One point of a design: fresh state, 1,000 steps, all outputs read out. Returns CPU and wall time per point."""
    from twinbench.adapters.fmi import open_bundle
    from twinbench.adapters.fmi.session import Session
    from twinbench.core.cosim import Experiment

    with open_bundle(bundle) as opened:
        models = opened.models()
        session = Session(models, dict.fromkeys(system.models, "instance"))
        name, variable = next(
            (n, v)
            for n, kind in system.models.items()
            for v, causality, _ in KINDS[kind].variables
            if causality == "parameter"
        )
        experiment = Experiment(
            stop_time=POINT_STEPS * system.step_s, step_size=system.step_s, block_rows=2 * POINT_STEPS
        )

        def run(count: int) -> None:
            for k in range(count):
                for _ in session.run({name: {variable: 1 + 0.001 * k}}, experiment):
                    pass

        run(20)
        return _per_point(run, points)


def point_fmpy(bundle: Path, system: Wired, points: int) -> tuple[float, float]:
    """New FMPy objects on unpacked FMUs, and the plain loop."""
    with tempfile.TemporaryDirectory() as scratch:

        def run(count: int) -> None:
            for _ in range(count):
                fmus = [_slave(bundle, name, kind, system, scratch) for name, kind in system.models.items()]
                _initialise(fmus, system)
                _plain_loop(fmus, system, POINT_STEPS)
                for fmu in fmus:
                    fmu.freeInstance()

        run(1)
        return _per_point(run, min(points, 20))


def point_ecos(bundle: Path, system: Wired, points: int) -> tuple[float, float]:
    """ecos, built anew."""

    def run(count: int) -> None:
        for _ in range(count):
            simulation = _ecos(bundle, system)
            simulation.step(POINT_STEPS)
            simulation.terminate()
            simulation.free()

    return _per_point(run, min(points, 10))


def point_libcosim(bundle: Path, system: Wired, points: int) -> tuple[float, float]:
    """libcosim, built anew."""

    def run(count: int) -> None:
        for _ in range(count):
            execution, *_ = _libcosim(bundle, system)
            execution.step(POINT_STEPS)

    return _per_point(run, min(points, 10))


def _per_point(run: Callable[[int], None], points: int) -> tuple[float, float]:
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    run(points)
    return (time.process_time() - cpu_s) / points, (time.perf_counter() - wall_s) / points


POINTS = {"twinbench": point_twinbench, "fmpy_loop": point_fmpy, "ecos": point_ecos, "libcosim": point_libcosim}
