"""The real ones and the fakes, for tests that both have to pass."""

import pytest

from tests.fake_register import FakeAuditLog, FakeCatalogueTables, FakeInventory, FakeRegister
from tests.fakes import INCLUDE
from twinbench.adapters.postgres import AuditLog, CatalogueTables, Inventory, Requests
from twinbench.orchestration.opening import read_catalogue


@pytest.fixture(scope="session")
def catalogue():
    return read_catalogue(INCLUDE)


@pytest.fixture(params=[pytest.param("postgres", marks=pytest.mark.stack), "fake"])
def is_fake(request):
    return request.param == "fake"


@pytest.fixture
def database(request, is_fake):
    """The LIMS database, unless a fake is under test."""
    return None if is_fake else request.getfixturevalue("lims")


@pytest.fixture
def register(database):
    return Requests(database) if database else FakeRegister()


@pytest.fixture
def audit(database):
    return AuditLog(database) if database else FakeAuditLog()


@pytest.fixture
def tables(database):
    return CatalogueTables(database) if database else FakeCatalogueTables()


@pytest.fixture
def inventory(database, catalogue):
    if not database:
        return FakeInventory(catalogue)
    CatalogueTables(database).load(catalogue)
    return Inventory(database)
