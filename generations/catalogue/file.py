"""Whether a file fits a media param, from what is known of it, and which params a result could go into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from generations.catalogue import load
from generations.catalogue.param import ParamSpec, ParamType
from generations.catalogue.spec import ModelSpec

_SLACK = 0.05
"""Seconds by which encoders and recorders miss a round length."""
_OTHER = {
    ParamType.IMAGE: "This is not a picture. Choose another file.",
    ParamType.VIDEO: "This is not a video. Choose another file.",
    ParamType.AUDIO: "This is not sound. Choose another file.",
}


@dataclass(frozen=True)
class Use:
    """A model that takes a result through one of its params."""

    spec: ModelSpec
    param: ParamSpec

    @property
    def words(self) -> str:
        """What the result becomes there: "Clone this voice", or the model's own name."""
        return self.param.use_as or self.spec.title


def kinds(param: ParamSpec) -> tuple[str, ...]:
    """The kinds of file that a param can be filled with, the last of them after some wrapping."""
    if not param.type.is_media:
        return ()
    return (param.type.value.lower(), *(("audio",) if param.takes_sound else ()))


def extensions(param: ParamSpec) -> set[str]:
    """The accepted extensions as files have them; empty when any file of the type is taken."""
    return {"jpg" if name.lower() == "jpeg" else name.lower() for name in param.accept}


def fault(
    param: ParamSpec,
    kind: str,
    extension: str,
    size: int,
    seconds: float | None,
    sides: tuple[int, int] | None = None,
) -> str:
    """A sentence that says why a file of `size` bytes cannot go into the param, "" when it can.

    A length, or the width and height of a picture, that is not known is not held against a file.
    """
    if kind != param.type.value.lower():
        return _OTHER[param.type]
    if param.accept and extension not in extensions(param):
        return f"{extension.upper()} is not accepted here. Use {' or '.join(name.upper() for name in param.accept)}."
    return size_fault(param, size) or length_fault(param, seconds) or sides_fault(param, sides)


def sides_fault(param: ParamSpec, sides: tuple[int, int] | None) -> str:
    if sides is None:
        return ""
    here = f"this has {sides[0]:,} × {sides[1]:,}"
    if param.sizes and f"{sides[0]}x{sides[1]}" not in param.sizes:
        named = [size.replace("x", " × ") for size in param.sizes]
        return f"The picture has to have {' or '.join(named)} pixels; {here}. Crop it to one of them."
    if param.min_side and min(sides) < param.min_side:
        return f"Each side has to have at least {param.min_side:,} pixels; {here}."
    if param.max_side and max(sides) > param.max_side:
        return f"Each side may have at most {param.max_side:,} pixels; {here}."
    return ""


def size_fault(param: ParamSpec, size: int) -> str:
    if param.max_size_mb and size > param.max_size_mb * 1024**2:
        return f"At most {param.max_size_mb} MB; this file has {size / 1024**2:.1f} MB."
    return ""


def length_fault(param: ParamSpec, seconds: float | None) -> str:
    if seconds is not None and param.min_seconds and seconds < param.min_seconds - _SLACK:
        return f"At least {length(param.min_seconds)}; this has {seconds:.1f} seconds."
    if seconds is not None and param.max_seconds and seconds > param.max_seconds + _SLACK:
        return f"At most {length(param.max_seconds)}; this has {length(round(seconds))}."
    return ""


def length(seconds: int) -> str:
    """`10 seconds`, `5 minutes`, `5 minutes 3 seconds`."""
    minutes, rest = divmod(seconds, 60)
    parts = [f"{n} {word}{'' if n == 1 else 's'}" for n, word in ((minutes, "minute"), (rest, "second")) if n]
    return " ".join(parts) or "0 seconds"


@cache
def uses(kind: str, site: str) -> Sequence[Use]:
    """Every model of a site that takes a result of "audio", "image" or "video", those with words of their own first."""
    found = [use for spec in load.offered(site) if (use := use_in(spec, kind))]
    return tuple(sorted(found, key=lambda use: not use.param.use_as))


def use_in(spec: ModelSpec, kind: str) -> Use | None:
    """How one model takes a result of this kind: by the param that has words for it, else by the first that fits."""
    fitting = [param for param in spec.params if kind in kinds(param) and not param.hidden]
    named = [param for param in fitting if param.use_as]
    return next((Use(spec, param) for param in named or fitting), None)
