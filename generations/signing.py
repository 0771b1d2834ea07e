"""How a delivery is signed: as the Standard Webhooks say (HMAC-SHA256 over id, time and body), so that their libraries
verify it; so do ten lines of the standard library.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time


def headers(secret: str, event_id: str, body: bytes, now: float | None = None) -> dict[str, str]:
    """The three headers of a delivery. The time is that of the sending, so an old capture is seen to be old."""
    stamp = str(int(time.time() if now is None else now))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.new(key, f"{event_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": event_id,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(signed).decode(),
    }
