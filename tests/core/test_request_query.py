"""A query is refused where it asks for what cannot be, and words are compared as people mean them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.access import RequestScope
from twinbench.core.errors import RequestError
from twinbench.core.request_query import SORTS, RequestPage, RequestQuery, Word, sought_words, title_of, words_of

ALL = RequestScope(everything=True)


def test_a_query_asks_for_the_newest_unless_said():
    query = RequestQuery(ALL)

    assert (query.sort, query.descending, query.page, query.per_page) == ("created", True, 1, 50)


def test_what_can_be_asked_for_is_taken():
    for sort in SORTS:
        RequestQuery(ALL, states=("failed", "models-received"), sort=sort, page=10_000, per_page=200)
    RequestQuery(ALL, created_from=datetime(2026, 1, 1, tzinfo=UTC), text="x" * 100, requester="Zoë 𝛼")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"states": ("failed", "finished")}, "no state 'finished'"),
        ({"sort": "creation"}, "no order 'creation': did you mean 'created'"),
        ({"per_page": 0}, "per_page is 0: give 1 to 200"),
        ({"per_page": 201}, "per_page is 201"),
        ({"page": 0}, "page is 0"),
        ({"page": 10_001}, "page is 10001"),
        ({"text": "x" * 101}, "text has 101 characters: give 100 at most"),
        ({"uut": "x" * 201}, "uut has 201 characters"),
        ({"text": "a\x00b"}, "text is 'a.x00b'"),
        ({"requester": "\ud800"}, "requester is"),
        ({"created_from": datetime(2026, 1, 1)}, "created_from 2026-01-01 00:00:00 has no time zone"),  # noqa: DTZ001
        ({"created_to": datetime(2026, 1, 1)}, "created_to"),  # noqa: DTZ001
    ],
)
def test_what_cannot_be_asked_for_is_refused_by_name_and_value(wrong, words):
    with pytest.raises(RequestError, match=words):
        RequestQuery(ALL, **wrong)


@pytest.mark.parametrize(("total", "pages"), [(0, 1), (1, 1), (50, 1), (51, 2), (100, 2)])
def test_there_is_one_page_at_least(total, pages):
    assert RequestPage([], total, 1, 50).pages == pages


def test_words_are_compared_without_case_accents_and_signs():
    assert words_of("Émile MÜLLER-Straße", "IEC62660-2:2020-07") == (
        *("emile", "muller", "strasse"),
        *("iec62660", "2", "2020", "07"),
    )
    assert words_of("a A", "a_b") == ("a", "b")
    assert words_of("", " - ") == ()


@pytest.mark.parametrize("text", ["TR-000042", "tr-42", "TR 42", "Tr_0042", "tr42", "42", "000042"])
def test_a_number_is_known_however_it_is_written(text):
    (word,) = sought_words(text)

    assert word.number == "42"
    assert word.is_in((), 42)
    assert not word.is_in((), 420)


def test_words_that_are_no_numbers_are_looked_for_as_beginnings():
    assert sought_words("TR gen3b 7th") == (Word("gen3b"), Word("7th"))
    assert Word("gen").is_in(("cell", "gen3b"), 1)
    assert not Word("en").is_in(("cell", "gen3b"), 1)
    assert Word("4", "4").is_in(("42",), 1)
    assert sought_words("tr") == sought_words(" - ") == ()


def test_a_request_is_called_by_its_own_title_or_by_test_and_unit():
    document = {"test_name": "Performance - Power", "uut": "Gen3b - Cell"}

    assert title_of(document) == "Performance - Power on Gen3b - Cell"
    assert title_of({**document, "title": "Batch 7"}) == "Batch 7"
    assert title_of({**document, "title": None}) == title_of(document)


@given(st.text(max_size=100))
def test_no_text_breaks_out_of_the_form_in_which_words_are_compared(text):
    for word in sought_words(text):
        assert word.begins.isalnum() or not word.begins.isascii()
        assert not set(word.begins) & set("'\\:*&|!<>() #")
        assert word.number == "" or (word.number.isascii() and word.number.isdigit())
