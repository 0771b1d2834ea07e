"""What a person can do on a page, a program can do by REST, with the same role; or it is said why not."""

from __future__ import annotations

from accounts.roles import Deed
from generations.views.api import DESCRIPTION
from tests.project.matrix import CALLS, PAGES
from tests.project.twins import ELSEWHERE, NONE, SIGN_IN, TOKENS, TWINS


def test_every_form_of_a_page_has_a_call_or_a_reason() -> None:
    forms = {name for name, line in PAGES.items() if line.post and not name.startswith(ELSEWHERE)}
    assert forms == set(TWINS) | set(NONE), "add a line to tests/project/twins.py, or take one away"
    assert not set(TWINS) & set(NONE)
    assert set(TWINS.values()) <= set(CALLS)


def test_a_call_is_for_the_same_roles_as_the_form() -> None:
    """What is cut differently is named: one form of a page may be several calls, each with its own deed."""
    cut_otherwise = {
        "generation_star", "generation_rate", "generation_edit", "generation_tag", "generation_approve",
        "generation_open", "collection_edit", "collection_delete", "collection_remove", "download", "download_zip",
        "quote",
    }  # fmt: skip
    wrong = {
        page: (PAGES[page].post, CALLS[call].post)
        for page, call in TWINS.items()
        if page not in cut_otherwise
        and isinstance(PAGES[page].post, Deed)
        and PAGES[page].post != CALLS[call].post
    }
    assert not wrong


def test_the_documentation_says_what_has_no_call() -> None:
    for said in (SIGN_IN, TOKENS):
        assert said in DESCRIPTION
