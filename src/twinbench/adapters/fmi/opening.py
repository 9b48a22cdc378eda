"""Opens FMUs to run them: one alone, or all of a bundle as a wired system.

They are freed when the block ends, whatever happens in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from twinbench.adapters.fmi.instances import FmuInstance, OnLog, StartValue
from twinbench.adapters.fmi.session import Session
from twinbench.adapters.fmi.staging import open_bundle, refusal, stage_model
from twinbench.core.cosim import Coupling, System
from twinbench.core.findings import blocking

__all__ = ["open_instance", "open_system"]


@contextmanager
def open_instance(
    path: Path,
    *,
    instance_name: str,
    start_values: Mapping[str, StartValue],
    start_time: float = 0.0,
    on_log: OnLog | None = None,
    cache: Path | None = None,
) -> Iterator[FmuInstance]:
    """Load one FMU file and initialise it.

    Args:
        path: The FMU.
        instance_name: What it calls itself in its log.
        start_values: Parameters and inputs by name; inputs keep these values until they are set.
        start_time: In s.
        on_log: Is told each line the FMU logs.
        cache: Folder in which FMUs stay unpacked, one user's own; temporary unless said.

    Raises:
        BundleError: If the FMU cannot be used.
        SimulationError: If it does not initialise.
    """
    with ExitStack() as stack:
        model = stage_model(path, cache or _scratch(stack))
        if model.summary is None or blocking(model.findings):
            raise refusal(path, model.findings)
        instance = FmuInstance(
            instance_name, model.folder, model.summary.variables, on_log=on_log, keep_loaded=cache is not None
        )
        stack.callback(instance.close)
        instance.instantiate()
        instance.start(start_values, start_time)
        instance.exit_initialization()
        yield instance


@contextmanager
def open_system(
    folder: Path,
    *,
    start_values: Mapping[str, Mapping[str, StartValue]],
    start_time: float = 0.0,
    on_log: OnLog | None = None,
    cache: Path | None = None,
    coupling: Coupling | None = None,
) -> Iterator[System]:
    """Load the FMUs of a bundle, wire and initialise them.

    Args:
        folder: Folder or zip with FMUs and an interconnection file.
        start_values: Parameters and inputs: FMU -> variable -> value.
        start_time: In s.
        on_log: Is told each line an FMU logs.
        cache: Folder in which FMUs stay unpacked, one user's own; temporary unless said.
        coupling: How the FMUs exchange their signals.

    Raises:
        BundleError: If the bundle cannot be used; lists every finding.
        SimulationError: If a start value is wrong or an FMU does not initialise.
    """
    with ExitStack() as stack:
        bundle = stack.enter_context(open_bundle(folder, cache=cache))
        bundle.require()
        once = {model.name: "process" for model in bundle.check.models}
        session = Session(bundle.models(coupling), once, on_log, keep_loaded=cache is not None)
        stack.callback(session.close)
        yield session.begin(start_values, start_time)


def _scratch(stack: ExitStack) -> Path:
    return Path(stack.enter_context(TemporaryDirectory(prefix="twinbench-fmu-")))
