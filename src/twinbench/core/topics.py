"""The MQTT topics of the lab: every topic string exists once, here.

lab/v1/requests/<uuid>             LIMS -> digital twin    a test request
lab/v1/requests/<uuid>/ack         digital twin -> LIMS    accepted or refused, and why
lab/v1/benches/<bench>/status      bench -> all            retained; the last will says offline
lab/v1/benches/<bench>/commands    LIMS -> bench           start, abort, acknowledge
lab/v1/benches/<bench>/events      bench -> LIMS           accepted, refused, finished, failed
lab/v1/benches/<bench>/telemetry   bench -> LIMS           samples, in sequence
LIMS/metrics/veos/simulation_metrics           any bench -> digital twin, as D6.3 has it (configurable)
LIMS/metrics/veos/simulation_metrics/ack/<run> digital twin -> LIMS: all messages of the run up to here are stored
"""

from __future__ import annotations

__all__ = [
    "METRICS",
    "bench_commands",
    "bench_events",
    "bench_status",
    "bench_telemetry",
    "metrics_ack",
    "request",
    "request_ack",
]

METRICS = "LIMS/metrics/veos/simulation_metrics"

_ROOT = "lab/v1"


def request(request_uuid: str = "+") -> str:
    """The test request of that UUID; all requests without one."""
    return f"{_ROOT}/requests/{request_uuid}"


def request_ack(request_uuid: str = "+") -> str:
    """What the digital twin answers to the request."""
    return f"{request(request_uuid)}/ack"


def bench_status(bench: str = "+") -> str:
    """Whether the bench is there (retained)."""
    return f"{_ROOT}/benches/{bench}/status"


def bench_commands(bench: str = "+") -> str:
    """What the bench is told to do."""
    return f"{_ROOT}/benches/{bench}/commands"


def bench_events(bench: str = "+") -> str:
    """What became of a command."""
    return f"{_ROOT}/benches/{bench}/events"


def bench_telemetry(bench: str = "+") -> str:
    """What the bench measures."""
    return f"{_ROOT}/benches/{bench}/telemetry"


def metrics_ack(run_uuid: str = "+", *, metrics: str = METRICS) -> str:
    """Up to where the digital twin has stored a run's metrics messages."""
    return f"{metrics}/ack/{run_uuid}"
