"""RunningHub's calls, one function each: a request in, the JSON of API.md out, or a Refusal."""

from __future__ import annotations

import json
import mimetypes
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from generations.catalogue.pricing import estimate
from generations.sandbox import apps, telling
from generations.sandbox.faults import Fault
from generations.sandbox.ledger import owner_of
from generations.sandbox.orders import read_order
from generations.sandbox.refusals import Refusal, success
from generations.sandbox.tasks import Task
from generations.sandbox.wire import multipart

if TYPE_CHECKING:
    from generations.sandbox.server import Sandbox

KEY_LENGTH = 32
LEGACY_UPLOAD_LIMIT = 30 * 1024 * 1024


class KeyRefused(Refusal):
    """The key is missing or wrong: the gateway answers, in its own shape."""


@dataclass
class Call:
    """One request. ``base`` is our own address as the client knows it; ``rest`` is the variable part of the
    path.
    """

    sandbox: Sandbox
    headers: dict[str, str]
    body: bytes
    base: str
    rest: str = ""
    fault: Fault = field(default_factory=Fault)
    entry: dict[str, Any] = field(default_factory=dict)
    """The line of the log that tells what became of a submit."""

    def json(self) -> dict[str, Any]:
        """Raises Refusal 1007 when the body is not a JSON object."""
        try:
            value = json.loads(self.body or b"{}")
        except (ValueError, RecursionError):
            raise Refusal(1007, "the body is not JSON") from None
        if not isinstance(value, dict):
            raise Refusal(1007, "the body is not an object")
        return value

    def key(self, code: int = 802) -> str:
        """The key of the Authorization header. Raises KeyRefused."""
        scheme, _, key = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or len(key.strip()) != KEY_LENGTH:
            raise KeyRefused(code)
        return key.strip()

    def legacy_key(self) -> str:
        """The older calls take the key in the body too, the account call as ``apikey`` (API.md 1)."""
        body = self.json()
        for name in ("apiKey", "apikey"):
            value = body.get(name)
            if isinstance(value, str) and len(value) == KEY_LENGTH:
                return value
        return self.key()

    def known(self) -> Task:
        """The task the older calls name. Raises Refusal 807."""
        task = self.sandbox.ledger.find(self.legacy_key(), self.json().get("taskId"))
        if task is None:
            raise Refusal(807)
        return task


def submit(call: Call) -> dict[str, Any]:
    key, body = call.key(), call.json()
    task = call.sandbox.ledger.accept(key, call.rest, body, call.fault.fate())
    call.entry["taskId"] = task.task_id
    return task.submitted()


def run_app(call: Call) -> dict[str, Any]:
    key, body = call.legacy_key(), call.json()
    return _started(call, key, *apps.app_order(body, call.base), apps.app_nodes(body))


def run_workflow(call: Call) -> dict[str, Any]:
    key, body = call.legacy_key(), call.json()
    return _started(call, key, *apps.workflow_order(body, call.base), apps.workflow_nodes(body))


def _started(call: Call, key: str, model: str, body: dict[str, Any], nodes: list[str]) -> dict[str, Any]:
    """The older shape of an accepted submit (API.md 6)."""
    task = call.sandbox.ledger.accept(key, model, body, call.fault.fate(), nodes)
    call.entry["taskId"] = task.task_id
    told = task.submitted()
    return success(
        {
            "taskId": task.task_id,
            "clientId": told["clientId"],
            "taskStatus": task.status,
            "netWssUrl": telling.address(task, call.base) if task.status == "RUNNING" else None,
            "promptTips": told["promptTips"],
        }
    )


def app_form(call: Call) -> dict[str, Any]:
    asked = {name: values[0] for name, values in parse_qs(call.rest).items()}
    if len(asked.get("apiKey", "")) != KEY_LENGTH:
        raise KeyRefused(802)
    return success(apps.form(asked.get("webappId", "")))


def workflow_graph(call: Call) -> dict[str, Any]:
    call.legacy_key()
    return success(apps.graph(call.json().get("workflowId")))


def lora(call: Call) -> dict[str, Any]:
    call.legacy_key()
    digest = str(call.json().get("md5Hex", ""))
    if not re.fullmatch(r"[0-9a-f]{32}", digest):
        raise Refusal(301, "md5Hex is no digest")
    name = f"{digest}.safetensors"
    return success({"fileName": f"api-lora-cn/{name}", "url": f"{call.base}/loras/{name}"})


def query(call: Call) -> dict[str, Any]:
    key, task_id = call.key(), call.json().get("taskId")
    call.sandbox.log.query(task_id)
    task = call.sandbox.ledger.find(key, task_id)
    if task is None:
        raise Refusal(1004)
    return task.queried(call.base)


def preview(call: Call) -> dict[str, Any]:
    call.key()
    order = read_order(call.rest, call.json())
    guess = estimate(order.spec, order.params)
    currency = guess.currency or call.sandbox.ledger.currency
    amount: Decimal | None = guess.amount
    return {
        "errorCode": "",
        "errorMessage": "",
        "estimatedPrice": None if amount is None else format(amount, "f"),
        "currency": currency,
        "priceText": "" if amount is None else f"预计 {amount:f} {currency}",
        "priceTextEn": "" if amount is None else f"about {amount:f} {currency}",
        "freeLimit": False,
        "freeLimitCount": 0,
        "remainingFreeLimitCount": 0,
        "isFreeThisCall": False,
    }


