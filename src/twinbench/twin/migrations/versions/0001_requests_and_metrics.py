"""Requests with their answers; metrics messages, their samples, and what was none."""

from alembic import op

revision = "0001"
down_revision = None

_UP = """
CREATE TABLE twin_request (
    request_uuid  uuid PRIMARY KEY,
    message       jsonb NOT NULL,
    answer        jsonb NOT NULL,
    status        text NOT NULL,
    asked         integer NOT NULL DEFAULT 1,
    received_at   timestamptz NOT NULL DEFAULT now(),
    delivered_at  timestamptz
);
CREATE TABLE twin_run (
    run_uuid      uuid PRIMARY KEY,
    request_uuid  uuid,
    run           bigint,
    label         jsonb,
    upto          bigint NOT NULL DEFAULT -1,
    stored        bigint NOT NULL DEFAULT 0,
    rejected      bigint NOT NULL DEFAULT 0,
    changed_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX twin_run_by_request ON twin_run (request_uuid, run);
CREATE TABLE twin_inbox (
    message_id    text PRIMARY KEY,
    request_uuid  uuid,
    run_uuid      uuid NOT NULL REFERENCES twin_run (run_uuid),
    seq           bigint NOT NULL,
    final         boolean NOT NULL DEFAULT false,
    rejected      boolean NOT NULL DEFAULT false,
    received_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (run_uuid, seq)
);
CREATE INDEX twin_inbox_by_request ON twin_inbox (request_uuid);
CREATE TABLE twin_chunk (
    run_uuid      uuid NOT NULL,
    variable      text NOT NULL,
    seq           bigint NOT NULL,
    type          text NOT NULL,
    unit          text NOT NULL,
    samples       integer NOT NULL,
    time_min_s    double precision NOT NULL,
    time_max_s    double precision NOT NULL,
    value_min     double precision NOT NULL,
    value_max     double precision NOT NULL,
    time_s        bytea NOT NULL,
    value         bytea NOT NULL,
    PRIMARY KEY (run_uuid, variable, seq)
);
CREATE TABLE twin_rejected (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic         text NOT NULL,
    payload       bytea NOT NULL,
    reason        text NOT NULL,
    received_at   timestamptz NOT NULL DEFAULT now()
);
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(_UP)


def downgrade() -> None:
    """Remove them."""
    op.execute("DROP TABLE twin_rejected, twin_chunk, twin_inbox, twin_run, twin_request")
