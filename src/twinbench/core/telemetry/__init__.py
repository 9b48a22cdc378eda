"""Telemetry: what a bench measured, as messages that may be lost, doubled or swapped on the way.

Vocabulary:

    metrics message   D6.3's message to the digital twin, with its number, run and bench added
    stream            the messages of one run; ``seq`` counts them from 0 without gaps
    upto              the highest ``seq`` before which none is missing; what a receiver acknowledges
    outbox            where a sender keeps each message until its receiver has acknowledged it

Delivery is at least once; a receiver that drops what it has by ``message_id`` makes the effect exactly once.
"""

from twinbench.core.telemetry.messages import (
    INVALID,
    METRIC_SIGNALS,
    RunLabel,
    batches,
    is_valid,
    metrics_message,
    signal_type,
)
from twinbench.core.telemetry.reading import Metrics, Series, parse_metrics
from twinbench.core.telemetry.streams import LARGEST_SEQ, Document, Outbox, SequenceTracker, message_id

__all__ = [
    "INVALID",
    "LARGEST_SEQ",
    "METRIC_SIGNALS",
    "Document",
    "Metrics",
    "Outbox",
    "RunLabel",
    "SequenceTracker",
    "Series",
    "batches",
    "is_valid",
    "message_id",
    "metrics_message",
    "parse_metrics",
    "signal_type",
]
