"""Roles have in Airflow what their work needs and no more."""

import json

import pytest

from twinbench.core.errors import ConfigurationError
from twinbench.orchestration.accounts import SERVICE, Account, rights_of

PEOPLE = ("Requester", "Partner of fastest", "Operator", "Lab manager")


@pytest.mark.parametrize("role", ["Requester", "Partner of fastest"])
def test_guests_see_the_lab_s_pages_and_no_dag(role):
    rights = rights_of(role)

    assert {("can_read", "Website"), ("can_read", "Plugins")} <= rights
    assert not {resource for _, resource in rights if "DAG" in resource or "Task" in resource}


def test_operators_start_end_and_clear_runs():
    assert {
        ("can_create", "DAG Runs"),
        ("can_edit", "DAG Runs"),
        ("can_edit", "Task Instances"),
        ("can_edit", "DAGs"),
    } <= rights_of("Operator")


def test_lab_managers_may_do_what_operators_may_and_read_the_audit_log():
    assert rights_of("Lab manager") - rights_of("Operator") == {
        ("can_read", "Audit Logs"),
        ("menu_access", "Audit Logs"),
    }


@pytest.mark.parametrize("role", [*PEOPLE, SERVICE])
def test_nobody_but_an_administrator_touches_connections_variables_or_users(role):
    closed = {"Connections", "Variables", "Configurations", "Users", "Roles", "Passwords", "Providers"}

    assert not closed & {resource for _, resource in rights_of(role)}
    assert not {resource for action, resource in rights_of(role) if action == "can_delete"}


def test_the_lab_s_programs_reach_their_own_dags_only():
    dags = {resource for _, resource in rights_of(SERVICE) if resource == "DAGs" or resource.startswith("DAG:")}

    own = ("carry_out_request", "carry_out_round", "receive_models", "replan_lab", "run_campaign")
    assert dags == {f"DAG:{dag}" for dag in own}


def test_a_role_that_does_not_exist_is_named():
    with pytest.raises(ConfigurationError, match=r"no role 'Chief'.*Requester, Operator, Lab manager"):
        rights_of("Chief")


def test_accounts_are_read_from_a_file(tmp_path):
    file = tmp_path / "accounts.json"
    file.write_text(json.dumps({"otto": {"password": "x", "roles": ["Operator"], "title": "Otto Operator"}}))

    assert Account.read(file) == [Account("otto", "x", ("Operator",), "Otto Operator")]
