"""Bookings of benches, which never overlap on a bench, and the times in which benches are out of service.

A bench's name is compared as the range ``[bench, bench]`` because GiST has operators for ranges built in, and for text
only with the extension btree_gist: the local PostgreSQL wheel does not ship it, and where it is shipped it would have
to be installed by a role with more rights than ours.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

_UP = """
CREATE TYPE bench_range AS RANGE (subtype = text, collation = "C");
CREATE TABLE bench_bookings (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bench         text NOT NULL,
    during        tstzrange NOT NULL,
    request_uuid  uuid NOT NULL REFERENCES test_requests (uuid) ON DELETE CASCADE,
    round         integer NOT NULL DEFAULT 1 CHECK (round >= 1),
    state         text NOT NULL CHECK (state IN ('planned', 'promised', 'running', 'done', 'released')),
    document      jsonb NOT NULL,
    booked_at     timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    CONSTRAINT bench_bookings_during CHECK (
        lower_inc(during) AND NOT upper_inc(during) AND NOT isempty(during)
        AND NOT upper_inf(during) AND isfinite(lower(during)) AND isfinite(upper(during))
    ),
    -- Deferrable, hence checked at the end of a statement: one UPDATE lets bookings swap their places.
    CONSTRAINT bench_bookings_no_overlap
        EXCLUDE USING gist (bench_range(bench, bench, '[]') WITH =, during WITH &&)
        WHERE (state IN ('planned', 'promised', 'running')) DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX bench_bookings_by_request ON bench_bookings (request_uuid, round);
CREATE INDEX bench_bookings_by_time ON bench_bookings USING gist (during);
-- Closures may overlap: each has its own reason, and what matters to a plan is that there is one.
CREATE TABLE bench_closures (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bench     text NOT NULL,
    during    tstzrange NOT NULL,
    reason    text NOT NULL CHECK (reason <> ''),
    made_by   text NOT NULL,
    made_at   timestamptz NOT NULL,
    ended_at  timestamptz,
    CONSTRAINT bench_closures_during CHECK (
        lower_inc(during) AND NOT upper_inc(during) AND isfinite(lower(during)) AND NOT isempty(during)
    ),
    CONSTRAINT bench_closures_ended_at CHECK (ended_at >= lower(during))
);
CREATE UNIQUE INDEX bench_closures_said_once ON bench_closures (bench, during, reason, made_by) WHERE ended_at IS NULL;
CREATE INDEX bench_closures_by_time ON bench_closures USING gist (during);
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(_UP)


def downgrade() -> None:
    """Remove them."""
    op.execute("DROP TABLE bench_bookings, bench_closures")
    op.execute("DROP TYPE bench_range")