def queue(call: Call) -> dict[str, Any]:
    active = call.sandbox.ledger.active(owner_of(call.key()))
    queued = sum(task.status == "QUEUED" for task in active)
    return {
        "apiKeyType": "SHARED",
        "concurrentLimit": call.sandbox.ledger.slots,
        "runningCount": len(active) - queued,
        "queuedCount": queued,
        "totalCurrentTasks": len(active),
    }


def keys(call: Call) -> dict[str, Any]:
    """The one key that asks, as API.md 8 lists them."""
    key = call.key()
    record = {
        "key": key,
        "apiKeyName": "Sandbox",
        "status": 1,
        "quotaLimit": None,
        "quotaUsed": format(call.sandbox.ledger.spent.get(owner_of(key), Decimal(0)), "f"),
        "visible": True,
        "expireAt": None,
        "createdAt": "2026-01-01 00:00:00",
    }
    return success([record])


def upload(call: Call) -> dict[str, Any]:
    call.key(401)
    name, content_type, data = _file(call)
    record = call.sandbox.ledger.keep_upload(name, content_type, data)
    call.sandbox.log.upload(name, record)
    return success(
        {
            "type": content_type.partition("/")[0],
            "download_url": f"{call.base}/uploads/{record['name']}",
            "fileName": f"openapi/{record['name']}",
            "size": str(len(data)),
        },
        word="message",
    )


def legacy_upload(call: Call) -> dict[str, Any]:
    form = multipart(call.body, call.headers.get("content-type", ""))
    if len(form.get("apiKey", ("", "", b""))[2].strip()) != KEY_LENGTH:
        call.key()
    name, content_type, data = _file(call)
    if len(data) > LEGACY_UPLOAD_LIMIT:
        raise Refusal(809)
    record = call.sandbox.ledger.keep_upload(name, content_type, data)
    call.sandbox.log.upload(name, record)
    return success({"fileName": f"api/{record['name']}", "fileType": "input"})


def _file(call: Call) -> tuple[str, str, bytes]:
    """Name, content type and bytes of the field ``file``. Raises Refusal 808."""
    found = multipart(call.body, call.headers.get("content-type", "")).get("file")
    if found is None or not found[2]:
        raise Refusal(808, "APIKEY_UPLOAD_FAILED: no file in the field file")
    name, content_type, data = found
    return name, content_type or mimetypes.guess_type(name)[0] or "application/octet-stream", data


def account(call: Call) -> dict[str, Any]:
    ledger, owner = call.sandbox.ledger, owner_of(call.legacy_key())
    return success(
        {
            "remainCoins": "0",
            "currentTaskCounts": str(len(ledger.active(owner))),
            "remainMoney": format(ledger.money_left(owner), "f"),
            "currency": ledger.currency,
            "apiType": "SHARED",
        }
    )


def cancel(call: Call) -> dict[str, Any]:
    key, task_id = call.legacy_key(), call.json().get("taskId")
    call.sandbox.log.cancel(task_id)
    call.sandbox.ledger.cancel(key, task_id)
    return success(None)


def status(call: Call) -> dict[str, Any]:
    return success(call.known().status)


def outputs(call: Call) -> dict[str, Any]:
    return call.known().outputs_answer(call.base)


def webhook_detail(call: Call) -> dict[str, Any]:
    task = call.known()
    if not task.webhook:
        raise Refusal(1)
    return success({**task.webhook, "userApiKey": ""})


def webhook_retry(call: Call) -> dict[str, Any]:
    key, body = call.legacy_key(), call.json()
    ledger = call.sandbox.ledger
    with ledger.lock:
        task = next(
            (
                task
                for task in ledger.tasks.values()
                if task.webhook.get("id") == str(body.get("webhookId")) and task.owner == owner_of(key)
            ),
            None,
        )
        if task is None:
            raise Refusal(1)
        address = body.get("webhookUrl")
        if isinstance(address, str) and address.startswith(("http://", "https://")):
            task.webhook["webhookUrl"] = address
        task.webhook["updateTime"] = time.strftime("%Y-%m-%d %H:%M:%S")
    ledger.webhooks.deliver(task, ledger.save)
    return success(None)


Answerer = Callable[[Call], Any]
"""Reads a call, gives the payload, raises Refusal."""

LEGACY: dict[str, tuple[str, Answerer]] = {
    "/uc/openapi/accountStatus": ("account", account),
    "/task/openapi/ai-app/run": ("submit", run_app),
    "/task/openapi/create": ("submit", run_workflow),
    "/api/openapi/getJsonApiFormat": ("graph", workflow_graph),
    "/api/openapi/getLoraUploadUrl": ("lora", lora),
    "/task/openapi/cancel": ("cancel", cancel),
    "/task/openapi/status": ("status", status),
    "/task/openapi/outputs": ("outputs", outputs),
    "/task/openapi/upload": ("upload", legacy_upload),
    "/task/openapi/getWebhookDetail": ("webhook-detail", webhook_detail),
    "/task/openapi/retryWebhook": ("webhook-retry", webhook_retry),
}
"""Older address -> (route of the script, function)."""
