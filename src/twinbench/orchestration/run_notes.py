"""Writes into the note of a DAG run, where people who look at Airflow's own pages see what the run is about.

A task has no way of its own to write its run's note, so it asks the public REST API as the lab's own user. A note is a
convenience: if it cannot be written, that is said in the log and nothing else happens.
"""

from __future__ import annotations

import logging
from contextlib import closing

__all__ = ["note_run"]

_log = logging.getLogger(__name__)


def note_run(run_id: str, line: str, *, dag: str = "carry_out_request") -> None:
    """Add a line to a run's note, unless it is there already."""
    from twinbench.core.errors import LabError
    from twinbench.orchestration.opening import open_airflow

    try:
        with closing(open_airflow()) as api:
            api.note(run_id, line, dag=dag)
    except LabError as error:
        _log.warning("The note of run %s is not written: %s", run_id, error)
