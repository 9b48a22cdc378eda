"""When bookings began and ended, and what the digital twin has acknowledged of each request's messages.

What happened before this migration is not known and stays empty. A message's request is a column of its own, so that
counting what waits does not read the messages.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_UP = f"""
ALTER TABLE bench_bookings ADD COLUMN began_at timestamptz, ADD COLUMN ended_at timestamptz;
CREATE INDEX bench_bookings_over ON bench_bookings (bench, (coalesce(ended_at, updated_at)) DESC)
    WHERE state IN ('done', 'released');
CREATE INDEX request_history_forwarded ON request_history (at DESC) WHERE status = 'forwarded';
CREATE INDEX test_requests_bundles ON test_requests (fmu_ready_at DESC) INCLUDE (subject_id)
    WHERE fmu_ready_at IS NOT NULL;
ALTER TABLE outbox ADD COLUMN request_uuid uuid GENERATED ALWAYS AS (
    CASE WHEN payload ->> 'test_UUID' ~ '{_UUID}' THEN (payload ->> 'test_UUID')::uuid END) STORED;
CREATE TABLE twin_deliveries (
    request_uuid     uuid PRIMARY KEY,
    messages         bigint NOT NULL,
    stored_at        timestamptz NOT NULL,
    acknowledged_at  timestamptz NOT NULL
);
CREATE INDEX twin_deliveries_by_time ON twin_deliveries (acknowledged_at DESC);
"""


def upgrade() -> None:
    """Make them."""
    op.execute(_UP)


def downgrade() -> None:
    """Remove them."""
    op.execute("DROP TABLE twin_deliveries")
    op.execute("ALTER TABLE outbox DROP COLUMN request_uuid")
    op.execute("DROP INDEX test_requests_bundles, request_history_forwarded, bench_bookings_over")
    op.execute("ALTER TABLE bench_bookings DROP COLUMN began_at, DROP COLUMN ended_at")
