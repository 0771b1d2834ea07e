"""JSON given to the very forms that pages use, so that both ways refuse the same with the same sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from generations.catalogue.spec import InvalidParams

PLAIN = r"^[^\x00]*$"


def _no_number(value: Any) -> Any:
    if isinstance(value, bool | str):
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    return value


NUMBER = BeforeValidator(_no_number)
"""Beside `int`: a whole number of a JSON body as JSON Schema means it. 3.0 is one, true and "3" are none."""


def given(values: Mapping[str, Any]) -> QueryDict:
    """The values as a form gets them: lists as several, true as a tick, and nothing for null and false."""
    data = QueryDict(mutable=True)
    for name, value in values.items():
        if isinstance(value, list):
            data.setlist(name, [str(one) for one in value])
        elif value is True:
            data[name] = "on"
        elif value is not None and value is not False:
            data[name] = str(value)
    return data


def checked(form: forms.BaseForm) -> None:
    """Raises `InvalidParams` with the sentences of a form that is not valid."""
    if not form.is_valid():
        faults = {("" if name == "__all__" else name): said for name, said in form.errors.items()}
        raise InvalidParams({name: [str(one) for one in said] for name, said in faults.items()})
