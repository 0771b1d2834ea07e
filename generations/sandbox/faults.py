"""What the sandbox can be told to do wrong, and the order in which it does it.

A script is a list of faults per route. Each request on a route takes the first fault of its list that fits,
until the list is empty; from then on the route behaves. ``sandbox.script("submit", 421, 421, "ok")`` is "full
twice, then done". The same over HTTP: ``POST /sandbox/script`` with ``{"submit": [421, 421, "ok"]}``; ``GET``
shows what is left and ``DELETE`` clears everything.

Routes: ``submit query preview queue keys account cancel upload status outputs form graph lora webhook-detail
webhook-retry``
(requests that are answered with JSON), ``result`` (downloads), ``webhook`` (the calls the sandbox makes
itself).

A fault is a word, a number or an object:

===========================  =============================================================================
``"ok"``                     behave; useful between two faults
``421``                      short for ``{"refuse": 421}``
``{"refuse": 421}``          refuse with this code in the route's own shape; nothing is created. Also
                             ``message``, and ``wrapped: true`` for the gateway's ``{code, msg, data}``
``{"http": 503}``            this HTTP status before anything is done; with ``after: true`` once it is done
``"lost"``                   do it, then reset the connection without an answer; ``{"lost": "before"}``
                             resets with nothing done
``"broken"``                 do it, then answer half a JSON document; ``{"broken": "before"}`` does nothing
``{"slow": 3}``              3 seconds late, then normal; with ``after: true`` the work comes before the wait
``{"body": ...}``            answer exactly this JSON (``status`` sets the HTTP status); nothing is done
                             unless ``after: true``
``{"merge": {...}}``         the real answer with fields replaced, for instance ``{"status": "WARPED"}``
``{"omit": ["usage"]}``      the real answer without these fields
``{"wrap": true}``           the real answer inside ``{code: 0, msg: "success", data: ...}``
===========================  =============================================================================

``submit`` also decides the fate of the task it creates: ``{"fail": 1501}`` (ends FAILED with that code,
``message`` optional), ``{"hang": true}`` (never ends), ``{"seconds": 12}`` (runs that long whatever the
pace), ``{"deaf": true}`` (a cancel is answered but ignored), ``{"results": [...]}`` (ends with these).

``result`` knows ``{"http": 404}``, ``"lost"``, ``{"cut": 0.5}`` (the full Content-Length, half of the bytes,
then the connection is closed), ``"html"`` (a web page served as sound), ``"endless"`` (bytes for ever, no
length), ``"expired"`` and ``{"drip": 2000}`` (that many bytes a second). ``webhook`` knows ``"lost"`` (never
sent), ``"twice"`` and ``{"body": ...}``. All of them know ``slow``.

Every object may carry ``times`` (how often it is used, 1; 0 means until cleared) and ``when`` (a text that
must occur in the path or body of the request, so that one prompt or one task can be singled out).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

JSON_ROUTES = (
    "submit", "query", "preview", "queue", "keys", "account", "cancel", "upload", "status", "outputs",
    "form", "graph", "lora", "webhook-detail", "webhook-retry",
)  # fmt: skip
ROUTES = (*JSON_ROUTES, "result", "webhook")

ANYWHERE = {"times", "when", "slow"}
ANSWERS = {
    "refuse",
    "message",
    "wrapped",
    "http",
    "lost",
    "broken",
    "after",
    "body",
    "status",
    "merge",
    "omit",
    "wrap",
}
FATES = {"fail", "message", "hang", "seconds", "deaf", "results"}
DOWNLOADS = {"http", "lost", "cut", "html", "endless", "expired", "drip"}
WEBHOOKS = {"lost", "twice", "body"}
WORDS: dict[str, dict[str, Any]] = {
    "ok": {},
    "lost": {"lost": "after"},
    "broken": {"broken": "after"},
    "html": {"html": True},
    "endless": {"endless": True},
    "expired": {"expired": True},
    "twice": {"twice": True},
}


class ScriptError(ValueError):
    """A script names a route, a word or a key that does not exist; the text says which."""


def _allowed(route: str) -> set[str]:
    if route == "result":
        return ANYWHERE | DOWNLOADS
    if route == "webhook":
        return ANYWHERE | WEBHOOKS
    return ANYWHERE | ANSWERS | (FATES if route == "submit" else set())


@dataclass
class Fault:
    """One scripted deviation. An empty one means: behave."""

    spec: dict[str, Any] = field(default_factory=dict)
    left: int = 1

    @classmethod
    def read(cls, route: str, value: Any) -> Fault:
        """Raises ScriptError for anything outside the vocabulary of ``route``."""
        if route not in ROUTES:
            raise ScriptError(f"No route is called {route!r}; there are {', '.join(ROUTES)}.")
        if isinstance(value, bool) or value is None:
            raise ScriptError(f"{value!r} is not a fault.")
        if isinstance(value, int):
            value = {"refuse": value}
        elif isinstance(value, str):
            if value not in WORDS:
                raise ScriptError(f"No fault is called {value!r}; there are {', '.join(WORDS)}.")
            value = WORDS[value]
        if not isinstance(value, Mapping):
            raise ScriptError(f"{value!r} is not a fault.")
        unknown = set(value) - _allowed(route)
        if unknown:
            raise ScriptError(f"The route {route} has no fault {', '.join(sorted(unknown))}.")
        times = value.get("times", 1)
        if isinstance(times, bool) or not isinstance(times, int) or times < 0:
            raise ScriptError("times must be a whole number, 0 for always.")
        return cls({k: v for k, v in value.items() if k != "times"}, times)

    def __contains__(self, key: str) -> bool:
        return key in self.spec

    def get(self, key: str, default: Any = None) -> Any:
        return self.spec.get(key, default)

    @property
    def acts_first(self) -> bool:
        """True when the request is still carried out, False when it is turned away untouched."""
        if "refuse" in self.spec:
            return False
        for key in ("lost", "broken"):
            if key in self.spec:
                return bool(self.spec[key] != "before")
        if "http" in self.spec or "body" in self.spec:
            return bool(self.spec.get("after"))
        return True

    def fate(self) -> dict[str, Any]:
        """The part of a submit's fault that belongs to the task it creates."""
        return {key: self.spec[key] for key in FATES if key in self.spec} if FATES & set(self.spec) else {}


class Script:
    """The faults still to come; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[str, list[Fault]] = {}

    def add(self, route: str, faults: Iterable[Any]) -> None:
        """Append to the route's list. Raises ScriptError, in which case nothing is added."""
        read = [Fault.read(route, value) for value in faults]
        with self._lock:
            self._faults.setdefault(route, []).extend(read)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def take(self, route: str, text: str = "") -> Fault:
        """The fault this request gets; an empty one when none fits. ``text`` is what ``when`` is looked up
        in.
        """
        with self._lock:
            waiting = self._faults.get(route, [])
            for position, fault in enumerate(waiting):
                when = fault.get("when")
                if when is not None and str(when) not in text:
                    continue
                if fault.left == 1:
                    del waiting[position]
                elif fault.left:
                    fault.left -= 1
                return fault
        return Fault()

    def left(self) -> dict[str, list[dict[str, Any]]]:
        with self._lock:
            return {
                r: [{**f.spec, "times": f.left} for f in faults]
                for r, faults in self._faults.items()
                if faults
            }
