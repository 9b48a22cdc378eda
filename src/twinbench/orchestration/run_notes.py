"""Writes into the note of a DAG run, where people who look at Airflow's own pages see what the run is about.

A task has no way of its own to write its run's note, so it asks the public REST API as the lab's own user. A note is a
convenience: if it cannot be written, that is said in the log and nothing else happens.
"""

from __future__ import annotations

import logging

__all__ = ["note_run"]

_log = logging.getLogger(__name__)


def note_run(run_id: str, line: str, *, dag: str = "carry_out_request") -> None:
    """Add a line to a run's note, unless it is there already."""
    from twinbench.adapters.airflow_api import AirflowApi
    from twinbench.adapters.environment import Settings
    from twinbench.core.errors import LabError

    settings = Settings.from_environment()
    try:
        known = {name: settings.require(f"TWINBENCH_AIRFLOW_{name.upper()}") for name in ("url", "user", "password")}
        api = AirflowApi(known["url"], user=known["user"], password=known["password"])
        try:
            api.note(run_id, line, dag=dag)
        finally:
            api.close()
    except LabError as error:
        _log.warning("The note of run %s is not written: %s", run_id, error)
