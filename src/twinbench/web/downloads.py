"""Answers that a browser keeps as a file."""

from fastapi.responses import Response

__all__ = ["CSV", "attachment"]

CSV = "text/csv; charset=utf-8"


def attachment(content: bytes, name: str, media: str) -> Response:
    """Something to be kept as a file of that name."""
    return Response(content, media_type=media, headers={"Content-Disposition": f'attachment; filename="{name}"'})
