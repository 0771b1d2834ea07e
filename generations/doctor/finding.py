"""One line of the doctor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, and what to do about it ("" when nothing).

    `team` is the one whose business it is, None when it is everybody's.
    """

    subject: str
    fine: bool
    sentence: str
    advice: str = ""
    team: int | None = None

    def __str__(self) -> str:
        return f"{self.sentence} {self.advice}".strip()

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Finding:
        return cls(**{name: plain[name] for name in ("subject", "fine", "sentence", "advice", "team")})


def well(subject: str, sentence: str, advice: str = "", team: int | None = None) -> Finding:
    return Finding(subject, fine=True, sentence=sentence, advice=advice, team=team)


def wrong(subject: str, sentence: str, advice: str = "", team: int | None = None) -> Finding:
    return Finding(subject, fine=False, sentence=sentence, advice=advice, team=team)
