"""A campaign's page tells its goal, what each round has taught, what is best so far, and what follows and why."""

import pytest

from tests.fake_desk import ADA, BOB, OTTO, STRANGER_TWIN, TWIN, carry_out
from tests.fakes import request_document
from tests.web.markup import assert_sound
from twinbench.workflow.requesting import submit
from twinbench.workflow.rounds import learn

CAPACITY = {"standard": "IEC62660", "test_name": "Performance - Capacity"}
RULES = {"responses": ["discharged_Ah"], "initial": 6, "batch": 2, "budget": 8, "error_pct": 0.01}


@pytest.fixture
def begin(lab):
    """Asks for a campaign and has it planned; returns its submission."""

    def begin(**rules):
        desk, fake = lab
        made = submit(desk, ADA, request_document(**CAPACITY, design={"sequential": {**RULES, **rules}}))
        carry_out(desk, fake, made.uuid, until="planned")
        return made

    return begin


@pytest.fixture
def judge(lab):
    """Makes up the results of all runs designed so far, and has it decided what follows."""

    def judge(made, number):
        desk, fake = lab
        area, figures = fake.lab.area(made.uuid), []
        for run in area.read_json("doe-output/design.json")["runs"]:
            summary = {"run": run["run"], "status": "completed", "bench": "virtual-1", "kind": "virtual"}
            area.write_json(f"results/run-{run['run']:04d}.json", summary)
            levels = run["levels"]
            value = 5 - 0.3 * levels["discharge_c_rate"] ** 1.5 + 0.01 * levels["temperature_degC"]
            figures.append({"run": run["run"], "discharged_Ah": value})
        area.write_json("results/evaluation.json", {"findings": [], "runs": figures})
        learn(desk.lab, made.uuid, number)
        return figures

    return judge


def test_before_anything_is_learnt_the_first_runs_stand_there_with_the_reason(shown, begin):
    made = begin()

    words = shown(f"/campaigns/{made.number}").words

    assert "Know discharged_Ah everywhere in the region" in words
    assert "when the error is below 0.01 % of the range, or after 8 runs at the latest" in words
    assert "0 of 8 runs" in words
    assert "Nothing learnt yet" in words
    assert "nothing has been learnt yet" in words


def test_what_each_round_has_taught_and_what_follows_is_told(shown, as_, begin, judge):
    made = begin()
    judge(made, 1)

    read = shown(f"/campaigns/{made.number}")

    assert "Goes on after 6 runs" in read.words
    assert "6 of 8 runs" in read.words
    assert read.all("a", href=f"/lims/requests/{made.number}/runs/8")
    assert any((one.get("class") or "").startswith("dot") for one in read.all("circle"))
    told = as_(OTTO)("GET", f"/api/v1/campaigns/{made.number}").json()
    assert (told["next_runs"], told["runs_done"], told["is_over"]) == ([7, 8], 6, False)
    assert told["why_next"] == told["rounds"][0]["decision"]
    assert told["rounds"][0]["learnt"]["discharged_Ah"]["error_pct"] > 0.01


def test_what_is_over_has_nothing_next_and_says_why_it_ended(shown, as_, begin, judge):
    made = begin()
    judge(made, 1)
    judge(made, 2)

    words = shown(f"/campaigns/{made.number}").words

    assert "Nothing follows: The budget of 8 runs is spent" in words
    assert "Ended it" in words
    (told,) = as_(OTTO)("GET", "/api/v1/campaigns").json()
    assert (told["is_over"], told["next_runs"], len(told["rounds"])) == (True, [], 2)


@pytest.mark.parametrize(("aim", "pick"), [("maximise", max), ("minimise", min)])
def test_where_the_best_is_sought_the_best_run_so_far_is_told(shown, as_, begin, judge, aim, pick):
    made = begin(aim=aim)
    figures = judge(made, 1)

    best = pick(figures, key=lambda one: one["discharged_Ah"])["run"]
    assert f"Best so far: run {best} ," in shown(f"/campaigns/{made.number}").words.replace(
        f"run {best},", f"run {best} ,"
    )
    assert as_(OTTO)("GET", f"/api/v1/campaigns/{made.number}").json()["best"]["run"] == best


def test_the_list_leads_to_it_and_it_to_its_request(shown, begin):
    made = begin()

    assert shown("/campaigns").all("a", href=f"/lims/campaigns/{made.number}")
    assert shown(f"/campaigns/{made.number}").all("a", href=f"/lims/requests/{made.number}")
    assert shown(f"/requests/{made.number}").all("a", href=f"/lims/campaigns/{made.number}")
    assert shown(f"/campaigns/{made.number}/part/rounds", whole=False).ids[0] == "campaign"


def test_before_its_design_is_made_the_page_says_so(shown, desk):
    made = submit(desk, ADA, request_document(**CAPACITY, design={"sequential": RULES}))

    words = shown(f"/campaigns/{made.number}").words

    assert "No rounds yet" in words
    assert "0 of 8 runs" in words


@pytest.mark.parametrize("person", [ADA, TWIN], ids=lambda one: one.id)
def test_its_requester_and_its_twin_see_it(shown, begin, person):
    assert shown(f"/campaigns/{begin().number}", person).text_of("h1")


@pytest.mark.parametrize("person", [BOB, STRANGER_TWIN], ids=lambda one: one.id)
def test_for_others_there_is_none(page, as_, begin, person):
    number = begin().number

    for path in (f"/campaigns/{number}", f"/campaigns/{number}/part/rounds"):
        assert page(person)("GET", path).status_code == 404
    assert as_(person)("GET", f"/api/v1/campaigns/{number}").status_code == 404
    assert as_(person)("GET", "/api/v1/campaigns").json() == []


def test_a_request_without_rounds_is_no_campaign(page, desk):
    made = submit(desk, ADA, request_document())

    answer = page(ADA)("GET", f"/campaigns/{made.number}")

    assert answer.status_code == 404
    assert "its design was made as a whole" in assert_sound(answer.text).words
