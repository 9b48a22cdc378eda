"""The catalogue as tables (D6.4, 6.5), the lab's units under test, the audit log, and news of what changes.

Whoever listens to the channel ``lims`` hears ``bench <name>`` and ``unit <serial>`` after the transaction that changed
them (and ``request <number>``, see 0004).
"""

from alembic import op

revision = "0003"
down_revision = "0002"

_CATALOGUE = """
CREATE TABLE uut_ids (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code         text NOT NULL UNIQUE,
    description  text NOT NULL,
    generation   text NOT NULL,
    level        text NOT NULL,
    chemistry    text NOT NULL,
    twin         text NOT NULL,
    is_active    boolean NOT NULL DEFAULT true,
    is_listed    boolean NOT NULL DEFAULT true,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE use_cases (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         text NOT NULL UNIQUE,
    description  text NOT NULL,
    is_active    boolean NOT NULL DEFAULT true,
    is_listed    boolean NOT NULL DEFAULT true,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE relevant_standards (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code         text NOT NULL UNIQUE,
    name         text NOT NULL,
    description  text NOT NULL,
    is_active    boolean NOT NULL DEFAULT true,
    is_listed    boolean NOT NULL DEFAULT true,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE test_names (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code         text NOT NULL UNIQUE,
    name         text NOT NULL,
    description  text NOT NULL,
    is_active    boolean NOT NULL DEFAULT true,
    is_listed    boolean NOT NULL DEFAULT true,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE standard_tests (
    id                  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    standard_id         integer NOT NULL REFERENCES relevant_standards,
    test_id             integer NOT NULL REFERENCES test_names,
    place               integer NOT NULL,
    clause              text NOT NULL,
    category            text NOT NULL,
    virtual_capable     boolean NOT NULL,
    typical_duration_h  double precision NOT NULL,
    factors             jsonb NOT NULL,
    notes               text NOT NULL,
    is_listed           boolean NOT NULL DEFAULT true,
    UNIQUE (standard_id, test_id)
);
CREATE TABLE test_name_applicability (
    id             integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    test_id        integer NOT NULL REFERENCES test_names,
    standard_id    integer NOT NULL REFERENCES relevant_standards,
    use_case_id    integer NOT NULL REFERENCES use_cases,
    uut_id_id      integer NOT NULL REFERENCES uut_ids,
    is_applicable  boolean NOT NULL DEFAULT true,
    created_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (uut_id_id, use_case_id, standard_id, test_id)
);
CREATE TABLE catalogue_loaded (
    digest     text NOT NULL,
    loaded_at  timestamptz NOT NULL DEFAULT now()
);
"""
_LAB = """
CREATE TABLE uut_inventory (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    serial      text NOT NULL UNIQUE CHECK (length(serial) BETWEEN 1 AND 100),
    uut_id_id   integer NOT NULL REFERENCES uut_ids,
    level       text NOT NULL,
    chemistry   text NOT NULL,
    state       text NOT NULL CHECK (state <> ''),
    location    text NOT NULL,
    notes       text NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE TABLE audit_log (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL,
    actor    text NOT NULL CHECK (actor <> ''),
    action   text NOT NULL CHECK (action <> ''),
    subject  text NOT NULL,
    details  jsonb NOT NULL
);
CREATE INDEX audit_log_by_subject ON audit_log (subject, id);
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE insufficient_privilege USING
        MESSAGE = format('%s is only written to: no line is changed or removed', TG_RELID::regclass);
END $$;
CREATE TRIGGER audit_log_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE request_history
    ADD COLUMN actor text NOT NULL DEFAULT '',
    ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY;
"""
_NEWS = """
CREATE FUNCTION tell_bench() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM pg_notify('lims', 'bench ' || OLD.bench);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM pg_notify('lims', 'bench ' || NEW.bench);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER bench_bookings_told AFTER INSERT OR UPDATE OR DELETE ON bench_bookings
    FOR EACH ROW EXECUTE FUNCTION tell_bench();
CREATE TRIGGER bench_closures_told AFTER INSERT OR UPDATE OR DELETE ON bench_closures
    FOR EACH ROW EXECUTE FUNCTION tell_bench();
CREATE FUNCTION tell_unit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('lims', 'unit ' || (CASE WHEN TG_OP = 'DELETE' THEN OLD.serial ELSE NEW.serial END));
    RETURN NULL;
END $$;
CREATE TRIGGER uut_inventory_told AFTER INSERT OR UPDATE OR DELETE ON uut_inventory
    FOR EACH ROW EXECUTE FUNCTION tell_unit();
"""


def upgrade() -> None:
    """Make the tables and their triggers."""
    for part in (_CATALOGUE, _LAB, _NEWS):
        op.execute(part)


def downgrade() -> None:
    """Remove them."""
    op.execute("DROP TRIGGER bench_closures_told ON bench_closures")
    op.execute("DROP TRIGGER bench_bookings_told ON bench_bookings")
    op.execute("ALTER TABLE request_history DROP COLUMN actor, DROP COLUMN id")
    op.execute("DROP TABLE audit_log, uut_inventory, catalogue_loaded, test_name_applicability, standard_tests")
    op.execute("DROP TABLE test_names, relevant_standards, use_cases, uut_ids")
    op.execute("DROP FUNCTION refuse_change, tell_bench, tell_unit")
