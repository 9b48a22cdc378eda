"""The shipped catalogue and request schema, and a request that keeps to them."""

import csv
import json
from pathlib import Path

import pytest

from twinbench.core.catalogue import Catalogue

INCLUDE = Path(__file__).resolve().parents[2] / "include"


@pytest.fixture(scope="session")
def catalogue_documents() -> dict:
    folder = INCLUDE / "catalogue"
    lists = ("uuts", "use_cases", "standards", "benches")
    documents = {name: json.loads((folder / f"{name}.json").read_text()) for name in lists}
    return {**documents, "tests": list(csv.DictReader((folder / "tests.csv").read_text().splitlines()))}


@pytest.fixture(scope="session")
def catalogue(catalogue_documents) -> Catalogue:
    return Catalogue.from_documents(**catalogue_documents)


@pytest.fixture(scope="session")
def request_schema() -> dict:
    return json.loads((INCLUDE / "schemas" / "test_request.schema.json").read_text())


@pytest.fixture
def document() -> dict:
    return {
        "requester_name": "Ada Lovelace",
        "requester_id": "lab-42",
        "preferred_date": "2026-12-01T11:00:00+01:00",
        "uut": "Gen3b - Cell",
        "use_case": "Automotive",
        "standard": "IEC62660",
        "test_name": "Performance - Capacity",
    }
