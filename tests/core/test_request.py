"""A request is checked at once and in words, knows its road, and tells the twin what D6.4 says it tells."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from twinbench.core.errors import RequestError
from twinbench.core.findings import blocking
from twinbench.core.request import (
    RequestState,
    TestRequest,
    check_applicability,
    to_twin_message,
    validate_document,
)

ANY_UUID = "c61da39a-ace5-4f92-ad76-9a64516dc84d"
PROFILE = {
    "Name": "current",
    "type": "input",
    "unit": "mA",
    "values": [{"timestamp": 0, "value": "1.0"}, {"timestamp": 1, "value": "2.0"}],
}


def test_a_good_document_has_no_findings(document, request_schema):
    full = {**document, "test_bench": "Any", "runs": 12, "seed": 7, "custom_profile": PROFILE}

    assert validate_document(document, request_schema) == []
    assert validate_document(full, request_schema) == []


@pytest.mark.parametrize(
    ("change", "where", "words"),
    [
        ({"standard": "IEC62661"}, "standard", "'IEC62661' is not one of the choices (did you mean 'IEC62660'?)"),
        ({"uut": "gen3b - cell"}, "uut", "(did you mean 'Gen3b - Cell'?)"),
        ({"runs": 0}, "runs", "0 is below 1 (give that or more)"),
        ({"runs": 201}, "runs", "201 is above 200 (give that or less)"),
        ({"runs": "six"}, "runs", "'six' is not of type integer"),
        ({"preferred_date": "tomorrow"}, "preferred_date", "'tomorrow' is no date-time (write date, time and zone"),
        ({"requester_name": ""}, "requester_name", "'' is shorter than 1 characters"),
        ({"requester_name": " "}, "requester_name", "' ' does not look as it should"),
        ({"requester_nme": "Ada"}, "requester_nme", "is no field of a request (did you mean 'requester_name'?)"),
        ({"custom_profile": "fast"}, "custom_profile", "'fast' is not of type object or null"),
        ({"custom_profile": {**PROFILE, "unit": "V"}}, "custom_profile/unit", "there are A, mA"),
        ({"custom_profile": {**PROFILE, "values": []}}, "custom_profile/values", "[] has fewer than 2 entries"),
        (
            {"custom_profile": {**PROFILE, "values": [{"timestamp": 0, "value": "fast"}, {"timestamp": 1}]}},
            "custom_profile/values/1/value",
            "is missing (A number, or a number written as text.)",
        ),
    ],
)
def test_each_mistake_is_said_where_it_is_and_with_a_remedy(document, request_schema, change, where, words):
    findings = validate_document({**document, **change}, request_schema)

    assert [finding for finding in findings if finding.where == where and words in str(finding)], findings
    assert blocking(findings) == tuple(findings)


def test_all_mistakes_are_found_at_once(request_schema):
    findings = validate_document({"runs": 0, "uut": "", "colour": "red"}, request_schema)

    assert [finding.where for finding in findings] == [
        "requester_name",
        "requester_id",
        "preferred_date",
        "use_case",
        "standard",
        "test_name",
        "colour",
        "runs",
        "uut",
    ]


def test_a_flood_of_mistakes_is_counted_not_listed(document, request_schema):
    values = [{"timestamp": -1, "value": 1}] * 500

    findings = validate_document({**document, "custom_profile": {**PROFILE, "values": values}}, request_schema)

    assert len(findings) == 21
    assert findings[-1].message == "480 more errors are not listed"


@pytest.mark.parametrize("document", [None, [], "x", 1])
def test_what_is_no_object_is_a_finding(document, request_schema):
    (finding,) = validate_document(document, request_schema)

    assert "is not of type object" in finding.message


def test_what_is_left_out_has_its_default_in_schema_and_request_alike(document, request_schema):
    request = TestRequest.from_document(document, uuid=ANY_UUID)

    for name, rules in request_schema["properties"].items():
        if "default" in rules:
            assert getattr(request, name) == rules["default"], name
    assert request.preferred_date == datetime(2026, 12, 1, 10, tzinfo=UTC)


def test_a_missing_field_is_named():
    with pytest.raises(RequestError, match="lacks requester_id, preferred_date, uut, use_case, standard, test_name"):
        TestRequest.from_document({"requester_name": "Ada"}, uuid=ANY_UUID)


@pytest.mark.parametrize("text", ["soon", "2026-12-01T10:00:00", "2026-12-01"])
def test_a_date_without_time_or_zone_is_refused(document, text):
    with pytest.raises(RequestError, match="is no moment in time: write date, time and zone"):
        TestRequest.from_document({**document, "preferred_date": text}, uuid=ANY_UUID)


def asked(document, **changes) -> TestRequest:
    return TestRequest.from_document({**document, **changes}, uuid=ANY_UUID)


def test_an_applicable_test_passes(document, catalogue):
    assert check_applicability(asked(document), catalogue) is None


def test_every_reason_why_a_test_does_not_apply_is_given_with_where_it_does(document, catalogue):
    request = asked(document, standard="IEC62619", test_name="Mechanical - Drop", uut="Gen4 - Module")

    with pytest.raises(RequestError) as error:
        check_applicability(request, catalogue)

    assert [finding.code for finding in error.value.findings] == [
        "REQUEST-USE-CASE",
        "REQUEST-LEVEL",
        "REQUEST-NOT-VIRTUAL",
    ]
    assert "it is for Stationary, Off-Road" in str(error.value)
    assert "it is done to: Cell, Pack" in str(error.value)


def test_other_standards_with_the_test_are_named(document, catalogue):
    with pytest.raises(RequestError, match=r"Other standards.*UN38\.3 \(Module, Pack; Automotive, Stationary"):
        check_applicability(asked(document, standard="IEC62619", test_name="Electrical - Overcharge"), catalogue)


def test_what_cannot_be_simulated_may_be_asked_for_physically(document, catalogue):
    crush = {"standard": "IEC62660-2:2020-07", "test_name": "Mechanical - Crush"}

    with pytest.raises(RequestError, match="cannot be simulated: ask for Physical"):
        check_applicability(asked(document, **crush), catalogue)
    assert check_applicability(asked(document, **crush, test_bench="Physical"), catalogue) is None


def test_the_twin_is_told_what_figure_2_shows(document):
    request = asked(document, custom_profile=PROFILE)

    message = to_twin_message(request, datetime(2026, 11, 20, 9, 30, tzinfo=UTC), "In Progress")

    assert message == {
        "test_name": "Performance - Capacity",
        "test_UUID": ANY_UUID,
        "test_UUT": "Gen3b - Cell",
        "test_bench": "Virtual",
        "use_case": "Automotive",
        "variables": {"test_procedures": [], "custom_profile": PROFILE, "FMU_signal_connections": []},
        "test_date": "2026-12-01 10:00:00",
        "status": {"value": "In Progress", "last_update": "2026-11-20 09:30:00"},
    }


ROAD = list(RequestState)[:8]


def test_a_request_goes_forward_one_state_at_a_time():
    assert all(here.may_become(there) for here, there in pairwise(ROAD))
    assert not any(here.may_become(there) for i, here in enumerate(ROAD) for there in ROAD[i + 2 :])


def test_a_cleared_request_goes_back_and_a_failed_one_resumes():
    assert RequestState.COMPLETED.may_become(RequestState.DESIGNED)
    assert all(state.may_become(RequestState.FAILED) for state in ROAD)
    assert all(RequestState.FAILED.may_become(state) for state in ROAD)


def test_cancelling_is_for_good_and_not_for_what_is_completed():
    assert not any(RequestState.CANCELLED.may_become(state) for state in [*ROAD, RequestState.FAILED])
    assert RequestState.RUNNING.may_become(RequestState.CANCELLED)
    assert RequestState.FAILED.may_become(RequestState.CANCELLED)
    assert not RequestState.COMPLETED.may_become(RequestState.CANCELLED)
