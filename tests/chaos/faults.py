"""The faults of API.md and DESIGN 2, in the words of both our sandbox and the foreign upstream."""

from __future__ import annotations

from typing import Any

FULL = (421, 1520, 415, 1011, 1003, 814)
REFUSALS = (1007, 301, 1501, 1505, 433, 802, 416, 812, 1014)
UNCLEAR = (1000, 1005, 1010, 1012, 1516, 500, 804, 813)

# Most of what reaches a portal is none of these, so the common ones stand more than once.
SUBMIT: list[dict[str, Any]] = [
    *({"refuse": code} for code in FULL),
    *({"refuse": code} for code in REFUSALS),
    *({"refuse": code} for code in UNCLEAR),
    {"http": 429, "before": True},
    {"http": 503, "before": True},
    {"http": 500, "before": True},
    {"http": 503},
    {"http": 502},
    {"lost": True},
    {"lost": True},
    {"lost": True, "before": True},
    {"broken": True},
    {"slow": 0.4},
    {"body": {"what": "?"}},
    {"body": []},
    {"fail": 1501},
    {"fail": 805},
    {"fail": 1504},
    {"hang": True},
    {"deaf": True},
    {"wrap": True},
]
QUERY: list[dict[str, Any]] = [
    {"http": 502},
    {"http": 429},
    {"broken": True},
    {"lost": True},
    {"slow": 0.4},
    {"body": {"errorCode": "1003", "errorMessage": "too many", "taskId": "", "status": ""}},
    {"body": {"code": 500, "msg": "UNKNOWN_ERROR", "data": None}},
    {"merge": {"status": "WARPED", "results": None}},
    {"merge": {"results": []}},
    {"omit": ["usage"]},
    {"wrap": True},
]
RESULT: list[dict[str, Any]] = [
    {"http": 404},
    {"http": 403},
    {"http": 502},
    {"lost": True},
    {"cut": 0.5},
    {"cut": 0.0},
    {"html": True},
    {"slow": 0.4},
]
CANCEL: list[dict[str, Any]] = [{"http": 502}, {"lost": True}, {"slow": 0.4}]
QUEUE: list[dict[str, Any]] = [
    {"http": 502},
    {"lost": True},
    {"merge": {"data": {"concurrentLimit": 2, "runningCount": 0}}},
    {"merge": {"data": {"concurrentLimit": 1, "runningCount": 9}}},
]
ACCOUNT: list[dict[str, Any]] = [{"http": 502}, {"body": {"code": 802, "msg": "no key", "data": None}}]

EVERY: dict[str, list[dict[str, Any]]] = {
    "submit": SUBMIT,
    "query": QUERY,
    "result": RESULT,
    "cancel": CANCEL,
    "queue": QUEUE,
    "account": ACCOUNT,
}


def in_the_sandbox(route: str, fault: dict[str, Any]) -> dict[str, Any]:
    """The same for our sandbox, which says "before" and "after" in another way, and logs no HTTP 429 as a refusal."""
    told = dict(fault)
    before = told.pop("before", False)
    if told.get("http") == 429:
        return {"refuse": 421}
    if route == "result":
        return told
    for word in ("lost", "broken"):
        if word in told:
            told[word] = "before" if before else "after"
    if "http" in told and not before:
        told["after"] = True
    return told
