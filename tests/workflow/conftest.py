"""A lab of fakes, empty or brought up to a stage of a request."""

from functools import partial

import pytest

from tests.fakes import REQUEST_UUID, FakeLab, make_lab, request_document
from twinbench.workflow.design import design_runs
from twinbench.workflow.intake import register, stage_bundle
from twinbench.workflow.planning import plan_benches


@pytest.fixture
def fake(tmp_path) -> FakeLab:
    return make_lab(tmp_path / "storage")


def bring_to_plan(fake, **changes):
    """Bring a request up to its plan; returns the area."""
    register(fake.lab, REQUEST_UUID, request_document(**changes), "a run id")
    fake.drop_bundle()
    stage_bundle(fake.lab, REQUEST_UUID)
    design_runs(fake.lab, REQUEST_UUID)
    plan_benches(fake.lab, REQUEST_UUID)
    return fake.lab.area(REQUEST_UUID)


@pytest.fixture
def planned(fake):
    """Brings a request up to its plan; returns the area."""
    return partial(bring_to_plan, fake)
