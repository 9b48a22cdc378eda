"""Results of a request: its runs, their figures and signals, as JSON, CSV and Parquet."""

import io
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from twinbench.core.errors import UnknownError
from twinbench.web.api.requests import Number
from twinbench.web.downloads import CSV, attachment
from twinbench.web.spreadsheet import as_csv
from twinbench.web.visitor import Desk, Who
from twinbench.workflow.request_file import RequestFile, open_file
from twinbench.workflow.requesting import find_request
from twinbench.workflow.results import result_name
from twinbench.workflow.run_file import open_run, raw_file
from twinbench.workflow.trends import trend

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/requests/{number}", tags=["results"])

Run = Annotated[int, Path(ge=1, le=100_000)]


class Form(StrEnum):
    """How a table is sent."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


_MEDIA = {Form.CSV: CSV, Form.PARQUET: "application/vnd.apache.parquet"}


@router.get("/runs")
def list_runs(desk: Desk, who: Who, number: Number) -> list[dict[str, Any]]:
    """Test points: levels, bench, how far each is, what it came down to."""
    return open_file(desk, find_request(desk, who, number)).runs()


@router.get("/runs/{run}")
def show_run(desk: Desk, who: Who, number: Number, run: Run) -> dict[str, Any]:
    """One test point: the same, when it was planned and when it was, what was found, and its files."""
    file = open_run(desk, open_file(desk, find_request(desk, who, number)), run)
    planned = {"start": file.planned.start, "end": file.planned.end} if file.planned else None
    when = {"planned": planned, "began_at": file.began_at, "ended_at": file.ended_at}
    return {**file.entry, **when, "findings": file.findings, "files": file.files}


@router.get("/runs/{run}/files/{name}", response_model=None)
def download_raw(desk: Desk, who: Who, number: Number, run: Run, name: Annotated[str, Path(max_length=60)]) -> Any:
    """One of its files: procedure.json, input.csv, settings.json, summary.json."""
    row = find_request(desk, who, number)
    content, media = raw_file(open_file(desk, row), run, name)
    return attachment(content, f"{row['request_number']}-run-{run:04d}-{name}", media)


@router.get("/results", response_model=None)
def show_results(desk: Desk, who: Who, number: Number, form: Annotated[Form, Query()] = Form.JSON) -> Any:
    """One row per run: levels, bench, status, figures."""
    row = find_request(desk, who, number)
    rows = open_file(desk, row).results()
    if form is Form.JSON:
        return rows
    return attachment(_table(rows, form), f"{row['request_number']}-results.{form}", _MEDIA[form])


@router.get("/runs/{run}/signals")
def show_signals(
    desk: Desk,
    who: Who,
    number: Number,
    run: Run,
    points: Annotated[int, Query(ge=10, le=5_000)] = 2_000,
    last_s: Annotated[float | None, Query(gt=0, description="Only so many seconds at the end.")] = None,
) -> dict[str, Any]:
    """Signals of a run over time, thinned out so that no extreme is lost; of one under way the newest readings."""
    return trend(desk, open_file(desk, find_request(desk, who, number)), run, points=points, last_s=last_s)


@router.get("/runs/{run}/data", response_model=None)
def download_run(desk: Desk, who: Who, number: Number, run: Run, form: Annotated[Form, Query()] = Form.PARQUET) -> Any:
    """All rows of a run, as they were recorded."""
    row = find_request(desk, who, number)
    content = _data(open_file(desk, row), run)
    name = f"{row['request_number']}-run-{run:04d}.{form}"
    if form is Form.PARQUET:
        return attachment(content, name, _MEDIA[form])
    import pandas as pd

    table = pd.read_parquet(io.BytesIO(content))
    if form is Form.CSV:
        return attachment(table.to_csv(index=False).encode(), name, _MEDIA[form])
    return attachment(table.to_json(orient="columns").encode(), name, "application/json")


def _data(file: RequestFile, run: int) -> bytes:
    name = result_name(run, "parquet")
    if not file.area.exists(name):
        raise UnknownError(f"Run {run} of {file.row['request_number']} has no rows yet.")
    return file.area.read(name)


def _table(rows: list[dict[str, Any]], form: Form) -> bytes:
    if form is Form.PARQUET:
        import pandas as pd

        output = io.BytesIO()
        pd.DataFrame(rows).to_parquet(output, index=False)
        return output.getvalue()
    return as_csv(rows, list(dict.fromkeys(name for row in rows for name in row)))
