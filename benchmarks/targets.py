"""What a benchmark was asked to reach, and how its account is told: as JSON, with an exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def target(what: str, wanted: float, reached: float | None, *, at_least: bool = False) -> dict[str, Any]:
    """One line of the account; nothing reached is a target missed."""
    ok = reached is not None and (reached >= wanted if at_least else reached <= wanted)
    figure = None if reached is None else round(reached, 4)
    return {"what": what, "wanted": f"{'>=' if at_least else '<='} {wanted:g}", "reached": figure, "ok": bool(ok)}


def tell(account: dict[str, Any], output: Path | None) -> None:
    """Print an account, keep it in a file if there is one, and end the program: 0 if every target is met."""
    text = json.dumps(account, indent=1)
    print(text)
    if output:
        output.write_text(text + "\n")
    sys.exit(0 if all(line["ok"] for line in account["targets"]) else 1)


def say(line: str) -> None:
    """A line for whoever watches, beside the account."""
    print(line, file=sys.stderr, flush=True)
