"""The parameters of ``carry_out_request``: the request's JSON Schema, property by property.

Airflow's form, its REST API, our command line and our pages therefore refuse the same input with the same schema.
"""

from __future__ import annotations

import json

from airflow.sdk import Param

from twinbench.adapters.environment import Settings

__all__ = ["params_of", "request_params"]


def request_params() -> dict[str, Param]:
    """One Airflow parameter per property of the request; those without a default must be given."""
    return params_of("test_request")


def params_of(document: str) -> dict[str, Param]:
    """Likewise for the properties of another kind of document."""
    schema = Settings.from_environment().include / "schemas" / f"{document}.schema.json"
    properties = json.loads(schema.read_text())["properties"]
    return {name: _param(dict(schema)) for name, schema in properties.items()}


def _param(schema: dict[str, object]) -> Param:
    description = str(schema.pop("description", ""))
    if "default" in schema:
        return Param(schema.pop("default"), description=description, schema=schema)
    return Param(description=description, schema=schema)
