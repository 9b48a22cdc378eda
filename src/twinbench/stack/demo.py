"""The demonstration: one request from submission to report, and a printed account of what happened."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from twinbench.adapters.airflow_api import AirflowApi
from twinbench.core.errors import LabError, UnreachableError
from twinbench.stack.airflow import ADMIN
from twinbench.stack.site import Site
from twinbench.stack.terminal import seconds_between

__all__ = ["DEMO_REQUEST", "account", "await_dag", "follow", "open_api"]

DEMO_REQUEST = {
    "requester_name": "Twinbench demo",
    "requester_id": "demo",
    "uut": "Gen3b - Cell",
    "use_case": "Automotive",
    "standard": "IEC62660",
    "test_name": "Performance - Capacity",
    "test_bench": "Virtual",
    "runs": 6,
    "seed": 1,
}
_STAGES = {
    "register": "request registered and checked",
    "forward_to_twin": "forwarded to the digital twin, acknowledged",
    "await_bundle": "model bundle arrived over SFTP",
    "stage_bundle": "bundle checked and taken in",
    "design_runs": "experiment designed",
    "plan_benches": "benches planned",
    "run_virtual": "co-simulated on virtual benches",
    "run_physical": "carried out on physical benches",
    "check_results": "results checked",
    "report": "report written",
    "close": "request closed",
}
_ENDED = {"success", "failed", "skipped", "upstream_failed", "removed"}


def demo_request() -> dict[str, Any]:
    """The demonstration's request, wanted now."""
    return {**DEMO_REQUEST, "preferred_date": datetime.now(UTC).isoformat(timespec="seconds")}


def open_api(site: Site) -> AirflowApi:
    """The local lab's Airflow, as its administrator."""
    return AirflowApi(site.airflow_url, user=ADMIN, password=site.secret("airflow-admin"))


def await_dag(api: AirflowApi, *, patience_s: float = 90.0) -> None:
    """Wait until Airflow has parsed the DAG after its first start.

    Raises:
        UnreachableError: If it has not in time.
    """
    waiting = Retrying(
        stop=stop_after_delay(patience_s),
        wait=wait_fixed(0.5),
        retry=retry_if_result(lambda parsed: not parsed),
        retry_error_callback=lambda _: False,
    )
    if not waiting(api.is_parsed):
        raise UnreachableError(
            f"Airflow has not parsed dags/carry_out_request.py within {patience_s:.0f} s: "
            "see `twinbench logs dag-processor`."
        )


def follow(api: AirflowApi, run_id: str, tell: Callable[[str, str, float | None], None]) -> str:
    """Watch a run to its end, telling each stage as it ends; returns the run's state."""
    told: set[tuple[str, int]] = set()
    while True:
        state = str(api.run(run_id)["state"])
        for task in sorted(api.tasks(run_id), key=lambda task: task["start_date"] or "9999"):
            place = (task["task_id"], task["map_index"])
            if task["state"] in _ENDED and place not in told:
                told.add(place)
                tell(task["task_id"], task["state"], seconds_between(task["start_date"], task["end_date"]))
        if state in ("success", "failed"):
            return state
        time.sleep(0.5)


def run_demo(site: Site, output: Console, *, document: dict[str, Any] | None = None) -> bool:
    """Carry out one request and print what happened; tells whether it succeeded."""
    api = open_api(site)
    await_dag(api)
    run_id = str(uuid.uuid4())
    api.submit(run_id, document or demo_request())
    output.print(f"\n[bold]Request[/] {run_id}")

    def tell(task_id: str, state: str, seconds: float | None) -> None:
        if state == "skipped":
            return
        mark = "[green]✓[/]" if state == "success" else f"[red]✗ {state}[/]"
        output.print(f"  {mark} {_STAGES.get(task_id, task_id):<45}{seconds or 0:7.1f} s")

    state = follow(api, run_id, tell)
    output.print(account(api, run_id))
    return state == "success"


def _value(api: AirflowApi, run_id: str, task_id: str) -> dict[str, Any]:
    return api.result(run_id, task_id) or {}


def account(api: AirflowApi, run_id: str) -> Table:
    """What happened in a run, as figures of the run itself."""
    tasks = api.tasks(run_id)
    runs = [
        api.result(run_id, task["task_id"], map_index=task["map_index"]) or {}
        for task in tasks
        if task["task_id"] in ("run_virtual", "run_physical") and task["state"] == "success"
    ]
    simulated, wall = sum(run.get("simulated_s", 0) for run in runs), sum(run.get("wall_s", 0) for run in runs)
    plan, closed = _value(api, run_id, "plan_benches"), _value(api, run_id, "close")
    bundle, design = _value(api, run_id, "stage_bundle"), _value(api, run_id, "design_runs")
    whole = api.run(run_id)
    facts = {
        "whole request": f"{seconds_between(whole['start_date'], whole['end_date']) or 0:.1f} s, {whole['state']}",
        "models checked": f"{bundle.get('models', 0)} FMUs, {bundle.get('findings', 0)} findings",
        "design": f"{design.get('kind', '–')}, {design.get('runs', 0)} test points",
        "plan": f"{plan.get('status', '–')}, makespan {plan.get('makespan_min', '–')} min",
        "simulated": f"{simulated:,.0f} s in {wall:.2f} s of stepping: {simulated / wall if wall else 0:,.0f} s per s",
        "messages": f"{closed.get('published', 0)} published, {closed.get('collected', 0)} collected by the twin",
        "results": str(closed.get("folder", "–")),
        "report": str(closed.get("report", "–")),
    }
    table = Table(box=None, show_header=False, pad_edge=False, title="What happened", title_justify="left")
    for name, fact in facts.items():
        table.add_row(f"  {name}", fact, style="bold red" if "failed" in fact else "")
    return table


def explain_failure(api: AirflowApi, run_id: str) -> LabError | None:
    """The error of a failed run, in the words of its diagnosis."""
    failed = next((task for task in api.tasks(run_id) if task["state"] == "failed"), None)
    return LabError(f"Task {failed['task_id']} failed: see its log in Airflow.") if failed else None
