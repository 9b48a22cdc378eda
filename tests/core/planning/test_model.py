"""The document of a lab is read as it is, or refused naming the job or bench at fault."""

import pytest

from twinbench.core.errors import PlanError
from twinbench.core.planning.model import Job, Mode, Resource, jobs_from_document, resources_from_document

JOB = {"name": "a", "modes": [{"bench": "b1", "duration_min": 30}]}


def test_jobs_are_read():
    document = {"jobs": [JOB, {**JOB, "name": "b", "release_min": 60}]}

    assert jobs_from_document(document) == (Job("a", (Mode("b1", 30),)), Job("b", (Mode("b1", 30),), 60))


def test_benches_are_optional():
    assert resources_from_document({"jobs": []}) == ()
    assert resources_from_document({"benches": [{"name": "b1", "setup_min": 5}]}) == (Resource("b1", 5, 0),)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "The lab has jobs None: give a list"),
        ([], "The lab has jobs None: give a list"),
        ({"jobs": [3]}, "Job 1 has name None: give a name"),
        ({"jobs": [{"name": ""}]}, "Job 1 has name '': give a name"),
        ({"jobs": [{"name": "a"}]}, "Job a has modes None: give a list"),
        ({"jobs": [{"name": "a", "modes": [{}]}]}, "A mode of job a has bench None"),
        ({"jobs": [{"name": "a", "modes": [{"bench": "b1"}]}]}, "Job a has duration_min None: give whole minutes"),
        ({"jobs": [{**JOB, "release_min": 1.5}]}, "Job a has release_min 1.5: give whole minutes"),
        ({"jobs": [{**JOB, "release_min": True}]}, "Job a has release_min True"),
    ],
)
def test_a_wrong_job_is_named(document, message):
    with pytest.raises(PlanError, match=message):
        jobs_from_document(document)


def test_a_wrong_bench_is_named():
    with pytest.raises(PlanError, match="Bench b1 has setup_min 'long': give whole minutes"):
        resources_from_document({"benches": [{"name": "b1", "setup_min": "long"}]})
