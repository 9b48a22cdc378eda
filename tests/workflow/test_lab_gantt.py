"""The lab's timetable as a picture that stands alone."""

from xml.etree import ElementTree

import pytest

from twinbench.core.planning.problem import Bench, Job, Mode, Problem
from twinbench.core.planning.solve import solve
from twinbench.workflow.rendering.lab_gantt import lab_gantt_svg


def picture(problem):
    svg = lab_gantt_svg(problem, solve(problem, time_limit_s=2))
    return svg, ElementTree.fromstring(svg)


def texts(root):
    return [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.fixture
def problem():
    jobs = (Job("capacity", (Mode("cycler-1", 300, 30, 20),)), Job("resistance", (Mode("cycler-2", 240),)))
    return Problem(jobs, (Bench("cycler-1", closed=((0, 60),)), Bench("cycler-2"), Bench("idle")))


def test_each_bench_with_tests_is_a_row_and_each_long_test_has_its_name(problem):
    _, root = picture(problem)

    assert {"cycler-1", "cycler-2", "capacity", "resistance"} <= set(texts(root))
    assert "idle" not in texts(root)


def test_it_says_what_it_shows_to_whoever_cannot_see_it(problem):
    _, root = picture(problem)

    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == "Bench plan of 2 tests on 2 benches"


def test_hours_become_days_when_the_plan_is_long():
    def axis(duration_min):
        return texts(picture(Problem((Job("ageing", (Mode("cycler-1", duration_min),)),), (Bench("cycler-1"),)))[1])

    assert "time after the plan's origin [h]" in axis(600)
    assert "time after the plan's origin [d]" in axis(14_400)


def test_what_is_late_is_drawn_in_red(problem):
    punctual, _ = picture(problem)
    late_job = Job("capacity", (Mode("cycler-1", 300, 30, 20),), due_min=100)
    late, _ = picture(Problem((late_job, problem.jobs[1]), problem.benches))

    assert late.count("var(--series-2)") > punctual.count("var(--series-2)")


def test_it_says_what_the_colours_mean_that_there_are(problem):
    plain = Problem((Job("a", (Mode("cycler-1", 60),)),), (Bench("cycler-1"),))
    late = Problem((Job("a", (Mode("cycler-1", 60),), due_min=10),), (Bench("cycler-1"),))

    said = {"test", "test that is late", "set-up, waiting, teardown", "bench out of service"}

    assert said & set(texts(picture(plain)[1])) == {"test"}
    assert said & set(texts(picture(late)[1])) == {"test that is late"}
    assert said & set(texts(picture(problem)[1])) == said - {"test that is late"}


def test_names_are_text_and_never_markup():
    name = "<script>alert(1)</script>"

    svg, root = picture(Problem((Job(name, (Mode("a & b", 600),)),), (Bench("a & b"),)))

    assert "<script" not in svg
    assert "a & b" in texts(root)
