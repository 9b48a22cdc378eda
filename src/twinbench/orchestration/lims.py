"""The LIMS as Airflow's API server serves it: the pages, with Airflow's login in front of them."""

from typing import Annotated, Any

from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI

from twinbench.adapters.environment import Settings
from twinbench.core.access import Person
from twinbench.orchestration.front_desk import open_front_desk
from twinbench.orchestration.people import person_of
from twinbench.web import create_app

__all__ = ["lims_app"]


async def _person(user: Annotated[Any, Depends(get_user)]) -> Person:
    return person_of(user)


def lims_app() -> FastAPI:
    """The application; the front desk is opened when the first person comes."""
    return create_app(open_front_desk, _person, time_zone=Settings.from_environment().time_zone)
