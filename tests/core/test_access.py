"""Roles decide what somebody may see and do, for themselves, for their twin and for the lab."""

import pytest

from twinbench.core.access import Action, Person, RequestScope, Role
from twinbench.core.errors import ForbiddenError

OF_ADA = {"submitted_by": "ada", "twin": "fastest"}
OF_BOB = {"submitted_by": "bob", "twin": "other"}
LAB = (Role.OPERATOR, Role.LAB_MANAGER, Role.ADMIN)


def person(*roles, id="ada", twins=()):
    return Person(id, "Ada Lovelace", frozenset(roles), frozenset(twins))


def test_requesters_see_and_cancel_their_own_requests_and_submit_others():
    ada = person(Role.REQUESTER)

    assert ada.scope == RequestScope(person="ada")
    assert (ada.sees(OF_ADA), ada.sees(OF_BOB)) == (True, False)
    assert ada.may(Action.SUBMIT)
    assert (ada.may(Action.CANCEL, OF_ADA), ada.may(Action.CANCEL, OF_BOB)) == (True, False)
    assert not ada.may(Action.RETRY, OF_ADA)
    assert not ada.works_in_the_lab


def test_partners_see_the_requests_of_their_twins_and_change_none():
    partner = person(Role.PARTNER, id="eve", twins=["other", "another"])

    assert partner.scope == RequestScope(twins=("another", "other"))
    assert (partner.sees(OF_ADA), partner.sees(OF_BOB)) == (False, True)
    assert not any(partner.may(action, OF_BOB) for action in Action)


def test_who_has_two_roles_may_what_either_may():
    both = person(Role.REQUESTER, Role.PARTNER, twins=["other"])

    assert both.scope == RequestScope(person="ada", twins=("other",))
    assert both.sees(OF_ADA)
    assert both.sees(OF_BOB)
    assert not both.may(Action.CANCEL, OF_BOB)


@pytest.mark.parametrize("role", LAB)
def test_the_lab_sees_everything_and_sees_to_requests_and_benches(role):
    somebody = person(role, id="op")

    assert somebody.scope == RequestScope(everything=True)
    assert somebody.works_in_the_lab
    for action in (Action.SUBMIT, Action.CANCEL, Action.RETRY):
        assert somebody.may(action, OF_BOB)
    assert somebody.may(Action.CLOSE_BENCH)
    assert somebody.may(Action.READ_AUDIT)


@pytest.mark.parametrize("action", [Action.KEEP_CATALOGUE, Action.KEEP_INVENTORY])
def test_only_managers_keep_catalogue_and_inventory(action):
    allowed = {role for role in Role if person(role).may(action)}

    assert allowed == {Role.LAB_MANAGER, Role.ADMIN}


def test_who_has_no_role_sees_and_may_nothing():
    nobody = person()

    assert nobody.scope == RequestScope()
    assert not nobody.sees(OF_ADA)
    assert not any(nobody.may(action) for action in Action)


def test_twins_mean_nothing_without_the_role_of_a_partner():
    assert not person(Role.REQUESTER, id="eve", twins=["other"]).sees(OF_BOB)


def test_a_request_without_submitter_or_twin_is_nobodys_own():
    assert not RequestScope().covers({"submitted_by": "", "twin": ""})
    assert not RequestScope(person="ada", twins=("other",)).covers({})


def test_a_refusal_names_the_person_the_deed_and_who_may():
    with pytest.raises(ForbiddenError, match=r"Ada Lovelace may not change the catalogue: ask .* admin, lab manager\."):
        person(Role.OPERATOR).require(Action.KEEP_CATALOGUE)
    person(Role.ADMIN).require(Action.KEEP_CATALOGUE)
