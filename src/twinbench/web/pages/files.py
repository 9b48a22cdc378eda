"""Style sheets, scripts and pictures of the pages: for those who are logged in, as everything else."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import FileResponse

from twinbench.core.errors import UnknownError
from twinbench.web.rendering import STATIC

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_DAY_S = 86_400


@router.get("/static/{name:path}", response_class=FileResponse)
def static_file(name: Annotated[str, Path(max_length=200)]) -> FileResponse:
    """A file; what is vendored has its version in its name and never changes."""
    path = (STATIC / name).resolve() if "\0" not in name else STATIC
    if not path.is_relative_to(STATIC) or not path.is_file():
        raise UnknownError(f"There is no file {name!r}.")
    age = f"private, max-age={30 * _DAY_S}, immutable" if "/vendor/" in f"/{name}" else "private, no-cache"
    return FileResponse(path, headers={"Cache-Control": age})
