"""A program that calls the API as one member."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import ApiToken, Membership

ROOT = "/api/v1/"


class Program:
    """Calls with one token; `token` is none where an anonymous caller is meant."""

    def __init__(self, token: str | None, *, raises: bool = True) -> None:
        self.client = Client(raise_request_exception=raises)
        self.headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def get(self, path: str, data: Any = None, **headers: str) -> Any:
        return self.client.get(ROOT + path, data, headers=self.headers | _names(headers))

    def head(self, path: str, **headers: str) -> Any:
        return self.client.head(ROOT + path, headers=self.headers | _names(headers))

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body) if body is not None else b""
        named = self.headers | _names(headers)
        return self.client.post(ROOT + path, data, content_type="application/json", headers=named)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """PATCH and DELETE."""
        data = json.dumps(body) if body is not None else b""
        return self.client.generic(
            method, ROOT + path, data, content_type="application/json", headers=self.headers
        )

    def upload(self, file: Any, **headers: str) -> Any:
        return self.client.post(ROOT + "uploads", {"file": file}, headers=self.headers | _names(headers))


def _names(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def program_of() -> Callable[[Membership], Program]:
    """The API as this member's token sees it."""
    return lambda membership: Program(ApiToken.issue(membership))


@pytest.fixture
def anonymous() -> Program:
    return Program(None)
