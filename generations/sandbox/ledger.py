"""The sandbox's memory: tasks, accounts, uploads and clones, and the rules by which they change.

Every change happens under one lock. A key is known only by its digest; each key has its own slots and its own
balance.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from generations.catalogue.pricing import estimate
from generations.sandbox import ids
from generations.sandbox.clock import Clock
from generations.sandbox.films import length
from generations.sandbox.orders import Order, data_uri, read_order
from generations.sandbox.refusals import Refusal
from generations.sandbox.store import Store
from generations.sandbox.studio import Job, Piece, Spoiled, Studio
from generations.sandbox.tasks import Task, new_task_id, usual_seconds
from generations.sandbox.webhooks import Webhooks

DAY = 86_400.0
KEPT_SECONDS = 7 * DAY


def owner_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]


class Ledger:
    """Times in seconds, money in the account's currency. ``pace`` scales every lifelike time; 0 means at
    once.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        webhooks: Webhooks,
        slots: int = 3,
        pace: float = 1.0,
        quick: bool = False,
        balance: Decimal = Decimal("5000"),
        currency: str = "CNY",
        upload_seconds: float = DAY,
        result_seconds: float = DAY,
    ) -> None:
        self.store, self.clock, self.webhooks = store, clock, webhooks
        self.slots, self.pace, self.quick = slots, pace, quick
        self.balance, self.currency = balance, currency
        self.upload_seconds, self.result_seconds = upload_seconds, result_seconds
        self.lock = threading.RLock()
        self.tasks: dict[str, Task] = {}
        self.links: dict[str, tuple[str, str]] = {}
        """Name in a result's address -> (task id, name of the file)."""
        self.uploads: dict[str, dict[str, Any]] = {}
        self.clones: dict[str, dict[str, Any]] = {}
        self.spent: dict[str, Decimal] = {}
        self.studio = Studio(store, self._rendered)
        self.base = ""

    def start(self, base: str) -> None:
        """Begin to work, at first on what an earlier run left behind."""
        self.base = base
        self._recall()
        self.studio.start()
        for task in list(self.tasks.values()):
            if not task.is_over:
                self._schedule(task)

    def stop(self) -> None:
        self.studio.stop()

    def _recall(self) -> None:
        horizon = time.time() - KEPT_SECONDS
        for record in self.store.records("tasks"):
            try:
                task = Task.from_record(record)
            except TypeError:
                continue
            if task.created_at < horizon:
                self.store.forget("tasks", task.task_id)
                continue
            self.tasks[task.task_id] = task
            self._link(task)
        self.uploads = {r["name"]: r for r in self.store.records("uploads") if "name" in r}
        self.clones = {r["voice_id"]: r for r in self.store.records("voices") if "voice_id" in r}
        self.spent = {r["owner"]: Decimal(r["spent"]) for r in self.store.records("accounts") if "spent" in r}

    # accounts

    def active(self, owner: str) -> list[Task]:
        with self.lock:
            return [task for task in self.tasks.values() if task.owner == owner and not task.is_over]

    def money_left(self, owner: str) -> Decimal:
        with self.lock:
            return self.balance - self.spent.get(owner, Decimal(0))

    # tasks

    def accept(
        self, key: str, path: str, body: dict[str, Any], fate: dict[str, Any], nodes: Sequence[str] = ()
    ) -> Task:
        """Create a task and start it. Raises Refusal, in which case nothing was created."""
        order = read_order(path, body)
        owner = owner_of(key)
        cost = estimate(order.spec, order.params, lengths=self._lengths(order)).amount
        with self.lock:
            job = self._job(order)
            active = self.active(owner)
            if len(active) >= self.slots:
                raise Refusal(421)
            promised = sum((Decimal(task.cost) for task in active if task.cost), Decimal(0))
            if cost is not None and self.money_left(owner) - promised < cost:
                raise Refusal(812)
            task = self._new_task(owner, order, body, job, cost, fate)
            task.nodes = list(nodes)
            self.tasks[task.task_id] = task
            self.save(task)
        self._schedule(task)
        return task

    def _new_task(
        self,
        owner: str,
        order: Order,
        body: dict[str, Any],
        job: Job,
        cost: Decimal | None,
        fate: dict[str, Any],
    ) -> Task:
        task_id, now = new_task_id(), time.time()
        words = order.params.get(order.spec.prompt_param or "text", "")
        queued, running = usual_seconds(order.spec.kind, len(str(words)), task_id, order.spec.usual_seconds)
        starts = now + queued * self.pace
        ends = starts + float(fate["seconds"]) if "seconds" in fate else starts + running * self.pace
        return Task(
            task_id=task_id,
            owner=owner,
            endpoint=order.spec.endpoint,
            body=body,
            job=job.to_record(),
            created_at=now,
            starts_at=starts,
            ends_at=ends,
            status="QUEUED" if starts > now else "RUNNING",
            cost=None if cost is None else format(cost, "f"),
            webhook_url=order.webhook_url,
            voice_id=ids.new_voice(order, job.params),
            fate=fate,
        )

    def _job(self, order: Order) -> Job:
        """What the studio has to do. Raises Refusal 1007 for an id that is unknown or already taken."""
        params = ids.made_up(order)
        ids.check_free(
            order, params, {*self.clones, *(t.voice_id for t in self.tasks.values() if not t.is_over)}
        )
        ids.check_prepared(order, self.tasks.values())
        traits = ids.voice_of(order, self.clones)
        sample = self._sample(order)
        return Job(order.spec.kind.value, params, traits, sample, self.quick, order.spec.endpoint)

    def _lengths(self, order: Order) -> dict[str, float]:
        """The seconds of the given file whose length the price counts, as far as its index tells them."""
        price = order.spec.price
        address = order.params.get(price.param, "") if price else ""
        name = urlsplit(address).path.rpartition("/")[2] if isinstance(address, str) else ""
        path = self.upload_path(name) if "/uploads/" in str(address) else None
        return {address: found} if path is not None and (found := length(path.read_bytes())) else {}

    def _sample(self, order: Order) -> str:
        """The stored file of the first address; "" without one that can be fetched, where needed a failure, 1013."""
        given = [order.params[p.key] for p in order.spec.params if p.type.is_media and p.key in order.params]
        first = given[0] if given else ""
        address = str(first[0] if isinstance(first, list) else first)
        if (inline := data_uri(address)) is not None:
            return str(self.keep_upload("sample.bin", "application/octet-stream", inline)["name"])
        name = urlsplit(address).path.rpartition("/")[2]
        return name if "/uploads/" in address and self.upload_path(name) is not None else ""

    def _schedule(self, task: Task) -> None:
        if task.status == "QUEUED":
            self.clock.at(task.starts_at, lambda: self._begin(task))
        if "fail" in task.fate or task.rendered:
            self.clock.at(task.ends_at, lambda: self._end(task))
        elif "hang" not in task.fate:
            self.studio.put(task.task_id, Job.from_record(task.job))

    def _begin(self, task: Task) -> None:
        with self.lock:
            if task.status == "QUEUED":
                task.status = "RUNNING"
                self.save(task)

    def _rendered(self, task_id: str, outcome: list[Piece] | Spoiled) -> None:
        """The studio is done: the task ends now or when its time has come, whichever is later."""
        with self.lock:
            task = self.tasks[task_id]
            if isinstance(outcome, Spoiled):
                task.fate = {**task.fate, "fail": outcome.code, "message": outcome.text}
            else:
                task.outputs = [piece.output(task_id, position) for position, piece in enumerate(outcome)]
                task.rendered = True
                self._link(task)
                if task.voice_id and outcome[0].traits is not None:
                    task.job = {**task.job, "traits": outcome[0].traits.to_record()}
            self.save(task)
        if time.time() >= task.ends_at:
            self._end(task)
        else:
            self.clock.at(task.ends_at, lambda: self._end(task))

    def _end(self, task: Task) -> None:
        with self.lock:
            if task.is_over:
                return
            task.finished_at = time.time()
            if "fail" in task.fate:
                task.fail(int(task.fate["fail"]), str(task.fate.get("message", "")))
            else:
                task.status = "SUCCESS"
                self._charge(task)
                if task.voice_id:
                    self._keep_clone(task)
            self.save(task)
        self.webhooks.announce(task, self.base, self.save)

    def _charge(self, task: Task) -> None:
        if task.cost:
            self.spent[task.owner] = self.spent.get(task.owner, Decimal(0)) + Decimal(task.cost)
            record = {"owner": task.owner, "spent": str(self.spent[task.owner])}
            self.store.record("accounts", task.owner, record)

    def _keep_clone(self, task: Task) -> None:
        traits, sings = task.job.get("traits"), ids.sings(task.endpoint)
        clone = {"voice_id": task.voice_id, "owner": task.owner, "traits": traits, "sings": sings}
        self.clones[task.voice_id] = clone
        self.store.record("voices", hashlib.sha256(task.voice_id.encode()).hexdigest()[:32], clone)

    def find(self, key: str, task_id: object) -> Task | None:
        """A task of this key; somebody else's is as unknown as one that never was."""
        with self.lock:
            task = self.tasks.get(task_id) if isinstance(task_id, str) else None
            return task if task is not None and task.owner == owner_of(key) else None

    def cancel(self, key: str, task_id: object) -> None:
        """Raises Refusal 807 for an unknown task and 805 for one that is over."""
        with self.lock:
            task = self.find(key, task_id)
            if task is None:
                raise Refusal(807)
            if task.is_over:
                raise Refusal(805)
            if "deaf" in task.fate:
                return
            task.status, task.finished_at = "CANCEL", time.time()
            self.save(task)
        self.webhooks.announce(task, self.base, self.save)

    def save(self, task: Task) -> None:
        self.store.record("tasks", task.task_id, task.to_record())

    def _link(self, task: Task) -> None:
        for output in task.outputs:
            if "link" in output:
                self.links[output["link"]] = (task.task_id, output["file"])

    # files

    def keep_upload(self, name: str, content_type: str, data: bytes) -> dict[str, Any]:
        suffix = Path(name).suffix.lower()[:9]
        stored = hashlib.sha256(data + str(time.time_ns()).encode()).hexdigest()[:40] + (
            suffix if suffix[1:].isalnum() else ""
        )
        self.store.write("uploads", stored, data)
        record = {"name": stored, "content_type": content_type, "size": len(data), "created_at": time.time()}
        with self.lock:
            self.uploads[stored] = record
            self.store.record("uploads", stored.partition(".")[0], record)
        return record

    def upload_path(self, name: str) -> Path | None:
        """The file of an upload that has not expired (API.md 5: they live one day)."""
        with self.lock:
            record = self.uploads.get(name)
        if record is None or time.time() - record["created_at"] > self.upload_seconds:
            return None
        return self.store.path("uploads", name)

    def result_path(self, link: str) -> Path | None:
        """The file of a result that has not expired (API.md 11)."""
        with self.lock:
            task_id, file = self.links.get(link, ("", ""))
            task = self.tasks.get(task_id)
        if task is None or task.status != "SUCCESS" or time.time() - task.finished_at > self.result_seconds:
            return None
        return self.store.path("results", file)
