"""The rest of D6.4's request, and what makes 100,000 of them quick to look through.

    request_subjects   what is asked for: twin, unit, use case, standard, test and kind of bench, once per combination
    request_people     who asks: requester's id and name and who submitted it, once per combination
    request_tally      how many requests of each subject are in each state, kept by triggers

A laboratory has some thousand subjects and some hundred people, however many requests. Filters and words are looked up
among them, and lists are read from indexes which hold their numbers beside what they are sorted by. What is a request's
own is in ``search``: words of a title of its own, and its number as ``#42``.
"""

from alembic import op
from sqlalchemy import text

from twinbench.core.request_query import title_of, words_of

revision = "0004"
down_revision = "0003"

STATES = ("submitted", "forwarded", "models-received", "designed", "planned", "running", "evaluated", "completed")
_STATES = ", ".join(f"'{state}'" for state in (*STATES, "failed", "cancelled"))
_STAGES = ("fmu_ready", "doe_complete", "schedule_ready", "simulation_started", "simulation_complete")
_STAGE_TIMES = ", ".join(f"ADD COLUMN {stage}_at timestamptz" for stage in (*_STAGES, "completed", "failed"))

_UP = f"""
CREATE TYPE request_state AS ENUM ({_STATES});
CREATE TABLE request_subjects (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    twin        text NOT NULL,
    uut         text NOT NULL,
    use_case    text NOT NULL,
    standard    text NOT NULL,
    test_name   text NOT NULL,
    test_bench  text NOT NULL,
    words       tsvector NOT NULL,
    UNIQUE (test_name, standard, uut, use_case, test_bench, twin)
);
CREATE TABLE request_people (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    requester_id    text NOT NULL,
    requester_name  text NOT NULL,
    submitted_by    text NOT NULL,
    words           tsvector NOT NULL,
    UNIQUE (submitted_by, requester_id, requester_name)
);
CREATE TABLE request_tally (
    subject_id  integer NOT NULL REFERENCES request_subjects,
    status      request_state NOT NULL,
    number      bigint NOT NULL,
    PRIMARY KEY (subject_id, status)
) WITH (fillfactor = 70);
ALTER TABLE test_requests
    ALTER COLUMN status TYPE request_state USING status::request_state,
    ADD COLUMN subject_id integer REFERENCES request_subjects,
    ADD COLUMN person_id integer REFERENCES request_people,
    ADD COLUMN title text,
    ADD COLUMN words text NOT NULL DEFAULT '',
    ADD COLUMN submitted_by text NOT NULL DEFAULT '',
    ADD COLUMN idempotency_key text,
    ADD COLUMN uut_serial text,
    ADD COLUMN uut_id_id integer REFERENCES uut_ids,
    ADD COLUMN use_case_id integer REFERENCES use_cases,
    ADD COLUMN standard_id integer REFERENCES relevant_standards,
    ADD COLUMN test_id integer REFERENCES test_names,
    ADD COLUMN workflow_id text,
    ADD COLUMN fmu_blob_path text,
    ADD COLUMN simulation_results_path text,
    ADD COLUMN test_metrics_json jsonb,
    {_STAGE_TIMES};
"""
_FILLED = """
ALTER TABLE test_requests
    ALTER COLUMN subject_id SET NOT NULL,
    ALTER COLUMN person_id SET NOT NULL,
    ALTER COLUMN title SET NOT NULL,
    ADD CONSTRAINT test_requests_updated_at CHECK (updated_at >= created_at),
    ADD COLUMN search tsvector GENERATED ALWAYS AS (
        array_to_tsvector(array_remove(string_to_array('#' || id || ' ' || words, ' '), ''))) STORED,
    SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02,
         autovacuum_analyze_scale_factor = 0.02);
INSERT INTO request_tally SELECT subject_id, status, count(*) FROM test_requests GROUP BY subject_id, status;
CREATE INDEX test_requests_created ON test_requests (created_at, id) INCLUDE (status, subject_id, person_id);
CREATE INDEX test_requests_updated ON test_requests (updated_at, id)
    INCLUDE (status, subject_id, person_id, created_at);
CREATE INDEX test_requests_preferred ON test_requests (preferred_date, id)
    INCLUDE (status, subject_id, person_id, created_at);
CREATE INDEX test_requests_progress ON test_requests (simulation_progress, id)
    INCLUDE (status, subject_id, person_id, created_at);
CREATE INDEX test_requests_status ON test_requests (status, id) INCLUDE (subject_id, person_id, created_at);
CREATE INDEX test_requests_subject ON test_requests (subject_id, id) INCLUDE (status, person_id, created_at);
CREATE INDEX test_requests_person ON test_requests (person_id, created_at, id) INCLUDE (status, subject_id);
CREATE UNIQUE INDEX test_requests_submitted_once ON test_requests (submitted_by, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX test_requests_sequential ON test_requests (created_at, id) WHERE document -> 'design' ? 'sequential';
CREATE INDEX test_requests_search ON test_requests USING gin (search) WITH (fastupdate = off);
"""
_COUNT = """
    INSERT INTO request_tally AS tally (subject_id, status, number)
    SELECT subject_id, status, sum(change) FROM ({changes}) AS changed
    GROUP BY subject_id, status HAVING sum(change) <> 0 ORDER BY subject_id, status
    ON CONFLICT (subject_id, status) DO UPDATE SET number = tally.number + excluded.number;
"""
_NEW = "SELECT subject_id, status, 1 AS change FROM after_change"
_OLD = "SELECT subject_id, status, -1 AS change FROM before_change"
# One statement in the order of the key, so that two transactions never wait for each other.
_TRIGGERS = f"""
CREATE FUNCTION tally_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN {_COUNT.format(changes=_NEW)} RETURN NULL; END $$;
CREATE FUNCTION tally_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN {_COUNT.format(changes=f"{_NEW} UNION ALL {_OLD}")} RETURN NULL; END $$;
CREATE FUNCTION tally_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN {_COUNT.format(changes=_OLD)} RETURN NULL; END $$;
CREATE FUNCTION tally_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN DELETE FROM request_tally; RETURN NULL; END $$;
CREATE TRIGGER test_requests_inserted AFTER INSERT ON test_requests REFERENCING NEW TABLE AS after_change
    FOR EACH STATEMENT EXECUTE FUNCTION tally_inserted();
CREATE TRIGGER test_requests_updated AFTER UPDATE ON test_requests
    REFERENCING OLD TABLE AS before_change NEW TABLE AS after_change
    FOR EACH STATEMENT EXECUTE FUNCTION tally_updated();
CREATE TRIGGER test_requests_deleted AFTER DELETE ON test_requests REFERENCING OLD TABLE AS before_change
    FOR EACH STATEMENT EXECUTE FUNCTION tally_deleted();
CREATE TRIGGER test_requests_truncated AFTER TRUNCATE ON test_requests
    FOR EACH STATEMENT EXECUTE FUNCTION tally_truncated();
CREATE FUNCTION tell_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM pg_notify('lims', 'request ' || OLD.request_number);
    ELSIF TG_OP = 'INSERT' OR OLD IS DISTINCT FROM NEW THEN
        PERFORM pg_notify('lims', 'request ' || NEW.request_number);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER test_requests_told AFTER INSERT OR UPDATE OR DELETE ON test_requests
    FOR EACH ROW EXECUTE FUNCTION tell_request();
"""
_SUBJECT = """
INSERT INTO request_subjects (twin, uut, use_case, standard, test_name, test_bench, words)
VALUES ('', :uut, :use_case, :standard, :test_name, :test_bench, array_to_tsvector(:words))
ON CONFLICT (test_name, standard, uut, use_case, test_bench, twin) DO UPDATE SET words = excluded.words RETURNING id
"""
_PERSON = """
INSERT INTO request_people (requester_id, requester_name, submitted_by, words)
VALUES (:requester_id, :requester_name, :requester_id, array_to_tsvector(:words))
ON CONFLICT (submitted_by, requester_id, requester_name) DO UPDATE SET words = excluded.words RETURNING id
"""
_FILL = """
UPDATE test_requests SET subject_id = :subject, person_id = :person, title = :title, submitted_by = requester_id,
    updated_at = greatest(created_at, updated_at)
WHERE id = :id
"""


