"""One task of the sandbox: what it is, how long it takes, how it reads in RunningHub's answers."""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from generations.catalogue.spec import Kind
from generations.sandbox import telling
from generations.sandbox.refusals import TEXTS, Refusal, success, wrapped

FINAL = frozenset({"SUCCESS", "FAILED", "CANCEL"})
_counter = itertools.count()


def new_task_id() -> str:
    """19 digits, rising with time, unique within a process and practically so across restarts."""
    return str(int(time.time() * 1000) * 1_000_000 + next(_counter) % 1_000_000)


def jitter(task_id: str, name: str) -> float:
    """0 to 1, always the same for the same task."""
    return int.from_bytes(hashlib.sha256(f"{task_id}/{name}".encode()).digest()[:4], "big") / 2**32


def usual_seconds(kind: Kind, characters: int, task_id: str, usual: int) -> tuple[float, float]:
    """(seconds queued, seconds running) at pace 1: speech 4 to 10 by length of text, music 20 to 35, a clone
    about 10.
    """
    queued = 0.6 + 1.2 * jitter(task_id, "queued")
    dice = jitter(task_id, "running")
    if kind is Kind.SPEECH:
        return queued, 4.0 + min(characters / 250, 4.5) + 1.5 * dice
    if kind in (Kind.MUSIC, Kind.SONG):
        return queued, 20.0 + 15.0 * dice
    if kind is Kind.VOICE:
        return queued, 9.0 + 2.5 * dice
    return queued, usual * (0.8 + 0.4 * dice)


@dataclass
class Task:
    """A task as the ledger keeps it. Times are seconds since the epoch; ``cost`` is text in the account's
    currency.
    """

    task_id: str
    owner: str
    endpoint: str
    body: dict[str, Any]
    job: dict[str, Any]
    created_at: float
    starts_at: float
    ends_at: float
    status: str = "QUEUED"
    cost: str | None = None
    webhook_url: str = ""
    voice_id: str = ""
    """The voice this task clones."""
    fate: dict[str, Any] = field(default_factory=dict)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    """``file`` (name in the store), ``link`` (name in the address), ``ext``; or ``text``."""
    rendered: bool = False
    error_code: int = 0
    error_text: str = ""
    finished_at: float = 0.0
    nodes: list[str] = field(default_factory=list)
    """Of an app or a workflow: what works one after the other, as its progress tells."""
    webhook: dict[str, Any] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        return self.status in FINAL

    def to_record(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Task:
        """Raises TypeError when the record is not one of ours."""
        return cls(**record)

    def usage(self) -> dict[str, Any]:
        """The four cost fields; empty until the task is over (API.md 3)."""
        charged = self.cost if self.status == "SUCCESS" else None
        return {
            "consumeMoney": None,
            "consumeCoins": None,
            "taskCostTime": "0" if self.is_over else None,
            "thirdPartyConsumeMoney": charged,
        }

    def results(self, base: str) -> list[dict[str, Any]] | None:
        if self.status != "SUCCESS":
            return None
        if "results" in self.fate:
            return list(self.fate["results"])
        return [
            {
                "url": f"{base}/results/{output['link']}" if "link" in output else None,
                "outputType": output["ext"],
                "nodeId": str(position),
                "text": output.get("text"),
            }
            for position, output in enumerate(self.outputs, 1)
        ]

    def submitted(self) -> dict[str, Any]:
        """The answer to the submit that created this task."""
        tips: dict[str, Any] = {"result": True, "error": None, "outputs_to_execute": [], "node_errors": {}}
        return {
            "taskId": self.task_id,
            "status": self.status,
            "errorCode": "",
            "errorMessage": "",
            "results": None,
            "clientId": hashlib.md5(self.task_id.encode(), usedforsecurity=False).hexdigest(),
            "promptTips": json.dumps(tips),
        }

    def queried(self, base: str) -> dict[str, Any]:
        """The answer to ``/openapi/v2/query``."""
        return {
            "taskId": self.task_id,
            "status": self.status,
            "errorCode": str(self.error_code) if self.error_code else "",
            "errorMessage": self.error_text,
            "failedReason": self.failed_reason(),
            "usage": self.usage(),
            "results": self.results(base),
            "clientId": "",
            "promptTips": "",
        }

    def failed_reason(self) -> dict[str, Any]:
        if self.status != "FAILED":
            return {}
        return {
            "node_id": "1",
            "node_name": self.endpoint,
            "exception_message": self.error_text,
            "traceback": "[]",
        }

    def outputs_answer(self, base: str) -> dict[str, Any]:
        """The answer to the older ``/task/openapi/outputs``: 0, 804, 813 or 805."""
        if self.status == "QUEUED":
            return wrapped(Refusal(813))
        if self.status == "RUNNING":
            return {**wrapped(Refusal(804)), "data": {"netWssUrl": telling.address(self, base)}}
        if self.status != "SUCCESS":
            return {**wrapped(Refusal(805)), "data": {"failedReason": self.failed_reason()}}
        return success(
            [
                {
                    "fileUrl": r.get("url"),
                    "fileType": r.get("outputType"),
                    "nodeId": r.get("nodeId"),
                    **self.usage(),
                }
                for r in self.results(base) or []
            ]
        )

    def fail(self, code: int, text: str = "") -> None:
        self.status, self.error_code, self.error_text = (
            "FAILED",
            code,
            text or TEXTS.get(code, "generation failed"),
        )
