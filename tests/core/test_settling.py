"""What lies in the pool settles by the looker's clock alone; the end of a drop is told once, or again much later."""

from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.pool_entries import QUIET_S, Entry
from twinbench.core.settling import Settling

MODEL, LAST = Entry("A.fmu", size=5, modified=1), Entry("inter_connection.json", size=9, modified=2)
PATIENCE_S = 60.0


def told_at(looks):
    """At which times of *looks* (time -> entries) something was due."""
    settling = Settling(PATIENCE_S)
    due = []
    for at_s, entries in looks.items():
        settling.look(entries, at_s)
        if settling.is_due(at_s):
            due.append(at_s)
    return due


def every(step_s, entries, begin_s, end_s):
    return {at_s: entries for at_s in range(begin_s, end_s, step_s)}


def test_a_complete_drop_is_told_once_when_it_has_not_changed_for_a_while():
    assert told_at(every(2, [MODEL, LAST], 0, 40)) == [6]


def test_models_alone_are_told_when_patience_is_over():
    assert told_at(every(4, [MODEL], 0, 100)) == [60]


def test_a_file_that_grows_or_is_written_again_is_new():
    settling = Settling(PATIENCE_S)
    settling.look([MODEL], 0.0)

    assert settling.look([Entry("A.fmu", size=6, modified=1)], 50.0) == {"A.fmu": 0.0}
    assert settling.look([Entry("A.fmu", size=6, modified=3)], 90.0) == {"A.fmu": 0.0}


def test_an_old_date_that_an_upload_keeps_makes_no_file_old():
    assert Settling(PATIENCE_S).look([Entry("A.fmu", modified=-(10**9))], 7.0) == {"A.fmu": 0.0}


def test_a_model_that_comes_after_its_interconnection_file_is_told_too():
    looks = every(2, [LAST], 0, 20) | every(2, [MODEL, LAST], 20, 40)

    assert told_at(looks) == [6, 26]


def test_what_nobody_takes_away_is_told_again_after_ten_minutes():
    assert told_at(every(10, [MODEL, LAST], 0, 700)) == [10, 60, 660]


def test_the_same_names_dropped_again_are_told_again():
    looks = {0: [LAST], 6: [LAST], 8: [], 10: [LAST], 12: [LAST], 16: [LAST]}

    assert told_at(looks) == [6, 16]


@given(st.lists(st.lists(st.sampled_from([MODEL, LAST, Entry("B.fmu")]), unique=True), max_size=30))
def test_nothing_is_due_that_has_not_settled(pools):
    settling = Settling(PATIENCE_S)
    for at_s, entries in enumerate(pools):
        unchanged_s = settling.look(entries, float(at_s))
        if settling.is_due(float(at_s)):
            assert max(unchanged_s.values()) >= QUIET_S
