"""Identifiers: every request, run and result folder has a name that follows from what it belongs to.

Asking twice therefore meets the same thing twice: nothing is invented on the way.
"""

from __future__ import annotations

from datetime import date
from uuid import NAMESPACE_URL, UUID, uuid5

__all__ = ["request_uuid", "round_run_id", "run_uuid", "simulation_folder"]

_RUN_IDS = uuid5(NAMESPACE_URL, "urn:twinbench:airflow-run-id")


def request_uuid(run_id: str) -> str:
    """The request that an Airflow run carries: its run id if that is a UUID, else one derived from it."""
    try:
        return str(UUID(run_id))
    except ValueError:
        return str(uuid5(_RUN_IDS, run_id))


def round_run_id(request_uuid: str, number: int) -> str:
    """Id of the Airflow run that carries out a round of a request after its first."""
    return f"{request_uuid}.round-{number:02d}"


def run_uuid(request_uuid: str, run: int, inputs: str) -> str:
    """UUID of the *run*-th test point of a request, as carried out with these inputs.

    Repeating a run with the same inputs has the same UUID, so its messages are known already; with other inputs
    (another model, another command to a bench) it is another stream of messages.
    """
    return str(uuid5(UUID(request_uuid), f"run-{run} {inputs}"))


def simulation_folder(request_uuid: str, day: date) -> str:
    """Name of the request's area in object storage, as D6.4 has it."""
    return f"fastest_simulation_{day:%Y%m%d}_{request_uuid}"
