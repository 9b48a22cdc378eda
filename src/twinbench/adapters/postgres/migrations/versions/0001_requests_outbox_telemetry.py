"""Requests with their stage times (D6.4, 6.5), the outbox of messages, and the telemetry of physical benches."""

from alembic import op

revision = "0001"
down_revision = None

_UP = """
CREATE TABLE test_requests (
    id                     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid                   uuid NOT NULL UNIQUE,
    request_number         text NOT NULL GENERATED ALWAYS AS ('TR-' || lpad(id::text, 6, '0')) STORED UNIQUE,
    requester_id           text NOT NULL,
    requester_name         text NOT NULL,
    preferred_date         timestamptz NOT NULL,
    document               jsonb NOT NULL,
    status                 text NOT NULL,
    simulation_folder      text NOT NULL,
    simulation_progress    integer NOT NULL DEFAULT 0 CHECK (simulation_progress BETWEEN 0 AND 100),
    failure                text,
    created_at             timestamptz NOT NULL,
    updated_at             timestamptz NOT NULL
);
CREATE TABLE request_history (
    request_uuid  uuid NOT NULL REFERENCES test_requests (uuid) ON DELETE CASCADE,
    at            timestamptz NOT NULL,
    status        text NOT NULL,
    reason        text NOT NULL DEFAULT ''
);
CREATE INDEX request_history_by_request ON request_history (request_uuid, at);
CREATE TABLE outbox (
    stream   text NOT NULL,
    seq      bigint NOT NULL,
    topic    text NOT NULL,
    payload  jsonb NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream, seq)
);
CREATE TABLE bench_telemetry (
    run_uuid  uuid NOT NULL,
    seq       bigint NOT NULL,
    message   jsonb NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_uuid, seq)
);
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(_UP)


def downgrade() -> None:
    """Remove them."""
    op.execute("DROP TABLE bench_telemetry, outbox, request_history, test_requests")
