"""The bytes of an upload, for the player in the form."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Membership
from generations import uploads
from tests.conftest import tone


def test_members_hear_it_in_ranges_and_nobody_else(
    bob: Membership, vera: Membership, zoe: Membership, client_of: Any, client: Client
) -> None:
    data = tone()
    kept = uploads.store(bob, SimpleUploadedFile("voice.wav", data))
    address = f"/t/tide/uploads/{kept.pk}/content"
    whole = client_of(vera).get(address)
    assert b"".join(whole.streaming_content) == data
    assert whole["Content-Type"] == "audio/wav"
    part = client_of(vera).get(address, headers={"Range": "bytes=4-7"})
    assert part.status_code == 206
    assert b"".join(part.streaming_content) == data[4:8]
    assert client_of(zoe).get(address).status_code == 404
    assert client_of(zoe).get(f"/t/zoo/uploads/{kept.pk}/content").status_code == 404
    assert client.get(address).status_code == 302
