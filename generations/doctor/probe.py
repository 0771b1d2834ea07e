"""The path by which the portal asks itself whether its public address leads to it."""

from __future__ import annotations

from django.utils.crypto import salted_hmac


def answer_to(nonce: str) -> str:
    """What only this portal can answer to a word it has just made up."""
    return salted_hmac("rhweb.doctor.probe", nonce, algorithm="sha256").hexdigest()
