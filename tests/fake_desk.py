"""The front desk without a lab behind it: tables in memory, an Airflow that carries requests out when it is told to."""

import asyncio
from dataclasses import dataclass, field

from tests.fake_records import FakeBenchPast, FakeTwinBooks
from tests.fake_register import FakeAuditLog, FakeCatalogueTables, FakeInventory
from tests.fakes import make_lab
from twinbench.core.access import Person, Role
from twinbench.core.errors import ConflictError, UnknownError, UnreachableError
from twinbench.core.request import RequestState
from twinbench.workflow.front_desk import FrontDesk

ADA = Person("ada", "Ada Lovelace", frozenset({Role.REQUESTER}))
BOB = Person("bob", "Bob Newton", frozenset({Role.REQUESTER}))
OTTO = Person("otto", "Otto Hahn", frozenset({Role.OPERATOR}))
MARIE = Person("marie", "Marie Curie", frozenset({Role.LAB_MANAGER}))
TWIN = Person("tess", "Tess Twin", frozenset({Role.PARTNER}), frozenset({"fastest"}))
STRANGER_TWIN = Person("stan", "Stan Twin", frozenset({Role.PARTNER}), frozenset({"other"}))
ROOT = Person("root", "Root", frozenset({Role.ADMIN}))
NOBODY = Person("nobody", "Nobody", frozenset())
PEOPLE = {one.id: one for one in (ADA, BOB, OTTO, MARIE, TWIN, STRANGER_TWIN, ROOT, NOBODY)}


class FakeAirflow:
    """Runs by their id; what it was asked for."""

    def __init__(self):
        self.runs, self.asked, self.is_away = {}, [], False

    def submit(self, request_uuid, document):
        if self.is_away:
            raise UnreachableError("Airflow does not answer: see `twinbench status`.")
        if request_uuid in self.runs:
            raise ConflictError(f"Request {request_uuid} was submitted before.")
        self.runs[request_uuid] = document
        return {"dag_run_id": request_uuid}

    def cancel(self, run_id):
        self._known(run_id)
        self.asked.append(("cancel", run_id))

    def retry(self, run_id, task_id):
        self._known(run_id)
        self.asked.append(("retry", run_id, task_id))

    def replan(self, parameters):
        self.asked.append(("replan", parameters))
        return "manual__replan"

    def _known(self, run_id):
        if run_id not in self.runs:
            raise UnknownError(f"Airflow has no run {run_id}.")


@dataclass
class FakeLive:
    """What happens is put here."""

    states: dict = field(default_factory=dict)
    messages: dict = field(default_factory=dict)
    rows: dict = field(default_factory=dict)
    news: list = field(default_factory=list)

    async def changes(self):
        for one in self.news:
            yield one
        while True:
            await asyncio.sleep(0.01)
            yield ""

    def version(self):
        self.asked = getattr(self, "asked", 0) + 1  # whoever asks is told anew
        return self.asked

    def connected(self):
        return {"database": True, "broker": False}

    def bench_states(self):
        return self.states

    def bench_messages(self, bench):
        return self.messages.get(bench, [])

    def readings(self, request_uuid):
        return self.rows.get(request_uuid, {})


def make_desk(folder):
    """A front desk and the fake lab behind it."""
    fake = make_lab(folder)
    lab = fake.lab
    desk = FrontDesk(
        lab=lab,
        register=fake.requests,
        catalogue=FakeCatalogueTables(lab.catalogue),
        inventory=FakeInventory(lab.catalogue),
        past=FakeBenchPast(fake.bookings),
        twins=FakeTwinBooks(fake.requests),
        audit=FakeAuditLog(),
        airflow=FakeAirflow(),
        live=FakeLive(),
        airflow_url="http://airflow.example",
    )
    return desk, fake


def carry_out(desk, fake, request_uuid, *, until=RequestState.COMPLETED):
    """Let a request come as far as its plan or its report."""
    from twinbench.workflow import design, evaluation, intake, planning, reporting, virtual_bench

    lab = desk.lab
    intake.register(lab, request_uuid, desk.register.get(request_uuid)["document"], request_uuid)
    fake.drop_bundle(request_uuid)
    intake.stage_bundle(lab, request_uuid)
    design.design_runs(lab, request_uuid)
    planning.plan_benches(lab, request_uuid)
    if until == RequestState.PLANNED:
        return
    for assignment in planning.virtual_assignments(lab, request_uuid):
        virtual_bench.run_virtual(lab, request_uuid, assignment)
    evaluation.check_results(lab, request_uuid)
    reporting.report(lab, request_uuid)
    reporting.close(lab, request_uuid)
