"""Numbers from outside: whole or not, in bounds, and small enough for every JSON reader on the way."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from generations.catalogue.param import ParamSpec, ParamType
from generations.catalogue.text import Fault

_WHOLE = re.compile(r"[+-]?[0-9]{1,40}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")
_UNBOUNDED_WHOLE = Decimal(2**63 - 1)
_UNBOUNDED = Decimal(10**15)


def shown(number: Decimal | int | float) -> str:
    """The number for a sentence: no exponent, no trailing zeros, thousands apart."""
    text = f"{Decimal(repr(number)) if isinstance(number, float) else Decimal(number):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def from_text(param: ParamSpec, raw: str) -> int | float:
    """A number out of a form field. Raises Fault."""
    text = raw.strip().replace("\N{MINUS SIGN}", "-")
    if "," in text:
        raise Fault("Write the number with a point and without commas, like 1.05 or 1200.")
    if param.type is ParamType.INT:
        if not _WHOLE.fullmatch(text):
            raise Fault(_expected(param))
        return within(param, int(text))
    if not _DECIMAL.fullmatch(text):
        raise Fault(_expected(param))
    return within(param, float(text))


def from_json(param: ParamSpec, raw: object) -> int | float:
    """A number out of JSON. True and "5" are not numbers. Raises Fault."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float)):
        raise Fault(_expected(param))
    return within(param, raw)


def within(param: ParamSpec, number: int | float) -> int | float:
    """The number in wire type: whole numbers as int, so that 1 is never sent as 1.0. Raises Fault.

    The step binds whole numbers only; models take fractions finer than the step of their slider.
    """
    if isinstance(number, float):
        if not math.isfinite(number):
            raise Fault(_bounds(param))
        if number.is_integer():
            number = int(number)
        elif param.type is ParamType.INT:
            raise Fault(_expected(param))
    unbounded = _UNBOUNDED_WHOLE if param.type is ParamType.INT else _UNBOUNDED
    low = -unbounded if param.min is None else param.min
    high = unbounded if param.max is None else param.max
    exact = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
    if not low <= exact <= high:
        raise Fault(_bounds(param))
    if isinstance(number, int) and param.type is ParamType.INT and param.step and param.step > 1:
        start = param.min or Decimal(0)
        if (exact - start) % param.step:
            raise Fault(f"Use steps of {shown(param.step)} from {shown(start)}.")
    return number


def _bounds(param: ParamSpec) -> str:
    if param.min is not None and param.max is not None:
        return f"Between {shown(param.min)} and {shown(param.max)}."
    if param.min is not None:
        return f"At least {shown(param.min)}, and not so large."
    if param.max is not None:
        return f"At most {shown(param.max)}, and not so small."
    return "This number is too large to be sent; use a smaller one."


def _expected(param: ParamSpec) -> str:
    wanted = "a whole number" if param.type is ParamType.INT else "a number"
    if param.min is not None and param.max is not None:
        return f"Enter {wanted} between {shown(param.min)} and {shown(param.max)}."
    return f"Enter {wanted}."
