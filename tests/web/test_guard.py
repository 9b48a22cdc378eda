"""Nothing too large, nothing from other sites, no script but our own."""

import pytest

from tests.fake_desk import ADA
from twinbench.web.guard import MOST_BYTES


def test_a_body_that_is_too_large_is_refused_by_its_length(as_):
    answer = as_(ADA)("POST", "/api/v1/requests", content=b"x" * (MOST_BYTES + 1))

    assert answer.status_code == 413
    assert answer.json()["status"] == 413


def test_a_body_that_turns_out_too_large_is_refused_while_it_arrives(as_):
    def chunks():
        for _ in range(MOST_BYTES // 100_000 + 1):
            yield b"x" * 100_000

    answer = as_(ADA)("POST", "/api/v1/requests", content=chunks())

    assert answer.status_code == 413


@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"}],
    ids=str,
)
def test_what_another_site_sends_in_somebodys_name_is_refused(as_, asked, headers):
    answer = as_(ADA)("POST", "/api/v1/requests", json=asked(), headers=headers)

    assert answer.status_code == 403
    assert "another site" in answer.json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin"},
        {"origin": "http://testserver"},
        {"authorization": "Bearer x", "origin": "https://program.example"},
    ],
    ids=str,
)
def test_our_own_pages_and_programs_with_a_token_may(as_, asked, headers):
    assert as_(ADA)("POST", "/api/v1/requests", json=asked(), headers=headers).status_code == 201


def test_pages_allow_no_script_but_our_own_and_are_stored_nowhere(page):
    headers = page(ADA)("GET", "/").headers

    assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe-inline" not in headers["content-security-policy"].split("style-src")[0]
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["../app.py", "%2e%2e/app.py", "vendor/../../app.py", "none.css", "", "a%00b"])
def test_static_files_are_those_of_the_folder_and_no_others(as_, name):
    answer = as_(ADA)("GET", f"/static/{name}")

    assert answer.status_code == 404
    assert "create_app" not in answer.text
