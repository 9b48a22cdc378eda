"""A lab of fakes in which a request is registered, opened by whatever task asks for the lab."""

import pytest

from tests.fakes import REQUEST_UUID, make_lab, request_document
from twinbench.orchestration import opening
from twinbench.workflow.intake import register


@pytest.fixture
def fake(tmp_path, monkeypatch):
    fake = make_lab(tmp_path)
    register(fake.lab, REQUEST_UUID, request_document(), REQUEST_UUID)
    monkeypatch.setattr(opening, "open_lab", lambda: fake.lab)
    return fake
