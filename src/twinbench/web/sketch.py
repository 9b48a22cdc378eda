"""A current profile as a small picture: what a requester has uploaded, before it is sent."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from twinbench.core.battery.custom_profile import profile_steps

__all__ = ["profile_svg", "profile_words"]

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 640, 180, 60, 10, 26
_MOST = 1_000


def profile_words(profile: Mapping[str, Any]) -> str:
    """The profile in one sentence."""
    steps = profile_steps(profile)
    currents = [step.current_A for step in steps]
    seconds = sum(step.duration_s for step in steps)
    charge_Ah = sum(step.current_A * step.duration_s for step in steps) / 3600
    return (
        f"{len(profile['values'])} values over {seconds:g} s, {min(currents):g} to {max(currents):g} A, "
        f"{charge_Ah:+.3g} Ah in all (positive charges)."
    )


def profile_svg(profile: Mapping[str, Any]) -> Markup:
    """The current over time, held from each timestamp to the next."""
    import numpy as np

    from twinbench.workflow.rendering.decimation import decimate

    steps = profile_steps(profile)
    kept = set(decimate(np.array([step.current_A for step in steps]), _MOST).tolist())
    end_s = sum(step.duration_s for step in steps) or 1.0
    low, high = min(0.0, *(s.current_A for s in steps)), max(0.0, *(s.current_A for s in steps))
    span = (high - low) or 1.0

    def x(time_s: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - 10) * time_s / end_s

    def y(current_A: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - current_A) / span

    path, at = [f"M{x(0):.1f} {y(0):.1f}"], 0.0
    for number, step in enumerate(steps):
        if number in kept:
            path.append(f"H{x(at):.1f}V{y(step.current_A):.1f}")
        at += step.duration_s
    path.append(f"H{x(end_s):.1f}")
    label = escape(profile_words(profile))
    ticks = "".join(
        f'<text class="soft" x="{_LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g} A</text>'
        for value in dict.fromkeys((low, 0.0, high))
    )
    return Markup(
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
        f'<path class="grid" d="M{_LEFT} {y(0):.1f}H{_WIDTH - 10}"/>{ticks}'
        f'<path class="curve" d="{"".join(path)}"/>'
        f'<text class="soft" x="{_WIDTH - 10}" y="{_HEIGHT - 6}" text-anchor="end">{end_s:g} s</text></svg>'
    )
