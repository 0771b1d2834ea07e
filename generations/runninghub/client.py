"""The client: one method per call of the API, no call made twice.

Nothing here retries, waits or remembers; whoever calls decides when to ask again. One client is meant to be
kept and used from many threads at once.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO
from urllib.parse import quote, urlsplit

import requests
from requests.auth import AuthBase

from . import replies, telling, verdicts
from .addresses import is_loopback_host
from .answers import Answer, Scrubber, parse
from .download import Downloader
from .errors import NotAccepted, ReadRefused, Refused, Unclear, Unreachable, UpstreamError
from .multipart import MultipartFile
from .transport import NoAnswer, NotSent, Received, Transport

NO_EVENT = "1"
_MAX_ANSWER = 8 * 1024 * 1024
_BLOCK = 1024 * 1024


class _Bearer(AuthBase):
    """Adds the key at the last moment, so that it stands in no variable of a frame or of an error."""

    def __init__(self, api_key: str) -> None:
        self._api_key = api_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._api_key}"
        return request

    def added_to(self, body: Mapping[str, Any], field: str) -> dict[str, Any]:
        """A body with the key in it, as older calls want it (API.md 1)."""
        return {field: self._api_key, **body}

    @property
    def ends_in(self) -> str:
        return self._api_key[-4:]

    def in_address(self) -> AuthBase:
        """The same, with the key in the address as well, which one call wants (API.md 7)."""
        return _InAddress(self._api_key)

    def __repr__(self) -> str:
        return "<key>"


class _InAddress(_Bearer):
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.prepare_url(request.url, {"apiKey": self._api_key})
        return super().__call__(request)


class Client:
    """One key on one site of RunningHub.

    ``base_url`` is the site ("https://www.runninghub.ai"); ``timeout`` is (connect, read) in seconds, the
    second also limits the reading of an answer; ``trust_env`` uses the proxies and the certificate bundle
    named by the environment. Raises ValueError for an address or a key that cannot be one.
    """

    def __init__(
        self, *, base_url: str, api_key: str, timeout: tuple[float, float] = (5, 60), trust_env: bool = False
    ) -> None:
        self.base_url = base_url.strip().rstrip("/").removesuffix("/openapi/v2")
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("the address of RunningHub must look like https://www.runninghub.ai")
        api_key = api_key.strip()
        if not re.fullmatch(r"[!-~]{8,200}", api_key):
            raise ValueError("the key must have 8 to 200 characters without spaces")
        self._auth = _Bearer(api_key)
        self._scrub = Scrubber(api_key)
        self._timeout = timeout
        self._reads = Transport(trust_env=trust_env)
        # A kept connection that the other side is just closing would lose a submit half-way: outcome unknown.
        # Submits therefore always open one of their own.
        self._submits = Transport(trust_env=trust_env, keep_alive=False)
        self._is_near = is_loopback_host(parts.hostname)
        self._downloads = Downloader(allow_loopback=self._is_near, timeout=timeout, trust_env=trust_env)

    def __repr__(self) -> str:
        return f"<Client {self.base_url}>"

    def close(self) -> None:
        """Drop the kept connections; the client can still be used."""
        for kept in (self._reads, self._submits, self._downloads):
            kept.close()

    def submit(self, endpoint: str, body: Mapping[str, Any]) -> replies.Submitted:
        """Start a generation: at most one request, never repeated (API.md 2).

        Raises NotAccepted, Refused, Unclear.
        """
        return self._submit(_model_path(endpoint), body)

    def run(self, path: str, body: Mapping[str, Any]) -> replies.Submitted:
        """Start an AI app or a workflow at ``path``, as ``submit``: at most one request (API.md 6 and 7)."""
        return self._submit(path, body, key_field="apiKey")

    def _submit(self, path: str, body: Mapping[str, Any], *, key_field: str = "") -> replies.Submitted:
        failure: UpstreamError
        try:
            data = _encoded(self._auth.added_to(body, key_field) if key_field else body)
        except (TypeError, ValueError, RecursionError) as error:
            failure = Refused("unsendable", self._scrub.text(str(error)[:200]), "params")
        else:
            try:
                answer = self._ask(self._submits, path, data, {"Connection": "close"})
                return verdicts.submitted(answer)
            except NotSent as error:
                failure = NotAccepted("unreachable", self._scrub.text(str(error)), "capacity")
            except NoAnswer as error:
                failure = Unclear("no_answer", self._scrub.text(str(error)))
        raise failure

    def query(self, upstream_id: str) -> replies.TaskReply:
        """Where a task stands (API.md 3). Raises ReadRefused, Unreachable, neither of them a verdict."""
        return verdicts.task(self._read("/openapi/v2/query", {"taskId": upstream_id}), upstream_id)

    def upload(self, file: BinaryIO, *, name: str, content_type: str) -> replies.Uploaded:
        """Give RunningHub a copy of a seekable file for a day (API.md 5). Raises NotAccepted, Refused."""
        form = MultipartFile(file, field="file", name=name, content_type=content_type)
        failure: UpstreamError
        try:
            answer = self._ask(
                self._reads, "/openapi/v2/media/upload/binary", form, {"Content-Type": form.content_type}
            )
            return verdicts.uploaded(answer)
        except (NotSent, NoAnswer) as error:
            failure = NotAccepted("unreachable", self._scrub.text(str(error)), "capacity")
        raise failure

    def upload_lora(self, file: BinaryIO, *, name: str) -> str:
        """Give RunningHub a LoRA and learn what RHLoraLoader calls it (API.md 5). `file` is seekable.

        The bytes go to an address that RunningHub names, without the key. Raises ReadRefused, Unreachable,
        DownloadFailed.
        """
        digest = hashlib.md5(usedforsecurity=False)
        file.seek(0)
        while block := file.read(_BLOCK):
            digest.update(block)
        body = {"loraName": name, "md5Hex": digest.hexdigest()}
        place = verdicts.lora(self._read("/api/openapi/getLoraUploadUrl", body, key_field="apiKey"))
        file.seek(0)
        self._downloads.put(place.url, file, self._scrub.text)
        return place.file_name

    def price_preview(self, endpoint: str, body: Mapping[str, Any]) -> replies.PricePreview:
        """What a submit would cost; creates nothing (API.md 2). Raises ReadRefused, Unreachable."""
        answer = verdicts.read(self._read(_model_path(endpoint, "price-preview/"), body))
        free = answer.field("isFreeThisCall")
        return replies.PricePreview(
            amount=replies.amount(answer.field("estimatedPrice")),
            currency=replies.text(answer.field("currency"), 10) or "",
            text=replies.text(answer.field("priceTextEn", "priceText"), 300) or "",
            is_free=free if isinstance(free, bool) else None,
            free_left=replies.count(answer.field("remainingFreeLimitCount")),
        )

    def app_form(self, app_id: str) -> replies.AppForm:
        """What an AI app asks for (API.md 7). Raises ReadRefused, Unreachable, also for a form without any input."""
        path = f"/api/webapp/apiCallDemo?webappId={quote(app_id, safe='')}"
        answer = verdicts.read(self._read(path, None, auth=self._auth.in_address()))
        return verdicts.app_form(answer)

    def workflow(self, workflow_id: str) -> dict[str, Any]:
        """The graph of a workflow in API format (API.md 6). Raises ReadRefused, Unreachable."""
        asked = self._read("/api/openapi/getJsonApiFormat", {"workflowId": workflow_id}, key_field="apiKey")
        return verdicts.graph(verdicts.read(asked), self._scrub)

    def queue_status(self) -> replies.QueueStatus:
        """The slots of the key, the cheapest proof of it (API.md 8). Raises ReadRefused, Unreachable."""
        answer = verdicts.read(self._read("/openapi/v2/queue/status", None))
        return replies.QueueStatus(
            limit=replies.count(answer.field("concurrentLimit")),
            running=replies.count(answer.field("runningCount")),
            queued=replies.count(answer.field("queuedCount")),
            total=replies.count(answer.field("totalCurrentTasks")),
            key_type=replies.text(answer.field("apiKeyType"), 40) or "",
        )

    def account_status(self) -> replies.AccountStatus:
        """The balance behind the key (API.md 8). Raises ReadRefused, Unreachable."""
        answer = verdicts.read(self._read("/uc/openapi/accountStatus", {}, key_field="apikey"))
        return replies.AccountStatus(
            balance=replies.amount(answer.field("remainMoney")),
            coins=replies.amount(answer.field("remainCoins")),
            running=replies.count(answer.field("currentTaskCounts")),
            currency=replies.text(answer.field("currency"), 10) or "",
            api_type=replies.text(answer.field("apiType"), 40) or "",
        )

    def api_keys(self) -> tuple[replies.ApiKey, ...]:
        """The keys of the account, each by its end alone (API.md 8). Raises ReadRefused, Unreachable.

        One source describes this call, so any part of it may be missing.
        """
        answer = verdicts.read(self._read("/openapi/v2/api-key/list", None))
        return tuple(replies.api_key(item, self._auth.ends_in) for item in answer.items[: replies.MOST_KEYS])

    def cancel(self, upstream_id: str) -> bool:
        """Ask to stop a task; False when it is unknown or over there. Raises ReadRefused, Unreachable.

        Best effort: what has run is still charged, and standard models may run on (API.md 6).
        """
        try:
            verdicts.read(self._read("/task/openapi/cancel", {"taskId": upstream_id}, key_field="apiKey"))
        except ReadRefused as error:
            if error.reason in ("missing", "failed"):
                return False
            raise
        return True

    def progress_address(self, upstream_id: str) -> str:
        """Where a running app or workflow tells of itself, "" when it does not or is not running (API.md 6 and 9).

        Whoever has the address may listen, so it is for `listen` alone. Raises ReadRefused, Unreachable.
        """
        asked = {"taskId": upstream_id}
        return verdicts.progress_address(self._read("/task/openapi/outputs", asked, key_field="apiKey"))

    def listen(self, url: str, tell: Callable[[telling.Told], None], is_wanted: Callable[[], bool]) -> None:
        """Tells what is heard at an address of `progress_address` while `is_wanted`, without the key.

        Raises telling.NotHeard.
        """
        telling.listen(url, tell, allow_loopback=self._is_near, is_wanted=is_wanted)

    def webhook_event(self, upstream_id: str) -> replies.WebhookEvent | None:
        """The call made when a task ended, None while there is none (API.md 4). Raises ReadRefused, Unreachable."""
        try:
            answer = verdicts.read(
                self._read("/task/openapi/getWebhookDetail", {"taskId": upstream_id}, key_field="apiKey")
            )
        except ReadRefused as error:
            if error.code == NO_EVENT:
                return None
            raise
        return verdicts.webhook_event(answer, upstream_id)

    def retry_webhook(self, event_id: str, url: str) -> None:
        """Have a call made once more, to `url` (API.md 4). Raises ReadRefused, Unreachable."""
        body = {"webhookId": event_id, "webhookUrl": url}
        verdicts.read(self._read("/task/openapi/retryWebhook", body, key_field="apiKey"))

    def download(self, url: str, sink: BinaryIO, *, max_bytes: int, max_seconds: float) -> replies.Downloaded:
        """Copy a result into ``sink`` as it arrives; on an error the sink holds a part of it.

        The key is not sent. At most three redirects are followed. A server that falls silent may hold the
        call for one read timeout longer than ``max_seconds``. Raises TooLarge, TooSlow, Gone, BlockedAddress,
        Cut, DownloadFailed.
        """
        return self._downloads.fetch(
            url, sink, max_bytes=max_bytes, max_seconds=max_seconds, scrub=self._scrub.text
        )

    def _read(
        self, path: str, body: Mapping[str, Any] | None, *, key_field: str = "", auth: AuthBase | None = None
    ) -> Answer:
        failure: Unreachable
        try:
            if body is None:
                return self._ask(self._reads, path, None, {}, auth)
            # The key gets no name of its own here: reports of errors show the variables of a frame.
            return self._ask(
                self._reads, path, _encoded(self._auth.added_to(body, key_field) if key_field else body), {}
            )
        except NotSent as error:
            failure = Unreachable("unreachable", self._scrub.text(str(error)))
        except NoAnswer as error:
            failure = Unreachable("no_answer", self._scrub.text(str(error)))
        raise failure

    def _ask(
        self,
        transport: Transport,
        path: str,
        data: Any,
        headers: Mapping[str, str],
        auth: AuthBase | None = None,
    ) -> Answer:
        received: Received = transport.fetch(
            "GET" if data is None else "POST",
            f"{self.base_url}{path}",
            max_bytes=_MAX_ANSWER,
            timeout=self._timeout,
            data=data,
            headers={"User-Agent": "rhweb", "Content-Type": "application/json"} | dict(headers),
            auth=auth or self._auth,
        )
        return parse(received, self._scrub)


def _model_path(endpoint: str, before: str = "") -> str:
    return f"/openapi/v2/{before}{quote(endpoint.strip('/'))}"


def _encoded(body: Mapping[str, Any]) -> bytes:
    return json.dumps(dict(body), allow_nan=False).encode()
