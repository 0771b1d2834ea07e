"""Every answer code of RunningHub and what it means for us (API.md 10 and 12).

A code has one ``reason``; the reason decides the ``kind``, which answers the one question a submit asks:

* ``ok``: nothing is wrong
* ``not_accepted`` (capacity): certainly nothing was created; the same may be sent again later
* ``refused`` (params, moderation, funds, key, other): certainly nothing was created, the next time neither
* ``unclear`` (failed: a task ended badly; missing: unknown there; fault: their side broke): nothing certain
  about a submit, which is never sent again by itself
* ``state`` (waiting): not an error: the task waits or runs

``text`` tells members what happened and what to do. What it means for the money depends on the call and
is added by the errors (errors.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["ok", "not_accepted", "refused", "unclear", "state"]
Reason = Literal[
    "", "capacity", "params", "moderation", "funds", "key", "other", "failed", "missing", "fault", "waiting"
]

_KINDS: dict[Reason, Kind] = {
    "": "ok",
    "capacity": "not_accepted",
    "params": "refused",
    "moderation": "refused",
    "funds": "refused",
    "key": "refused",
    "other": "refused",
    "failed": "unclear",
    "missing": "unclear",
    "fault": "unclear",
    "waiting": "state",
}
_ADVICE: dict[Reason, str] = {
    "params": "Check the settings and try again.",
    "moderation": "Change the text or the file and try again.",
    "funds": "A manager can top it up.",
    "key": "A manager has to look at the connection.",
    "other": "Choose another model.",
    "failed": "You can try it again as a new generation.",
}


@dataclass(frozen=True)
class Code:
    code: str
    name: str
    reason: Reason
    happened: str

    @property
    def kind(self) -> Kind:
        return _KINDS[self.reason]

    @property
    def text(self) -> str:
        return f"{self.happened} {_ADVICE.get(self.reason, '')}".rstrip()


_TABLE: tuple[Code, ...] = (
    Code("0", "SUCCESS", "", "All is well."),
    Code("200", "", "", "All is well."),
    Code("1", "", "waiting", "RunningHub has no event for this yet."),
    Code("301", "PARAMS_INVALID", "params", "RunningHub did not accept one of the settings."),
    Code("380", "WORKFLOW_NOT_EXISTS", "other", "RunningHub does not know this workflow."),
    Code("401", "", "key", "RunningHub did not accept the key of this connection."),
    Code("404", "NOT_FOUND", "other", "RunningHub does not offer this model to this account."),
    Code(
        "412", "TOKEN_INVALID", "key", "RunningHub did not accept the key or the address of this connection."
    ),
    Code(
        "414", "TASK_CREATE_FAILED_BY_NOT_ENOUGH_POWER_VALUE", "funds", "Too few RunningHub coins are left."
    ),
    Code("415", "TASK_INSTANCE_MAXED", "capacity", "All machines of this RunningHub account are busy."),
    Code("416", "TASK_CREATE_FAILED_BY_NOT_ENOUGH_WALLET", "funds", "The RunningHub wallet is empty."),
    Code(
        "421", "TASK_QUEUE_MAXED", "capacity", "RunningHub already runs as much as this account may at once."
    ),
    Code("423", "TASK_NOT_FOUNED", "missing", "RunningHub does not know this generation."),
    Code("433", "VALIDATE_PROMPT_FAILED", "params", "RunningHub could not run this workflow like this."),
    Code(
        "435", "TASK_USER_EXCLAPI_INSTANCE_NOT_FOUND", "other", "The account has no machine for this model."
    ),
    Code("436", "TASK_USER_EXCLAPI_REQUIRED", "other", "This model needs an account with its own machines."),
    Code("500", "UNKNOWN_ERROR", "fault", "RunningHub reported a fault on its side."),
    Code("605", "", "funds", "The balance of the RunningHub account is too low."),
    Code(
        "801", "APIKEY_UNSUPPORTED_FREE_USER", "key", "The RunningHub account may not be used from outside."
    ),
    Code(
        "802",
        "APIKEY_UNAUTHORIZED",
        "key",
        "The key is wrong, has expired, or is for the other RunningHub site.",
    ),
    Code("803", "APIKEY_INVALID_NODE_INFO", "params", "The settings do not fit this workflow."),
    Code("804", "APIKEY_TASK_IS_RUNNING", "waiting", "RunningHub is working on it."),
    Code("805", "APIKEY_TASK_STATUS_ERROR", "failed", "RunningHub could not finish this generation."),
    Code("806", "APIKEY_USER_NOT_FOUND", "key", "RunningHub does not know the account of this connection."),
    Code("807", "APIKEY_TASK_NOT_FOUND", "missing", "RunningHub does not know this generation."),
    Code("808", "APIKEY_UPLOAD_FAILED", "fault", "RunningHub could not take the file."),
    Code("809", "APIKEY_FILE_SIZE_EXCEEDED", "params", "The file is larger than RunningHub takes."),
    Code(
        "810",
        "WORKFLOW_NOT_SAVED_OR_NOT_RUNNING",
        "other",
        "This workflow never ran on RunningHub's own site.",
    ),
    Code(
        "811", "CORPAPIKEY_INVALID", "key", "RunningHub did not accept the enterprise key of this connection."
    ),
    Code("812", "CORPAPIKEY_INSUFFICIENT_FUNDS", "funds", "The RunningHub enterprise balance is too low."),
    Code("813", "APIKEY_TASK_IS_QUEUED", "waiting", "It waits in RunningHub's queue."),
    Code("814", "PERSONAL_QUEUE_COUNT_LIMIT", "capacity", "RunningHub's queue for this account is full."),
    Code("901", "WEBAPP_NOT_EXISTS", "other", "RunningHub does not know this app."),
    Code("1000", "", "fault", "RunningHub reported an error without saying which."),
    Code("1001", "", "other", "RunningHub does not know the address of this model."),
    Code("1002", "", "key", "RunningHub did not accept the key of this connection."),
    Code("1003", "", "capacity", "RunningHub received too many requests within a minute."),
    Code("1004", "", "missing", "RunningHub does not know this generation, or no longer keeps it."),
    Code("1005", "", "fault", "RunningHub reported an internal error."),
    Code("1006", "", "failed", "RunningHub stopped this generation because it took too long."),
    Code("1007", "", "params", "RunningHub did not accept these settings."),
    Code("1008", "", "params", "A file is larger than this model takes."),
    Code("1009", "", "other", "RunningHub does not offer this model in this way."),
    Code("1010", "", "fault", "RunningHub is not available at the moment."),
    Code("1011", "", "capacity", "RunningHub is busy and the queue of this model is full."),
    Code("1012", "", "fault", "The maker of this model reported a fault to RunningHub."),
    Code("1013", "", "failed", "RunningHub could not process a file."),
    Code(
        "1014",
        "",
        "other",
        "The key of this connection may not run standard models; that takes an enterprise key.",
    ),
    Code("1015", "", "failed", "The model could not make a result."),
    Code("1101", "", "params", "The settings do not fit this workflow."),
    Code("1501", "", "moderation", "RunningHub's content check declined this request."),
    Code("1504", "", "failed", "The model took too long and was stopped."),
    Code("1505", "", "moderation", "This model may not depict real people."),
    Code("1516", "", "fault", "RunningHub reported an error it does not explain."),
    Code("1517", "", "fault", "RunningHub reported an error it does not explain."),
    Code("1519", "", "fault", "RunningHub reported an error it does not explain."),
    Code(
        "1520", "TASK_USER_CONCURRENT_LIMIT", "capacity", "RunningHub already runs as much as we may at once."
    ),
    Code(
        "1620",
        "",
        "funds",
        "The RunningHub account has only promotional money left, which does not count here.",
    ),
)

# What the wire says where RunningHub says nothing (API.md 10, last lines).
_WIRE: tuple[Code, ...] = (
    Code("unreachable", "", "capacity", "RunningHub could not be reached."),
    Code("unsendable", "", "params", "These settings cannot be sent to RunningHub."),
    Code("redirected", "", "key", "The address of this connection leads somewhere else."),
    Code("unknown_path", "", "params", "RunningHub does not know the address of this model."),
    Code("http_401", "", "key", "RunningHub did not accept the key of this connection."),
    Code("http_402", "", "funds", "The balance of the RunningHub account is too low."),
    Code("http_403", "", "key", "RunningHub does not let this connection in."),
    Code("http_413", "", "params", "The request is larger than RunningHub takes."),
    Code("http_429", "", "capacity", "RunningHub received too many requests."),
)

CODES: dict[str, Code] = {row.code: row for row in _TABLE}
_OURS: dict[str, Code] = {row.code: row for row in _WIRE}
# Gateways also send a code by its name.
_BY_WORD = CODES | {row.name: row for row in _TABLE if row.name} | {"OK": CODES["0"]}


def lookup(word: str) -> Code | None:
    """The row of a code of RunningHub ("421") or of its name ("TASK_QUEUE_MAXED"); None if unknown."""
    return _BY_WORD.get(word.upper())


def for_http(status: int) -> Code | None:
    """The row of an HTTP status that speaks for itself; None for every other (2xx, 400, 5xx ...)."""
    if 300 <= status < 400:
        return _OURS["redirected"]
    if status in (404, 405):
        return _OURS["unknown_path"]
    return _OURS.get(f"http_{status}")


def sentence(word: str) -> str:
    """What a code, RunningHub's or ours, means for members; a general sentence for an unknown one."""
    row = CODES.get(word) or _OURS.get(word)
    return row.text if row else "RunningHub gave an answer this portal cannot use."