def upgrade() -> None:
    """Make them, and let the requests that are there find their subjects and people."""
    op.execute(_UP)
    connection = op.get_bind()
    for number, document in connection.execute(text("SELECT id, document FROM test_requests ORDER BY id")).all():
        asked = {name: document[name] for name in ("uut", "use_case", "standard", "test_name")}
        asked["test_bench"] = document.get("test_bench") or "Virtual"
        who = {name: document[name] for name in ("requester_id", "requester_name")}
        subject_words, words = words_of(asked["standard"], title_of(document)), words_of(*who.values())
        subject = connection.execute(text(_SUBJECT), {**asked, "words": list(subject_words)}).scalar_one()
        person = connection.execute(text(_PERSON), {**who, "words": list(words)}).scalar_one()
        found = {"subject": subject, "person": person, "title": title_of(document), "id": number}
        connection.execute(text(_FILL), found)
    op.execute(_FILLED)
    op.execute(_TRIGGERS)


def downgrade() -> None:
    """Remove them."""
    op.execute("DROP TRIGGER test_requests_told ON test_requests")
    for what in ("inserted", "updated", "deleted", "truncated"):
        op.execute(f"DROP TRIGGER test_requests_{what} ON test_requests")
        op.execute(f"DROP FUNCTION tally_{what}")
    op.execute("DROP FUNCTION tell_request")
    op.execute("ALTER TABLE test_requests DROP CONSTRAINT test_requests_updated_at")
    indexes = (
        *("created", "updated", "preferred", "progress", "status", "subject", "person", "submitted_once"),
        *("sequential", "search"),
    )
    op.execute("DROP INDEX " + ", ".join(f"test_requests_{index}" for index in indexes))
    more = ("title", "submitted_by", "idempotency_key", "uut_serial", "uut_id_id", "use_case_id", "standard_id",
            "test_id", "workflow_id", "fmu_blob_path", "simulation_results_path", "test_metrics_json")  # fmt: skip
    times = [f"{stage}_at" for stage in (*_STAGES, "completed", "failed")]
    for column in ("search", "words", "subject_id", "person_id", *more, *times):
        op.execute(f"ALTER TABLE test_requests DROP COLUMN {column}")
    op.execute("DROP TABLE request_tally, request_people, request_subjects")
    op.execute("ALTER TABLE test_requests ALTER COLUMN status TYPE text USING status::text")
    op.execute("DROP TYPE request_state")
