"""Matplotlib figures as SVG that lives inside a page: its font, its colours in light and dark, ids of its own.

Colours are drawn as stand-ins and become the page's CSS variables: ``ink`` for what is read, ``muted`` for axes,
``grid``, and ``series-1`` to ``series-8`` for data. The same figure gives the same text, byte for byte.
"""

from __future__ import annotations

import io
import re
from contextlib import AbstractContextManager
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["LINE_STYLES", "colour", "drawing", "inline_svg", "line_style"]

_HUES = 8
_DASHES: tuple[Any, ...] = ("solid", (0, (5, 2)), (0, (1.5, 1.5)))

LINE_STYLES = _HUES * len(_DASHES)
"""How many lines can be told apart in one figure."""

_FULL_WIDTH_in = 9.0
_FULL_WIDTH_rem = 73.0  # what a page of the report leaves for a figure

_NAMES = ("ink", "muted", "grid", *(f"series-{number}" for number in range(1, _HUES + 1)))
_STAND_INS = {name: f"#0000{number:02x}" for number, name in enumerate(_NAMES, 1)}
_TAG = re.compile(r"<[^>]*>")
_NOISE = re.compile(
    r' transform="rotate\(-0 [^"]*"|font-family: [^;"]*;? ?|(?<=\d\.\d\d)\d+| (?=\nL )|\n(?=L )|(?<=L) '
)


def colour(name: str) -> str:
    """The stand-in of one of the page's colours."""
    return _STAND_INS[name]


def line_style(number: int) -> tuple[str, Any]:
    """Colour name and dashes of the *number*-th line, counted from 0."""
    return f"series-{number % _HUES + 1}", _DASHES[number // _HUES % len(_DASHES)]


def drawing() -> AbstractContextManager[None]:
    """Within it, figures are made and drawn in the report's style."""
    import matplotlib

    ink, muted, grid = colour("ink"), colour("muted"), colour("grid")
    style: dict[Any, Any] = {
        "axes.formatter.useoffset": False,  # numbers at the ticks are what they say
        "text.parse_math": False,  # a name with dollar signs is no formula
        "svg.fonttype": "none",
        "svg.hashsalt": "twinbench",
        "font.family": "DejaVu Sans",  # comes with matplotlib: the same layout on every machine
        "font.size": 9,
        "text.color": ink,
        "axes.labelcolor": ink,
        "axes.edgecolor": grid,
        "axes.facecolor": "none",
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "grid.color": grid,
        "grid.linewidth": 0.6,
        "xtick.color": grid,
        "ytick.color": grid,
        "xtick.labelcolor": muted,
        "ytick.labelcolor": muted,
        "lines.linewidth": 1.3,
        "figure.facecolor": "none",
    }
    context: AbstractContextManager[None] = matplotlib.rc_context(style)
    return context


def inline_svg(figure: Figure, *, name: str, label: str) -> str:
    """The figure as an ``<svg>`` element; call it within :func:`drawing`.

    One of 9 inches fills the width of the page, a narrower one less of it, so text has the same size in all.

    Args:
        figure: What is drawn.
        name: Prefix of its ids, another one for each figure of a page.
        label: What it shows, for people who cannot see it.
    """
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    drawn = text.getvalue()
    size = re.search(r'viewBox="[^"]*"', drawn)
    body = drawn[drawn.index("</style>") :].split("</defs>", 1)[1]
    referenced = set(re.findall(r'(?:xlink:href="|url\()#([^")]+)', body))
    body = _TAG.sub(lambda tag: _adapted(tag[0], name, referenced), body)
    share = figure.get_figwidth() / _FULL_WIDTH_in
    width = f' style="max-width: {share * _FULL_WIDTH_rem:.1f}rem"' if share < 1 else ""
    return f'<svg {size[0] if size else ""}{width} role="img" aria-label="{escape(label)}">{body.strip()}'


def _adapted(tag: str, name: str, referenced: set[str]) -> str:
    """One tag (text between tags stays as it is) with the page's colours, prefixed ids and nothing superfluous."""
    tag = _NOISE.sub("", tag)
    tag = re.sub(r' id="([^"]*)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in referenced else "", tag)
    tag = tag.replace('xlink:href="#', f'href="#{name}-').replace("url(#", f"url(#{name}-")
    for variable, stand_in in _STAND_INS.items():
        tag = tag.replace(stand_in, f"var(--{variable})")
    return tag
