"""The catalogue and the units under test that the lab has: look, switch entries on and off, keep the inventory."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from twinbench.web.visitor import Desk, Who
from twinbench.web.words import Words
from twinbench.workflow.catalogue_keeping import keep_unit, offered_tests, switch_entry

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["catalogue"])

_Choice = Annotated[str, Query(max_length=100)]


class Kind(StrEnum):
    """What the catalogue has entries of."""

    UUTS = "uuts"
    USE_CASES = "use_cases"
    STANDARDS = "standards"
    TEST_NAMES = "test_names"


class Switch(BaseModel):
    """Whether an entry may be chosen in new requests."""

    is_active: bool


class Unit(BaseModel):
    """A unit under test that the lab has."""

    uut: Words = Field(max_length=100, examples=["Gen3b - Cell"])
    chemistry: Words = Field("", max_length=100)
    state: Words = Field("available", max_length=40)
    location: Words = Field("", max_length=200)
    notes: Words = Field("", max_length=2_000)


@router.get("/catalogue")
def show_catalogue(desk: Desk) -> dict[str, list[dict[str, Any]]]:
    """All entries, those that are switched off as well."""
    return {kind.value: desk.catalogue.entries(kind.value) for kind in Kind}


@router.get("/catalogue/tests")
def applicable_tests(desk: Desk, uut: _Choice, use_case: _Choice, standard: _Choice) -> list[dict[str, Any]]:
    """The tests that apply to a unit, a use case and a standard, with their factors."""
    return offered_tests(desk, uut=uut, use_case=use_case, standard=standard)


@router.patch("/catalogue/{kind}/{code:path}")
def switch(desk: Desk, who: Who, kind: Kind, code: Annotated[str, Path(max_length=200)], to: Switch) -> Switch:
    """Switch an entry on or off for new requests."""
    switch_entry(desk, who, kind.value, code, active=to.is_active)
    return to


@router.get("/units")
def list_units(
    desk: Desk, text: Annotated[str, Query(max_length=100)] = "", state: Annotated[str, Query(max_length=40)] = ""
) -> list[dict[str, Any]]:
    """The inventory of units under test."""
    return desk.inventory.units(text=text, state=state)


@router.put("/units/{serial:path}")
def save_unit(desk: Desk, who: Who, serial: Annotated[str, Path(max_length=100)], unit: Unit) -> dict[str, Any]:
    """Add a unit to the inventory, or change the one with this serial number."""
    return keep_unit(desk, who, {"serial": serial, **unit.model_dump()})
