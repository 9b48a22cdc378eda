"""Tasks lead to the request's page and its results before they have run, also those of a round."""

import copy
import runpy
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow import plugins_manager
from airflow.serialization.serialized_objects import DagSerialization

from tests.fakes import REQUEST_UUID
from twinbench.orchestration.links import extra_links

DAGS = Path(__file__).resolve().parents[2] / "dags"
PAGE = f"/lims/requests/by-run/{REQUEST_UUID}"


@cache
def serialised(dag_id):
    return DagSerialization.to_dict(runpy.run_path(str(DAGS / f"{dag_id}.py"))["dag"])


@pytest.fixture
def links_of(monkeypatch):
    """What the API server, which knows the DAG from its database and the links from the plugin, shows of a task."""
    monkeypatch.setattr(plugins_manager, "get_operator_extra_links", extra_links)
    monkeypatch.setattr(plugins_manager, "get_global_operator_extra_links", list)

    def links_of(dag_id, task_id, run_id):
        task = DagSerialization.from_dict(copy.deepcopy(serialised(dag_id))).get_task(task_id)
        instance = SimpleNamespace(key=SimpleNamespace(run_id=run_id, task_id=task_id))
        return {name: link for name in task.extra_links if (link := task.get_extra_links(instance, name))}

    return links_of


@pytest.mark.parametrize("task", ["register", "await_bundle", "design_runs", "approve_abuse", "next_round"])
def test_a_task_leads_to_its_request(links_of, task):
    assert links_of("carry_out_request", task, REQUEST_UUID) == {"Test request": PAGE}


@pytest.mark.parametrize("task", ["run_virtual", "run_physical", "report"])
def test_what_makes_results_leads_to_them(links_of, task):
    links = {"Test request": PAGE, "Results": f"{PAGE}#report"}

    assert links_of("carry_out_request", task, REQUEST_UUID) == links


def test_a_round_leads_to_the_request_it_belongs_to(links_of):
    assert links_of("carry_out_round", "run_virtual", f"{REQUEST_UUID}.round-02")["Test request"] == PAGE


def test_an_airflow_below_a_path_keeps_it(links_of, monkeypatch):
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://lab.example/airflow/")

    assert links_of("carry_out_request", "register", REQUEST_UUID) == {"Test request": f"/airflow{PAGE}"}


def test_what_is_of_no_request_has_no_links(links_of):
    assert links_of("replan_lab", "replan", "scheduled__2026-11-20") == {}
