"""Airflow's REST API (v2), as the command line and the demo use it: log in, start a DAG run, watch it.

The lab's own REST interface is behind the same login: :class:`LimsApi`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import tenacity

from twinbench.core.errors import (
    ConfigurationError,
    ConflictError,
    ForbiddenError,
    LabError,
    RequestError,
    UnknownError,
    UnreachableError,
)

__all__ = ["AirflowApi", "LimsApi"]

_DAG = "carry_out_request"
_ROUNDS = "carry_out_round"
_LONGEST_NOTE = 1000  # Airflow takes no more
_REPLAN = "replan_lab"
_CAMPAIGN = "run_campaign"
_REQUESTS = "/lims/api/v1/requests"
_REFUSALS: Mapping[int, type[LabError]] = {
    403: ForbiddenError,
    404: UnknownError,
    409: ConflictError,
    503: UnreachableError,
}
_REPEATABLE = {"GET", "PATCH"}  # asking twice is as good as asking once
_again = tenacity.Retrying(  # Airflow answers 500 where its API and its scheduler were in each other's way
    stop=tenacity.stop_after_attempt(4),
    wait=tenacity.wait_random_exponential(multiplier=0.2, max=1),
    retry=tenacity.retry_if_result(lambda answer: answer.is_server_error),
    retry_error_callback=lambda last: last.outcome.result() if last.outcome else None,
)


class AirflowApi:
    """A logged-in caller of Airflow's REST API.

    Args:
        url: Address of the API server.
        user: User name.
        password: Password.
    """

    def __init__(self, url: str, *, user: str, password: str) -> None:
        self._user = user
        self._password = password
        self._client = httpx.Client(base_url=url, timeout=30)
        self._token = ""

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _log_in(self) -> None:
        answer = self._send("POST", "/auth/token", json={"username": self._user, "password": self._password})
        if answer.is_server_error:
            raise self._unreachable(f"HTTP {answer.status_code}, {_detail(answer)}")
        if answer.status_code != httpx.codes.CREATED:
            raise ConfigurationError(
                f"Airflow at {self._client.base_url} refuses user {self._user!r} (HTTP {answer.status_code}): "
                "check TWINBENCH_AIRFLOW_USER and TWINBENCH_AIRFLOW_PASSWORD."
            )
        self._token = answer.json()["access_token"]

    def _send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
            return self._client.request(method, path, headers=headers, **arguments)
        except httpx.HTTPError as error:
            raise self._unreachable(str(error)) from error

    def _unreachable(self, reason: str) -> UnreachableError:
        where = self._client.base_url
        return UnreachableError(f"Airflow at {where} does not answer: {reason}. Is the lab up? See `twinbench status`.")

    def _ask(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Send, and a few times more if Airflow has failed and it does no harm."""
        if method not in _REPEATABLE:
            return self._ask_once(method, path, **arguments)
        return _again.copy()(self._ask_once, method, path, **arguments)

    def _ask_once(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Send with a token, and with a new one if that has expired."""
        if not self._token:
            self._log_in()
        answer = self._send(method, path, **arguments)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._log_in()
            answer = self._send(method, path, **arguments)
        return answer

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        return self._accepted(self._ask(method, path, **arguments))

    def _accepted(self, answer: httpx.Response) -> Any:
        if answer.is_server_error:
            raise self._unreachable(f"HTTP {answer.status_code}, {_detail(answer)}")
        if answer.is_error:
            asked = f"{answer.request.method} {answer.request.url.path}"
            refusals = {httpx.codes.NOT_FOUND: UnknownError, httpx.codes.CONFLICT: ConflictError}
            kind = refusals.get(httpx.codes(answer.status_code), RequestError)
            raise kind(f"Airflow refuses {asked} (HTTP {answer.status_code}): {_detail(answer)}")
        return answer.json() if answer.content else None

    def submit(self, request_uuid: str, document: dict[str, Any]) -> dict[str, Any]:
        """Start the run of a request; the run id is the request's UUID, so asking twice is refused.

        Raises:
            RequestError: If Airflow refuses the document or knows the UUID already.
        """
        path, body = (
            f"/api/v2/dags/{_DAG}/dagRuns",
            {"dag_run_id": request_uuid, "logical_date": None, "conf": document},
        )
        answer = self._ask("POST", path, json=body)
        if answer.status_code == httpx.codes.CONFLICT:
            raise ConflictError(
                f"Request {request_uuid} was submitted before: see `twinbench request show {request_uuid}`, "
                "or submit it under another UUID."
            )
        return dict(self._accepted(answer))

    def begin_campaign(self, campaign_uuid: str, document: dict[str, Any]) -> dict[str, Any]:
        """Start the run of a campaign; its run id is the campaign's UUID.

        Raises:
            ConflictError: If it has been started before.
        """
        body = {"dag_run_id": campaign_uuid, "logical_date": None, "conf": document}
        return dict(self._call("POST", f"/api/v2/dags/{_CAMPAIGN}/dagRuns", json=body))

    def run(self, run_id: str) -> dict[str, Any]:
        """One run: its state, its times."""
        return dict(self._call("GET", f"/api/v2/dags/{_DAG}/dagRuns/{run_id}"))

    def runs(self, *, limit: int = 20) -> list[dict[str, Any]]:
        """The newest runs first."""
        query = {"limit": limit, "order_by": "-run_after"}
        return list(self._call("GET", f"/api/v2/dags/{_DAG}/dagRuns", params=query)["dag_runs"])

    def tasks(self, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run: state, times, map index."""
        found = self._call("GET", f"/api/v2/dags/{_DAG}/dagRuns/{run_id}/taskInstances", params={"limit": 200})
        return list(found["task_instances"])

    def result(self, run_id: str, task_id: str, *, map_index: int = -1) -> Any:
        """What a task returned; None if it returned nothing."""
        path = f"/api/v2/dags/{_DAG}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        try:
            return self._call("GET", path, params={"map_index": map_index, "deserialize": True})["value"]
        except RequestError:
            return None

    def is_parsed(self) -> bool:
        """Whether Airflow knows the DAG already."""
        return self._ask("GET", f"/api/v2/dags/{_DAG}").status_code == httpx.codes.OK

    def cancel(self, run_id: str) -> None:
        """End a run as failed, and the rounds that it has begun; what they have stored stays."""
        self._call("PATCH", f"/api/v2/dags/{_DAG}/dagRuns/{run_id}", json={"state": "failed"})
        for round_id in self.rounds(run_id, states=["queued", "running"]):
            self._call("PATCH", f"/api/v2/dags/{_ROUNDS}/dagRuns/{round_id}", json={"state": "failed"})

    def retry(self, run_id: str, task_id: str) -> None:
        """Repeat a run from a task on, whatever became of it."""
        body = {
            "dag_run_id": run_id,
            "task_ids": [task_id],
            "include_downstream": True,
            "only_failed": False,
            "reset_dag_runs": True,
            "dry_run": False,
        }
        self._call("POST", f"/api/v2/dags/{_DAG}/clearTaskInstances", json=body)

    def replan(self, parameters: dict[str, Any]) -> str:
        """Have the lab planned again; returns the id of that run."""
        body = {"logical_date": None, "conf": parameters}
        return str(self._call("POST", f"/api/v2/dags/{_REPLAN}/dagRuns", json=body)["dag_run_id"])

    def note(self, run_id: str, line: str, *, dag: str = _DAG) -> None:
        """Add a line to the note of a run, unless it is there; what people have written stays."""
        path = f"/api/v2/dags/{dag}/dagRuns/{run_id}"
        written = self._call("GET", path)["note"] or ""
        if line not in written:
            note = f"{written}\n\n{line}".strip()[:_LONGEST_NOTE]
            self._call("PATCH", path, params={"update_mask": "note"}, json={"note": note})

    def rounds(self, run_id: str, *, states: Sequence[str] = ()) -> list[str]:
        """Ids of the rounds that a run has begun, as far as they are in one of the states if any is given."""
        query = {"run_id_prefix_pattern": f"{run_id}.", "state": list(states), "order_by": "run_after"}
        found = self._call("GET", f"/api/v2/dags/{_ROUNDS}/dagRuns", params=query)
        return [run["dag_run_id"] for run in found["dag_runs"]]


class LimsApi(AirflowApi):
    """The lab's REST interface, as a person: what is refused is told in its own words."""

    def request(self, number: str) -> dict[str, Any]:
        """One request by its number or UUID."""
        return self._told(self._ask("GET", f"{_REQUESTS}/{number}"))

    def newest(self, *, count: int = 20) -> list[dict[str, Any]]:
        """The newest requests that one may see."""
        return list(self._told(self._ask("GET", _REQUESTS, params={"per_page": count}))["items"])

    def cancel_request(self, number: str, *, reason: str = "") -> dict[str, Any]:
        """End a request, as on its page: its run, its bookings, and what a bench does for it."""
        return self._told(self._ask("POST", f"{_REQUESTS}/{number}/cancel", json={"reason": reason}))

    def _told(self, answer: httpx.Response) -> dict[str, Any]:
        if answer.is_success:
            return dict(answer.json())
        kind = _REFUSALS.get(answer.status_code, RequestError)
        raise kind(_detail(answer))


def _detail(answer: httpx.Response) -> str:
    """What Airflow says: a text, one complaint per field, or what its database refused."""
    try:
        detail = answer.json()["detail"]
        if isinstance(detail, list):
            return "; ".join(f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}" for entry in detail)
        return str(detail["reason"] if isinstance(detail, dict) else detail)
    except (ValueError, KeyError, TypeError):
        return answer.text[:500]
