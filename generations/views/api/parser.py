"""Reading JSON bodies: what JSON does not have, and what no request of ours needs, is refused at the edge."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from django.http import HttpRequest
from ninja.parser import Parser

MAX_DEPTH = 20


class StrictParser(Parser):
    """Raises `ValueError` or `RecursionError` for what cannot be read; ninja answers 400 to both."""

    def parse_body(self, request: HttpRequest) -> Any:
        body = json.loads(request.body, parse_constant=_no_number)
        level = [body]
        for _ in range(MAX_DEPTH):
            level = [
                inner
                for value in level
                if isinstance(value, (dict, list))
                for inner in (value.values() if isinstance(value, dict) else value)
            ]
        if level:
            raise ValueError(f"More than {MAX_DEPTH} levels.")
        return body


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON.")
