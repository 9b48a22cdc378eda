"""Text that people write in bodies and forms: of letters that can be kept, whatever else they mean."""

from typing import Annotated

from pydantic import AfterValidator

__all__ = ["Words"]


def _writable(text: str) -> str:
    if "\0" in text:  # halves of letters are refused as no text at all
        raise ValueError("a letter of it cannot be written: leave it out")
    return text


Words = Annotated[str, AfterValidator(_writable)]
"""Text that a table can hold."""
