"""A password hasher that says how often it was run."""

from __future__ import annotations

from django.contrib.auth.hashers import MD5PasswordHasher


class Counting(MD5PasswordHasher):
    runs = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).runs += 1
        return super().encode(password, salt)
