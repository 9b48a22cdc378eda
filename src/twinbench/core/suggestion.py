"""What a person probably meant by a word that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["did_you_mean"]


def did_you_mean(value: str, choices: Iterable[str]) -> str:
    """A hint that names the closest choice, or all of them if none is close."""
    choices = [str(choice) for choice in choices]
    folded = {choice.casefold(): choice for choice in reversed(choices)}
    close = get_close_matches(value.casefold(), folded, n=1)
    return f"did you mean {folded[close[0]]!r}?" if close else f"there are {', '.join(choices) or 'none'}."
