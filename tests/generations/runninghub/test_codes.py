from __future__ import annotations

import pytest

from generations.runninghub import codes

KINDS = {
    "ok": "0 200",
    "not_accepted": "415 421 814 1003 1011 1520",
    "refused": """301 380 401 404 412 414 416 433 435 436 605 801 802 803 806 809 810 811 812 901
        1001 1002 1007 1008 1009 1014 1101 1501 1505 1620""",
    "unclear": "423 500 805 807 808 1000 1004 1005 1006 1010 1012 1013 1015 1504 1516 1517 1519",
    "state": "1 804 813",
}
REASONS = {
    "funds": "414 416 605 812 1620",
    "key": "401 412 801 802 806 811 1002",
    "moderation": "1501 1505",
    "params": "301 433 803 809 1007 1008 1101",
}


def test_every_published_code_is_in_the_table_and_no_other() -> None:
    assert {code for listed in KINDS.values() for code in listed.split()} == set(codes.CODES)


@pytest.mark.parametrize(("kind", "listed"), KINDS.items())
def test_codes_are_of_the_kind_that_decides_about_sending_again(kind: str, listed: str) -> None:
    assert {code for code, row in codes.CODES.items() if row.kind == kind} == set(listed.split())


@pytest.mark.parametrize(("reason", "listed"), REASONS.items())
def test_refusals_have_the_reason_that_decides_whom_to_tell(reason: str, listed: str) -> None:
    assert {code for code, row in codes.CODES.items() if row.reason == reason} == set(listed.split())


@pytest.mark.parametrize("row", [*codes.CODES.values(), *codes._OURS.values()], ids=lambda row: row.code)
def test_every_text_is_plain_sentences(row: codes.Code) -> None:
    assert row.text[0].isupper()
    assert row.text.endswith(".")
    assert "!" not in row.text
    assert "  " not in row.text
    assert codes.sentence(row.code) == row.text


def test_a_code_is_found_by_its_name_in_any_case() -> None:
    assert codes.lookup("task_queue_maxed") is codes.CODES["421"]
    assert codes.lookup("success") is codes.CODES["0"]


@pytest.mark.parametrize("word", ["9999", "", "unreachable", "http_429", "redirected"])
def test_words_of_our_own_are_no_codes_of_theirs(word: str) -> None:
    assert codes.lookup(word) is None


def test_an_unknown_code_has_a_general_sentence() -> None:
    assert codes.sentence("9999").endswith(".")
