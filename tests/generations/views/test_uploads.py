"""A file sent ahead of its form, and the bytes of an upload, for the player in the form."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import ApiToken, Membership
from generations import uploads
from generations.models import Generation, Upload
from generations.uploads.incoming import scratch
from rhweb import wsgi
from tests.conftest import tone
from tests.generations.media.samples import archive, mp3_bytes, write
from tests.generations.media.samples import tone as sound

CLONE = "rhart-audio--text-to-audio--voice-clone"
ABOUT = {"_voice_name": "Harbour", "_voice_speaker": "Ada", "_voice_consent": "1"}
AHEAD = f"/t/tide/uploads/?model={CLONE}&param=audio"


def wav(seconds: float = 10, name: str = "voice.wav") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, tone(seconds), "audio/wav")


def ogg(tmp_path: Path) -> SimpleUploadedFile:
    path = write(tmp_path / "a.ogg", sound(11, rate=16_000, channels=1), rate=16_000)
    return SimpleUploadedFile("Lena.ogg", path.read_bytes(), "audio/ogg")


def nothing_is_left() -> bool:
    kept = [path for path in Path(default_storage.location).rglob("*") if path.is_file()]
    return not kept and not list(scratch().glob("*.upload*")) and not Upload.objects.exists()


def test_a_file_sent_ahead_is_a_line_of_the_form_that_holds_it(bob: Membership, client_of: Any) -> None:
    answer = client_of(bob).post(AHEAD, {"file": wav(name='Le"na <b>.wav')})
    assert answer.status_code == 201
    kept, html = Upload.objects.get(), answer.content.decode()
    assert f'<input type="hidden" name="audio" value="{kept.reference}">' in html
    assert "Le&#x27;na b.wav" in html
    assert f"/t/tide/uploads/{kept.pk}/content" in html
    order = {"audio": kept.reference, "custom_voice_id": "Harbour01", "text": "Good morning.", **ABOUT}
    assert client_of(bob).post(f"/t/tide/create/{CLONE}/", order).status_code == 303
    assert Generation.objects.get().params["audio"] == kept.reference


def test_a_kept_file_outlasts_the_empty_file_input_that_a_browser_sends_after_it(
    bob: Membership, client_of: Any
) -> None:
    refused = client_of(bob).post(
        f"/t/tide/create/{CLONE}/", {"audio": wav(), "text": "Good morning.", **ABOUT, "_voice_consent": ""}
    )
    assert refused.status_code == 422
    kept = Upload.objects.get()
    order = {"audio": kept.reference, "text": "Good morning.", **ABOUT}
    parts = [f'name="{name}"\r\n\r\n{value}\r\n' for name, value in order.items()]
    parts.insert(1, 'name="audio"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n\r\n')
    body = "".join(f"--edge\r\nContent-Disposition: form-data; {part}" for part in parts) + "--edge--\r\n"
    answer = client_of(bob).generic(
        "POST", f"/t/tide/create/{CLONE}/", body, content_type="multipart/form-data; boundary=edge"
    )
    assert answer.status_code == 303
    assert Generation.objects.get().params["audio"] == kept.reference


def test_sound_that_is_converted_says_so_in_both_ways_of_sending_it(
    bob: Membership, client_of: Any, tmp_path: Path
) -> None:
    sentence = "Kept as WAV, because the model does not take OGG."
    ahead = client_of(bob).post(AHEAD, {"file": ogg(tmp_path)})
    assert (ahead.status_code, sentence in ahead.content.decode()) == (201, True)
    order = {"audio": ogg(tmp_path), "custom_voice_id": "Harbour01", "text": "Good morning.", **ABOUT}
    answer = client_of(bob).post(f"/t/tide/create/{CLONE}/", order, follow=True)
    assert f"Lena.wav: {sentence}" in answer.content.decode()
    assert Generation.objects.get().params["audio"] == Upload.objects.get().reference


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (SimpleUploadedFile("song.mp3", archive()), "Sound was expected, but the file is an archive."),
        (SimpleUploadedFile("a.wav", b""), "The file is empty. Choose another one."),
        ("text", "Choose a file."),
    ],
)
def test_a_refusal_is_a_sentence_and_leaves_nothing(
    file: Any, sentence: str, bob: Membership, client_of: Any
) -> None:
    answer = client_of(bob).post(AHEAD, {"file": file})
    assert (answer.status_code, answer.content.decode()) == (422, sentence)
    assert answer["Content-Type"].startswith("text/plain")
    assert nothing_is_left()


def test_the_same_refusals_come_through_the_form(bob: Membership, client_of: Any) -> None:
    order = {"custom_voice_id": "Harbour01", "text": "Good morning.", **ABOUT}
    for file in (SimpleUploadedFile("song.mp3", archive()), SimpleUploadedFile("a.wav", b"")):
        answer = client_of(bob).post(f"/t/tide/create/{CLONE}/", order | {"audio": file})
        assert answer.status_code == 422
        assert re.search(r'id="p-audio-error">.*?<span>[A-Z][^<]+\.</span>', answer.content.decode(), re.S)
        assert nothing_is_left()


def test_a_body_larger_than_any_file_is_refused_unread(
    bob: Membership, client_of: Any, settings: Any
) -> None:
    settings.MAX_UPLOAD_BYTES = 1024
    large = SimpleUploadedFile("a.wav", bytes(9 * 1024**2))
    answer = client_of(bob).post(AHEAD, {"file": large})
    assert answer.status_code == 413
    assert "at most 1.0" in answer.content.decode()
    large.seek(0)
    by_form = client_of(bob).post(f"/t/tide/create/{CLONE}/", {"audio": large})
    assert (by_form.status_code, "more than can be read at once" in by_form.content.decode()) == (422, True)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies["rhweb_csrf"] = "c" * 32
    large.seek(0)
    assert strict.post("/accounts/login/", {"file": large}).status_code == 400, "anywhere else too"
    assert nothing_is_left()


@pytest.mark.parametrize("address", [
    "/t/tide/uploads/?model=nothing&param=audio", f"/t/tide/uploads/?model={CLONE}&param=text",
    f"/t/tide/uploads/?model={CLONE}&param=nothing", "/t/tide/uploads/",
])  # fmt: skip
def test_only_params_that_take_files_get_some(address: str, bob: Membership, client_of: Any) -> None:
    assert client_of(bob).post(address, {"file": wav()}).status_code == 404
    assert nothing_is_left()


def test_who_may_send_files(
    bob: Membership, vera: Membership, zoe: Membership, client_of: Any, client: Client
) -> None:
    assert client_of(vera).post(AHEAD, {"file": wav()}).status_code == 403
    assert client_of(zoe).post(AHEAD, {"file": wav()}).status_code == 404
    assert client.post(AHEAD, {"file": wav()}).status_code == 302
    assert client_of(bob).get(AHEAD).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(bob.user)
    assert strict.post(AHEAD, {"file": wav()}).status_code == 403
    assert nothing_is_left()


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("to", [AHEAD, f"/t/tide/create/{CLONE}/", "/api/v1/uploads"])
def test_half_of_a_file_is_not_taken_for_all_of_it(
    to: str, whole: bool, bob: Membership, client_of: Any
) -> None:
    """A server gives the end of a cut connection as the end of the body; half of an MP3 is an MP3."""
    name = "audio" if "create" in to else "file"
    end = b"\r\n--x--\r\n"
    body = (
        f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="a.mp3"\r\n\r\n'.encode()
        + mp3_bytes(11)
    )
    path, _, query = to.partition("?")
    session = client_of(bob).cookies["rhweb_session"].value
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "testserver",
        "SERVER_PORT": "80", "wsgi.url_scheme": "http", "wsgi.errors": io.StringIO(),
        "CONTENT_TYPE": "multipart/form-data; boundary=x",
        "CONTENT_LENGTH": str(len(body) + (len(end) if whole else 9000)),
        "wsgi.input": io.BytesIO(body + (end if whole else b"")),
        "HTTP_COOKIE": f"rhweb_session={session}; rhweb_csrf={'c' * 32}",
        "HTTP_X_CSRFTOKEN": "c" * 32, "HTTP_AUTHORIZATION": f"Bearer {ApiToken.issue(bob)}",
    }  # fmt: skip
    said: list[str] = []
    answer = wsgi.application(environ, lambda status, headers: said.append(status))
    b"".join(answer)
    answer.close()  # type: ignore[attr-defined]
    assert said[0][:3] in ({"201", "422"} if whole else {"400", "422"})
    assert Upload.objects.count() == whole
    assert whole or nothing_is_left()


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
