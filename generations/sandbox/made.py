"""One result of a job, and why there may be none."""

from __future__ import annotations

from dataclasses import dataclass

from generations.sandbox.voices import Traits


class UnusableSample(ValueError):
    """The sound a job works on, the sample of a voice or a recording, cannot be fetched or read."""


@dataclass(frozen=True)
class Made:
    """One result: the bytes of a file, or a text. ``traits`` are those of a voice just made."""

    ext: str
    data: bytes | None = None
    text: str | None = None
    traits: Traits | None = None
