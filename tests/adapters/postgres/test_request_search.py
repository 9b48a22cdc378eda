"""Whatever somebody looks for among requests, the database finds what a plain look at every row finds."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fake_register import FakeRegister
from tests.fakes import request_document
from twinbench.adapters.postgres import Requests
from twinbench.core.access import RequestScope
from twinbench.core.request import RequestState
from twinbench.core.request_query import SORTS, RequestQuery

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ALL = RequestScope(everything=True)
PEOPLE = [("Ada Lovelace", "lab-42"), ("Émile Müller", "lab-7"), ("Perry Cell", "power"), ("42", "42")]
UUTS = ("Gen3b - Cell", "Gen3b - Pack", "Gen4 - Cell")
TESTS = [("IEC62660", "Performance - Power"), ("UN38.3", "Thermal - Thermal test"), ("IEC62660-2:2020-07", "Crush")]
STATES = [str(state) for state in RequestState]
REQUESTS = 60


def fill(register):
    for n in range(REQUESTS):
        name, identity = PEOPLE[n % 4]
        standard, test = TESTS[n * 7 % 3]
        asked = {"requester_name": name, "requester_id": identity, "uut": UUTS[n // 5 % 3], "standard": standard}
        more = {"test_name": test, "test_bench": ("Virtual", "Physical")[n % 3 == 0]}
        title = {"title": f"Trial {n} of Power"} if n % 11 == 0 else {}
        uuid, at = str(UUID(int=n)), NOON + timedelta(hours=n // 2)
        register.save(
            uuid,
            request_document(**asked, **more, **title, preferred_date=f"2026-12-{1 + n % 28:02d}T10:00:00Z"),
            folder="a folder",
            status="submitted",
            at=at,
            submitted_by=identity,
            twin=("fastest", "other")[n % 5 == 0],
        )
        register.set_status(uuid, STATES[n * 3 % 10], at=at + timedelta(minutes=n * 13 % 60))
        register.set_progress(uuid, n * 17 % 101)


@pytest.fixture
def filled(register):
    fill(register)
    return register


def numbers(page):
    return [int(row["request_number"].removeprefix("TR-")) for row in page.rows]


def find(register, **query):
    return sorted(numbers(register.page(RequestQuery(**{"scope": ALL, "per_page": 200, **query}))))


def test_the_newest_come_first_and_pages_tell_where_they_are(filled):
    page = filled.page(RequestQuery(ALL, per_page=25, page=3))

    assert numbers(page) == list(range(10, 0, -1))
    assert (page.total, page.pages, page.page) == (60, 3, 3)
    assert filled.page(RequestQuery(ALL, page=9)).rows == []


def test_a_row_has_what_a_list_shows(filled):
    (row,) = filled.page(RequestQuery(ALL, text="TR-000003")).rows

    own = {"uuid", "request_number", "title", "requester_name", "requester_id", "submitted_by", "twin", "workflow_id"}
    asked = {"uut", "use_case", "standard", "test_name", "test_bench", "preferred_date"}
    state = {"status", "simulation_progress", "failure", "created_at", "updated_at"}
    stages = ("fmu_ready", "doe_complete", "schedule_ready", "simulation_started", "simulation_complete")
    assert set(row) == own | asked | state | {f"{stage}_at" for stage in (*stages, "completed", "failed")}
    assert row["title"] == f"{row['test_name']} on {row['uut']}"


def test_counts_are_those_of_all_states_whatever_state_is_looked_at(filled):
    counts = filled.counts(ALL)
    page = filled.page(RequestQuery(ALL, states=("failed", "running")))

    assert counts == page.counts
    assert list(counts) == STATES
    assert sum(counts.values()) == REQUESTS
    assert page.total == counts["failed"] + counts["running"] == len(page.rows)


@pytest.mark.parametrize(
    "text", ["TR-000042", "tr-42", "TR 000042", "tr000042", "#42"], ids=lambda text: text.replace(" ", "_")
)
def test_a_number_is_found_however_it_is_written(filled, text):
    assert 42 in find(filled, text=text)


@pytest.mark.parametrize(
    ("text", "finds"),
    [
        ("lovelace", lambda n: n % 4 == 0),
        ("LOVE ada", lambda n: n % 4 == 0),
        ("muller", lambda n: n % 4 == 1),
        ("gen3b crush", lambda n: n // 5 % 3 < 2 and n * 7 % 3 == 2),
        ("trial", lambda n: n % 11 == 0),
        ("nowhere", lambda n: False),
        ("gen3b nowhere", lambda n: False),
        ("'; DROP TABLE", lambda n: False),
        ("\\ & | ! : *", lambda n: True),
    ],
)
def test_each_word_of_the_text_begins_a_word_of_the_request(filled, text, finds):
    assert find(filled, text=text) == [n + 1 for n in range(REQUESTS) if finds(n)]


def test_people_see_their_own_requests_and_those_of_their_twins(filled):
    own = {n + 1 for n in range(REQUESTS) if n % 4 == 1}
    of_twin = {n + 1 for n in range(REQUESTS) if n % 5 == 0}

    assert set(find(filled, scope=RequestScope(person="lab-7"))) == own
    assert set(find(filled, scope=RequestScope(twins=("other",)))) == of_twin
    assert set(find(filled, scope=RequestScope(person="lab-7", twins=("other",)))) == own | of_twin
    assert find(filled, scope=RequestScope()) == []
    assert sum(filled.counts(RequestScope(person="lab-7", twins=("other",))).values()) == len(own | of_twin)


def test_facets_are_the_values_that_somebody_may_see(filled):
    everything = filled.facets(ALL)

    assert everything["uut"] == sorted(UUTS)
    assert everything["standard"] == ["IEC62660", "IEC62660-2:2020-07", "UN38.3"]
    assert everything["use_case"] == ["Automotive"]
    assert filled.facets(RequestScope())["uut"] == []
    assert filled.facets(RequestScope(person="42"))["test_name"] == sorted({test for _, test in TESTS})
    assert filled.facets(RequestScope(twins=("no such twin",)))["test_name"] == []


SCOPES = st.sampled_from(
    [ALL, ALL, RequestScope(person="lab-7"), RequestScope(twins=("fastest",)), RequestScope(False, "42", ("other",))]
)
WORDS = ["p", "power", "cell", "gen", "gen3b", "42", "7", "TR-000007", "tr", "muller", "iec", "thermal", "zzz", "on"]
MOMENTS = st.none() | st.integers(-1, 31).map(lambda number: NOON + timedelta(hours=number))
QUERIES = st.builds(
    RequestQuery,
    scope=SCOPES,
    states=st.lists(st.sampled_from(STATES), max_size=3, unique=True).map(tuple),
    requester=st.sampled_from(["", "", "lab-42", "Perry Cell", "nobody"]),
    uut=st.sampled_from(["", "", *UUTS]),
    standard=st.sampled_from(["", "", "UN38.3", "unheard of"]),
    test_name=st.sampled_from(["", "", "Crush"]),
    test_bench=st.sampled_from(["", "", "Physical"]),
    created_from=MOMENTS,
    created_to=MOMENTS,
    text=st.lists(st.sampled_from(WORDS), max_size=3).map(" ".join),
    sort=st.sampled_from(SORTS),
    descending=st.booleans(),
    page=st.integers(1, 8),
    per_page=st.sampled_from([1, 7, 10, 50]),
)


@pytest.fixture
def both(lims):
    register, plain = Requests(lims), FakeRegister()
    fill(register)
    fill(plain)
    return register, plain


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=QUERIES)
def test_the_database_finds_what_a_plain_look_at_each_row_finds(both, query):
    found, expected = (register.page(query) for register in both)

    assert (found.total, found.counts) == (expected.total, expected.counts)
    assert [dict(row) for row in found.rows] == list(expected.rows)


def test_the_tally_follows_whatever_is_done_to_requests(lims):
    register = Requests(lims)
    fill(register)
    with lims.transaction() as cursor:
        cursor.execute("UPDATE test_requests SET status = 'planned' WHERE id % 2 = 0")
        cursor.execute("DELETE FROM test_requests WHERE id % 3 = 0")
        cursor.execute("SELECT status, count(*) FROM test_requests GROUP BY status")
        counted = {row["status"]: row["count"] for row in cursor.fetchall()}

    assert {state: number for state, number in register.counts(ALL).items() if number} == counted
    with lims.transaction() as cursor:
        cursor.execute("TRUNCATE test_requests CASCADE")
    assert set(register.counts(ALL).values()) == {0}


def test_campaigns_are_the_requests_whose_design_goes_on_in_rounds(register):
    plain, rounds = (str(UUID(int=900 + number)) for number in (1, 2))
    register.save(plain, request_document(), folder="a", status="submitted", at=NOON)
    sequential = request_document(design={"sequential": {"responses": ["discharged_Ah"]}})
    number = register.save(rounds, sequential, folder="b", status="submitted", at=NOON)

    page = register.page(RequestQuery(ALL, sequential=True))

    assert [row["request_number"] for row in page.rows] == [number]
    assert page.total == 1
