"""XML from strangers is read without entities, in bounded time and depth, or refused in words."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.strict_xml import UnusableXmlError, parse_strictly


def test_a_document_is_read_without_prefixes_and_its_elements_are_counted():
    root, size = parse_strictly(b'<a:x xmlns:a="u" k="1"><y/><a:y/></a:x>')

    assert (root.tag, root.get("k"), [child.tag for child in root], size) == ("x", "1", ["y", "y"], 3)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'<!DOCTYPE a [<!ENTITY e "e">]><a>&e;</a>', "document type"),
        (b"<a>&e;</a>", "no well-formed XML"),
        (b"", "no well-formed XML"),
        (b"<a/>" * 2, "no well-formed XML"),
        (b"<a>" * 300 + b"</a>" * 300, "more than 240 levels deep"),
        (b'<?xml version="1.0" encoding="martian"?><a/>', "no well-formed XML"),
        (b" " * ((64 << 20) + 1), "larger than"),
    ],
)
def test_what_is_dangerous_or_damaged_is_refused_in_words(content, words):
    with pytest.raises(UnusableXmlError, match=words):
        parse_strictly(content)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(content):
    with suppress(UnusableXmlError):
        root, size = parse_strictly(b"<a>" + content + b"</a>")

        assert (root.tag, size) == ("a", len(list(root.iter())))
