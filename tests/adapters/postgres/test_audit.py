"""The audit log keeps who did what, and lets nobody change it, not even its owner; the fake keeps it too."""

from datetime import UTC, datetime, timedelta

import psycopg2
import pytest

from twinbench.adapters.postgres import AuditLog

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def test_the_newest_lines_come_first_and_of_one_subject_if_asked(audit):
    for number in range(4):
        audit.note("ada", "cancel", f"TR-00000{number % 2}", {"number": number}, at=NOON + timedelta(hours=number))

    assert [line["details"]["number"] for line in audit.entries()] == [3, 2, 1, 0]
    assert [line["details"]["number"] for line in audit.entries(subject="TR-000001")] == [3, 1]
    assert len(audit.entries(limit=1)) == 1
    assert audit.entries(subject="TR-000001")[1] == {
        "at": NOON + timedelta(hours=1),
        "actor": "ada",
        "action": "cancel",
        "subject": "TR-000001",
        "details": {"number": 1},
    }


def test_details_may_hold_what_json_does_not_know(audit):
    audit.note("ada", "close", "cycler-1", {"until": NOON}, at=NOON)

    assert audit.entries()[0]["details"] == {"until": str(NOON)}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET actor = 'eve'",
        "DELETE FROM audit_log",
        "DELETE FROM audit_log WHERE false",
        "TRUNCATE audit_log",
        "INSERT INTO audit_log VALUES (DEFAULT, now(), '', 'cancel', '', '{}')",
    ],
)
def test_no_line_is_changed_or_removed_and_none_is_without_an_actor(lims, statement):
    log = AuditLog(lims)
    log.note("ada", "cancel", "TR-000001", {}, at=NOON)

    def change():
        with lims.transaction() as cursor:
            cursor.execute(statement)

    with pytest.raises((psycopg2.errors.InsufficientPrivilege, psycopg2.errors.CheckViolation)):
        change()
    assert [line["actor"] for line in log.entries()] == ["ada"]
