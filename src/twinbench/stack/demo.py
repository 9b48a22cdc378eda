"""The demonstration: one request from submission to report, and a printed account of what happened."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from twinbench.adapters.airflow_api import AirflowApi
from twinbench.core.errors import LabError, UnreachableError
from twinbench.stack.database import database_url
from twinbench.stack.people import LIMS, password_of
from twinbench.stack.site import Site
from twinbench.stack.terminal import seconds_between

__all__ = ["DEMO_REQUEST", "account", "await_dag", "failure_of", "follow", "open_api", "run_demo"]

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
    "run_virtual": "co-simulated on {bench}",
    "run_physical": "carried out on {bench}",
    "check_results": "results checked",
    "next_round": "rounds of the design over",
    "report": "report written",
    "close": "request closed",
}
_ENDED = {"success", "failed", "skipped", "upstream_failed", "removed"}


def demo_request() -> dict[str, Any]:
    """The demonstration's request, wanted now."""
    return {**DEMO_REQUEST, "preferred_date": datetime.now(UTC).isoformat(timespec="seconds")}


def open_api(site: Site) -> AirflowApi:
    """The local lab's Airflow, as the lab's own programs log in: for requests, their rounds and the plan only."""
    return AirflowApi(site.airflow_url, user=LIMS, password=password_of(site, LIMS))


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


Tell = Callable[[str, str, float], None]


def follow(api: AirflowApi, run_id: str, tell: Tell) -> str:
    """Watch a run to its end, telling name, state and seconds of each task as it ends; returns the run's state."""
    told: set[tuple[str, int]] = set()
    while True:
        state = str(api.run(run_id)["state"])
        for task in sorted(api.tasks(run_id), key=lambda task: task["start_date"] or "9999"):
            place = (task["task_id"], task["map_index"])
            if task["state"] in _ENDED and place not in told:
                told.add(place)
                bench = f" {task['rendered_map_index']}" if task.get("rendered_map_index") else ""
                seconds = seconds_between(task["start_date"], task["end_date"]) or 0.0
                tell(task["task_id"] + bench, task["state"], seconds)
        if state in ("success", "failed"):
            return state
        time.sleep(0.5)


def run_demo(site: Site, output: Console, *, document: dict[str, Any] | None = None) -> bool:
    """Carry out one request and print what happened; tells whether it succeeded."""
    api = open_api(site)
    await_dag(api)
    run_id = str(uuid.uuid4())
    asked = document or demo_request()
    api.submit(run_id, asked)
    output.print(f"\n[bold]Request[/] {run_id}")
    output.print(f"  {asked['test_name']} ({asked['standard']}) of a {asked['uut']}, {asked['runs']} test points")

    def tell(task: str, state: str, seconds: float) -> None:
        task_id, _, bench = task.partition(" ")
        if task_id in _STAGES and state not in ("skipped", "upstream_failed"):
            mark = "[green]✓[/]" if state == "success" else f"[red]✗ {state}[/]"
            output.print(f"  {mark} {_STAGES[task_id].format(bench=bench):<45}{seconds:7.1f} s")

    state = follow(api, run_id, tell)
    output.print()
    output.print(account(api, run_id))
    output.print(f"  [dim]{'collected':<12}[/]  {_collected(site, run_id)}")
    if state != "success":
        output.print(f"\n[bold red]{failure_of(site, run_id)}[/]", soft_wrap=True)
    output.print("\n[bold]Look at[/]")
    for name, place in _places(api, site, run_id).items():
        output.print(f"  [dim]{name:<12}[/]  {place}", soft_wrap=True)
    api.close()
    return state == "success"


def _collected(site: Site, run_id: str) -> str:
    """What the digital twin has in its own tables."""
    from twinbench.twin.store import TwinStore

    store = TwinStore(database_url(site, "twin"))
    try:
        counts = store.counts(run_id)
    finally:
        store.close()
    return f"{counts['messages']} messages with {counts['samples']:,} samples of {counts['finished']} runs at the twin"


def failure_of(site: Site, run_id: str) -> str:
    """Why a request failed, as its page would say."""
    from twinbench.adapters.postgres import Database, Requests

    database = Database(database_url(site, "lims"))
    try:
        return str(Requests(database).get(run_id)["failure"] or "The request failed: see its tasks' logs in Airflow.")
    except LabError:
        return "The request was refused: see the log of its task register in Airflow."
    finally:
        database.close()


def _places(api: AirflowApi, site: Site, run_id: str) -> dict[str, str]:
    closed = _value(api, run_id, "close")
    run = {"Airflow run": f"{site.airflow_url}/dags/carry_out_request/runs/{run_id}"}
    if number := _value(api, run_id, "register").get("request_number"):
        run["its page"] = f"{site.airflow_url}/lims/requests/{number}"
    return {**run, "report": closed["report"], "results": closed["folder"]} if closed else run


def _value(api: AirflowApi, run_id: str, task_id: str) -> dict[str, Any]:
    return api.result(run_id, task_id) or {}


def account(api: AirflowApi, run_id: str) -> Table:
    """What happened in a run, as figures of the run itself."""
    benches = [
        api.result(run_id, task["task_id"], map_index=task["map_index"]) or {}
        for task in api.tasks(run_id)
        if task["task_id"] in ("run_virtual", "run_physical") and task["state"] == "success"
    ]
    whole, plan = api.run(run_id), _value(api, run_id, "plan_benches")
    bundle, design = _value(api, run_id, "stage_bundle"), _value(api, run_id, "design_runs")
    seconds = seconds_between(whole["start_date"], whole["end_date"]) or 0
    facts = {
        "request": f"{whole['state']} after {seconds:.1f} s",
        "models": bundle and f"{_count(bundle['models'], 'FMU')}, {_count(bundle['findings'], 'finding')}",
        "design": design and f"{design['kind']}, {_count(design['runs'], 'test point')}",
        "plan": plan and f"{plan['status']}, makespan {plan['makespan_min']} min, on {', '.join(plan['benches'])}",
        "runs": benches and _runs(benches),
        "published": benches and _count(sum(bench.get("published", 0) for bench in benches), "message"),
    }
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), title="What happened", title_justify="left")
    table.add_column(style="dim", min_width=14)
    for name, fact in facts.items():
        table.add_row(f"  {name}", str(fact or "–"))
    return table


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _runs(benches: Sequence[Mapping[str, Any]]) -> str:
    """How the runs went, and how fast those were that were simulated."""
    total = {key: sum(bench.get(key, 0) for bench in benches) for key in ("runs", "failed", "simulated_s", "wall_s")}
    measured_s = sum(bench.get("measured_s", 0) for bench in benches)
    parts = [f"{total['runs']}, {total['failed']} failed"]
    if total["wall_s"]:
        parts.append(
            f"{total['simulated_s']:,.0f} s simulated in {total['wall_s']:.2f} s of stepping "
            f"({total['simulated_s'] / total['wall_s']:,.0f} s per s)"
        )
    if measured_s:
        parts.append(f"{measured_s:,.0f} s measured")
    return "; ".join(parts)
