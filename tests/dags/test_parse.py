"""DAG files are parsed all the time: parsing them is cheap, they are short, and their tasks are as documented."""

import inspect
import json
import runpy
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from airflow.sdk import DAG

from twinbench.orchestration.steps import Step
from twinbench.orchestration.task_docs import TASKS

PROJECT = Path(__file__).resolve().parents[2]
DAGS = sorted((PROJECT / "dags").glob("*.py"))
HEAVY = [
    "numpy",
    "pandas",
    "pyarrow",
    "fmpy",
    "numba",
    "ortools",
    "pyDOE3",
    "scipy",
    "great_expectations",
    "matplotlib",
]
HEAVY += ["jsonschema", "paho", "asyncssh", "psycopg2", "airflow.providers.sftp", "fastapi"]

_MEASURE = """
import json, runpy, sys, time
import airflow.sdk
before = set(sys.modules)
begin = time.process_time()
for path in sys.argv[1:]:
    runpy.run_path(path)
print(json.dumps({"seconds": time.process_time() - begin, "modules": sorted(set(sys.modules) - before)}))
"""


@cache
def parse(attempt=0):
    """Parse all DAG files in a fresh interpreter; returns what they cost beyond ``import airflow.sdk``."""
    done = subprocess.run([sys.executable, "-c", _MEASURE, *map(str, DAGS)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.thorough
def test_parsing_them_all_imports_nothing_heavy_and_costs_less_than_a_tenth_of_a_second_beyond_the_sdk():
    imported = parse()["modules"]

    # CPU time, and another two tries, so that a busy machine does not decide
    assert any(parse(attempt)["seconds"] < 0.1 for attempt in range(3))
    assert [
        module for module in imported if any(module == name or module.startswith(f"{name}.") for name in HEAVY)
    ] == []


@pytest.mark.parametrize("path", DAGS, ids=lambda path: path.stem)
def test_a_dag_file_is_a_page(path):
    assert len(path.read_text().splitlines()) <= 60


def load_dags():
    return [value for path in DAGS for value in runpy.run_path(str(path)).values() if isinstance(value, DAG)]


def test_the_tasks_are_those_of_the_design_in_that_order():
    (dag,) = [dag for dag in load_dags() if dag.dag_id == "carry_out_request"]

    order = [task.task_id for task in dag.topological_sort()]
    flow = ["register", "forward_to_twin", "await_bundle", "stage_bundle", "design_runs", "plan_benches"]
    flow += ["run_virtual", "check_results", "next_round", "report", "close"]
    assert [task for task in order if task in flow] == flow
    assert dag.get_task("run_physical").downstream_task_ids == {"check_results"}


def test_a_physical_bench_begins_only_after_the_approval():
    for dag in load_dags():
        if "run_physical" in dag.task_ids:
            assert dag.get_task("approve_abuse").downstream_task_ids == {"run_physical"}
            assert dag.get_task("run_physical").upstream_task_ids == {"assign_physical", "approve_abuse"}


def test_every_task_tells_operators_what_it_does_and_who_owns_it():
    tasks = [task for dag in load_dags() for task in dag.tasks]

    assert {task.task_id for task in tasks} == set(TASKS)
    assert [task.task_id for task in tasks if task.doc_md != TASKS[task.task_id]] == []
    assert {task.owner for task in tasks} == {"lab"}


def test_every_task_is_in_the_documentation():
    text = (PROJECT / "docs" / "dags.md").read_text()

    assert [name for name in TASKS if f"`{name}`" not in text] == []


def test_a_round_is_carried_out_by_the_same_tasks_as_a_request():
    dags = {dag.dag_id: dag for dag in load_dags()}
    request, a_round = dags["carry_out_request"], dags["carry_out_round"]

    assert set(a_round.task_ids) < set(request.task_ids)
    assert all(type(a_round.get_task(name)) is type(request.get_task(name)) for name in a_round.task_ids)
    assert a_round.get_task("next_round").downstream_task_ids == set()


def test_every_step_names_a_use_case_that_exists():
    steps = [task for dag in load_dags() for task in dag.tasks if isinstance(task, Step)]

    assert len(steps) >= 10
    assert all(inspect.isfunction(step.find()) for step in steps)


@pytest.mark.thorough
def test_tasks_that_compute_nothing_begin_without_scipy():
    """Each task is a process of its own, which a second's import would hold up."""
    steps = ("intake", "design", "planning", "virtual_bench", "reporting")
    code = f"import sys; from twinbench.workflow import {', '.join(steps)}; print('scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
