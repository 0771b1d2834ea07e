"""What an answer decides: may a submit be sent again, is a generation over.

Both lean the same way. A submit counts as not made only when the answer says so, and a generation counts as
over only on a definite verdict: a doubt costs a look, the opposite mistake costs money or a finished result.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from . import codes, replies
from .answers import Answer, Scrubber
from .errors import NotAccepted, ReadRefused, Refused, Unclear, Unreachable
from .replies import Result, State, Submitted, TaskReply, Usage

logger = logging.getLogger(__name__)

_ENDS: dict[str, State] = {
    "SUCCESS": "succeeded",
    "FAILED": "failed",
    "CANCEL": "cancelled",
    "CANCELLED": "cancelled",
    "CANCELED": "cancelled",
}
_GOING_ON = frozenset({"", "CREATE", "QUEUED", "RUNNING", "PENDING", "PROCESSING"})
_MOST_RESULTS = 100


def submitted(answer: Answer) -> Submitted:
    """The task a submit created. Raises NotAccepted, Refused, Unclear.

    An upstream id is proof that a task exists, whatever else the answer says and whatever its HTTP status is;
    asking about it will tell the truth.
    """
    if answer.task_id:
        status = _status(answer)
        return Submitted(answer.task_id, status, answer.outer)
    row = answer.judge()
    odd = answer.odd_task_id
    if row and not odd:
        if row.kind == "not_accepted":
            raise NotAccepted(row.code, answer.detail, row.reason, answer.retry_after)
        if row.kind == "refused":
            raise Refused(row.code, answer.detail, row.reason, answer.retry_after)
    code = answer.code or ("no_task_id" if answer.fine else f"http_{answer.http_status}")
    words = [answer.detail or "an answer without a task id", f"in its place stands {odd}" if odd else ""]
    raise Unclear(code, ", ".join(word for word in words if word))


def uploaded(answer: Answer) -> replies.Uploaded:
    """The file RunningHub took. Raises Refused, or NotAccepted for what may pass: uploads cost nothing."""
    row = answer.judge()
    if row and row.kind == "refused":
        raise Refused(row.code, answer.detail, row.reason, answer.retry_after)
    url = replies.text(answer.field("download_url", "downloadUrl"), 4000)
    if answer.code or not answer.fine or not url:
        code = answer.code or ("808" if answer.fine else f"http_{answer.http_status}")
        raise NotAccepted(code, answer.detail, "capacity", answer.retry_after)
    return replies.Uploaded(
        download_url=url,
        file_name=replies.text(answer.field("fileName", "file_name"), 500) or "",
        type=replies.text(answer.field("type"), 40) or "",
        size=replies.count(answer.field("size")),
    )


def read(answer: Answer) -> Answer:
    """The same answer when it can be used for a read. Raises ReadRefused, Unreachable."""
    row = answer.judge()
    if answer.code or row:
        code, reason = (row.code, row.reason) if row else (answer.code, "other")
        raise ReadRefused(code, answer.detail, reason, answer.retry_after)
    if not answer.fine or answer.unreadable:
        raise Unreachable(f"http_{answer.http_status}", answer.detail)
    return answer


def app_form(answer: Answer) -> replies.AppForm:
    """The inputs of an AI app. Raises Unreachable for an answer that tells of none."""
    listed = answer.field("nodeInfoList", "node_info_list")
    if isinstance(listed, str):
        listed = _opened(listed)
    nodes = tuple(node for node in listed if isinstance(node, dict)) if isinstance(listed, list) else ()
    if not nodes:
        raise Unreachable("no_form", answer.detail or "an answer without nodeInfoList")
    return replies.AppForm(replies.text(answer.field("webappName"), 200) or "", nodes)


def graph(answer: Answer, scrub: Scrubber) -> dict[str, Any]:
    """The graph of a workflow. Raises Unreachable for an answer that has none."""
    found = answer.field("prompt")
    if isinstance(found, str):
        found = scrub.value(_opened(found))
    if not isinstance(found, dict) or not any(isinstance(node, dict) for node in found.values()):
        raise Unreachable("no_graph", answer.detail or "an answer without a graph")
    return found


def _opened(document: str) -> Any:
    """A JSON document that was sent as a string; None for one that cannot be read."""
    try:
        return json.loads(document, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None


def lora(answer: Answer) -> replies.LoraPlace:
    """Where a LoRA goes. Raises ReadRefused, Unreachable."""
    told = read(answer)
    name, url = replies.text(told.field("fileName"), 500), replies.text(told.field("url"), 4000)
    if not name or not url:
        raise Unreachable("no_place", answer.detail or "an answer without an address")
    return replies.LoraPlace(name, url)


def progress_address(answer: Answer) -> str:
    """Where a running task tells of itself, "" for none. Raises ReadRefused, Unreachable."""
    row = answer.judge()
    if row is None or row.kind != "state":
        read(answer)
    address = answer.field("netWssUrl")
    return address if isinstance(address, str) else ""


def webhook_event(answer: Answer, upstream_id: str) -> replies.WebhookEvent:
    """The event of a task. Raises Unreachable for an answer that has none, or that of another task."""
    event_id, url = replies.text(answer.field("id"), 80), replies.text(answer.field("webhookUrl"), 2000)
    if answer.task_id and answer.task_id != upstream_id:
        raise Unreachable("other_task", f"asked about {upstream_id}, told about {answer.task_id}")
    if not event_id or not url:
        raise Unreachable("no_event", answer.detail or "an answer without an event")
    return replies.WebhookEvent(
        id=event_id,
        upstream_id=upstream_id,
        url=url,
        status=(replies.text(answer.field("callbackStatus"), 20) or "").upper(),
        response=replies.text(answer.field("callbackResponse"), 300) or "",
        retries=replies.count(answer.field("retryCount")),
    )


def task(answer: Answer, upstream_id: str) -> TaskReply:
    """Where a task stands. Raises ReadRefused, Unreachable: faults of the asking, never verdicts.

    * status FAILED or CANCEL is a verdict, whatever else is said
    * status SUCCESS is one too. With an error code, or with an error message and no results, the verdict is
      "failed" (API.md 3), whatever results there are being kept. 804 and 813 are states, not errors; a code
      that tells of a fault of the asking contradicts the status, so that answer is not used
    * with any other status, or none, only a code that speaks about this very task ends it: 805 and its like,
      and moderation; a refusal of settings or funds only if the answer names the task, else it may be the
      query that was refused. A code nobody knows, or a message without a code, ends nothing
    """
    if not answer.fine:
        read(answer)
    named = answer.task_id
    if named and named != upstream_id:
        raise Unreachable("other_task", f"asked about {upstream_id}, told about {named}")
    status = _status(answer)
    state = _ENDS.get(status.upper(), "waiting")
    row = codes.lookup(answer.code) if answer.code else None
    results = _results(answer)
    if state == "succeeded" and not (row and row.kind == "state"):
        if row and not _speaks_of_task(row, named=True):
            read(answer)
        if answer.code or (answer.message and not results):
            state = "failed"
    if state == "waiting":
        if row and _speaks_of_task(row, named=bool(named)):
            state = "failed"
        elif row is None or row.kind != "state":
            if row or not status:
                read(answer)
            if not status:
                raise Unreachable("no_status", answer.detail or "an answer without a status")
        if status.upper() not in _GOING_ON:
            logger.warning("unknown status %r of upstream task %s", status, upstream_id)
    return TaskReply(
        upstream_id=upstream_id,
        state=state,
        status=status,
        results=results,
        usage=_usage(answer),
        error_code=answer.code,
        error_text=_failure_text(row) if state == "failed" else "",
        error_detail=_failure_words(answer)[:2000],
        model=replies.text(answer.field("endpoint", "modelName", "model"), 200) or "",
        params=_params(answer),
    )


def _params(answer: Answer) -> dict[str, Any]:
    """What the task was asked for, where the answer says so; a failed graph names its inputs."""
    reason = answer.field("failedReason")
    inputs = reason.get("current_inputs") if isinstance(reason, dict) else None
    for given in (answer.field("params", "inputs", "input"), inputs):
        if isinstance(given, dict) and given:
            return given
    return {}


def _speaks_of_task(row: codes.Code, *, named: bool) -> bool:
    if row.reason in ("failed", "moderation"):
        return True
    return named and row.reason in ("params", "funds", "other")


def _failure_text(row: codes.Code | None) -> str:
    if row is None or row.kind == "state":
        return codes.CODES["805"].text
    return row.text


def _status(answer: Answer) -> str:
    """The status word; gateways put an HTTP number of the same name around it."""
    for fields in (answer.outer, answer.inner):
        for name in ("status", "taskStatus"):
            word = fields.get(name)
            if isinstance(word, str) and word.strip():
                return word.strip()[:40]
    return ""


def _failure_words(answer: Answer) -> str:
    reason = answer.field("failedReason")
    if isinstance(reason, dict):
        reason = reason.get("exception_message")
    return answer.message or (reason if isinstance(reason, str) else "")


def _usage(answer: Answer) -> Usage:
    given = answer.field("usage")
    if not isinstance(given, dict):
        given = answer.outer | answer.inner
    return Usage(
        consume_money=replies.text(given.get("consumeMoney"), 40),
        consume_coins=replies.text(given.get("consumeCoins"), 40),
        task_cost_time=replies.text(given.get("taskCostTime"), 40),
        third_party_consume_money=replies.text(given.get("thirdPartyConsumeMoney"), 40),
    )


def _results(answer: Answer) -> tuple[Result, ...]:
    given = answer.field("results")
    if isinstance(given, dict):
        given = [given] if _result(given) else list(given.values())
    if not isinstance(given, list):
        return ()
    found = (_result(item) for item in given if isinstance(item, dict))
    return tuple(result for result in found if result)[:_MOST_RESULTS]


def _result(item: dict[str, Any]) -> Result | None:
    url = _first(item, "url", "outputUrl", "fileUrl", "output_url", "file_url")
    text = _first(item, "text", "content", "output")
    if not isinstance(url, str):
        url = None
    if text is not None and not isinstance(text, str):
        text = json.dumps(text, ensure_ascii=False)
    if url is None and text is None:
        return None
    kind = replies.text(_first(item, "outputType", "fileType", "output_type"), 20) or ""
    node = replies.text(_first(item, "nodeId", "node_id"), 80) or ""
    return Result(url=url, output_type=kind.lower().lstrip("."), text=text, node_id=node)


def _first(item: dict[str, Any], *names: str) -> Any:
    for name in names:
        if item.get(name) not in (None, "", [], {}):
            return item[name]
    return None
