"""What an outsider gets with a link, and that nothing of the team is in it."""

from __future__ import annotations

import hashlib
import re
import struct
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from allauth.core.internal.ratelimit import get_rates
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone

from accounts.models import Membership
from generations import sharing, takeout
from generations.models import Generation, Output, ShareLink
from generations.sharing import Terms, Thing
from tests.conftest import MODEL, tone
from tests.generations.test_sharing import album, link_to

SECRET = "Whispered prompt about an unreleased film"
UPSTREAM = "1998877665544332211"
TAG = b"task-1998877665544332211-by-tide"


@pytest.fixture(autouse=True)
def nobody_guessed_yet(settings: Any, db: None) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()


@pytest.fixture
def said(bob: Membership, make_generation: Any) -> Generation:
    """Something whose file and rows say all that may not be told."""
    row = make_generation(
        bob,
        title="Rain",
        params={"prompt": SECRET, "voice_id": "HarbourVoice000001"},
        upstream_id=UPSTREAM,
        notes="For the client Wellington",
    )
    plain = tone()
    info = b"INFOICMT" + struct.pack("<I", len(TAG)) + TAG
    body = plain[8:] + b"LIST" + struct.pack("<I", len(info)) + info
    data = b"RIFF" + struct.pack("<I", len(body)) + body
    output = Output(
        generation=row, index=0, kind="audio", content_type="audio/wav", extension="wav", bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(), duration=1.0, sample_rate=8000, channels=1,
        peaks_row=" ".join(["50"] * 96), peaks_stage=" ".join(["50"] * 360),
        source_url=f"https://upstream.example/{UPSTREAM}.wav",
    )  # fmt: skip
    output.file.save(Output.file_name(row, 0, "wav"), ContentFile(data), save=False)
    output.save()
    return row


def page(link: ShareLink) -> str:
    return f"/s/{link.token}/"


def sources(answer: Any) -> list[str]:
    return re.findall(r'src="(/s/[^"?]+)"', answer.content.decode())


def body(answer: Any) -> bytes:
    return answer.getvalue() if answer.streaming else answer.content


def status(client: Client, address: str) -> int:
    """The status, with the answer read to its end, as a browser would."""
    answer = client.get(address)
    body(answer)
    return int(answer.status_code)


def test_whoever_has_the_link_hears_it_without_signing_in(said: Generation, bob: Membership) -> None:
    link = link_to(bob, Thing(said), title="Rain for you")
    answer = Client().get(page(link))
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "<h1>Rain for you</h1>" in text
    assert 'peaks="50 50' in text
    [src] = sources(answer)
    heard = Client().get(src)
    assert heard.status_code == 200
    assert heard["Content-Type"] == "audio/wav"
    assert body(heard) == tone(), "exactly the sound, without what the file said beside it"
    assert heard["Content-Length"] == str(len(tone()))


def test_a_part_is_a_part_of_what_outsiders_get(said: Generation, bob: Membership) -> None:
    [src] = sources(Client().get(page(link_to(bob, Thing(said)))))
    part = Client().get(src, headers={"Range": "bytes=100-299"})
    assert part.status_code == 206
    assert part["Content-Range"] == f"bytes 100-299/{len(tone())}"
    assert body(part) == tone()[100:300]
    assert Client().get(src, headers={"Range": "bytes=99999999-"}).status_code == 416
    again = Client().get(src, headers={"If-None-Match": part["ETag"]})
    assert again.status_code == 304


def forbidden(said: Generation, bob: Membership) -> list[str]:
    output = said.outputs.get()
    return [
        "tide", "Tide Tables", "bob", "Bob", "example.com", str(said.pk), said.pk.hex, SECRET, "Whispered", MODEL,
        "minimax", UPSTREAM, "HarbourVoice", "Wellington", TAG.decode(), output.sha256, str(output.file.name),
        "upstream.example", "outputs/", "0.80",
    ]  # fmt: skip


def every_answer(link: ShareLink, client: Client) -> list[Any]:
    """All that goes out in the life of a link, on every path."""
    there = client.get(page(link))
    [src] = sources(there)
    addresses = [
        page(link), f"{page(link)}embed/", f"/oembed?url=http://testserver{page(link)}", src, f"{src}?download=1",
        f"{page(link)}all.zip", f"{page(link)}nothing/", f"/s/{link.token}",
    ]  # fmt: skip
    answers = [client.get(one) for one in addresses]
    answers += [client.head(one) for one in addresses]
    answers.append(client.get(src, headers={"Range": "bytes=0-9"}))
    answers.append(client.get(src, headers={"Range": "bytes=99999999-"}))
    answers.append(client.post(page(link), {"password": "wrong"}))
    answers.append(client.post(src))
    return answers


@pytest.mark.thorough
@pytest.mark.parametrize("life", ["live", "with download", "with password", "revoked", "expired", "trashed"])
def test_nothing_of_the_team_is_told(life: str, said: Generation, bob: Membership, client_of: Any) -> None:
    link = link_to(bob, Thing(said), title="A quiet one", may_download=life == "with download")
    if life in ("live", "with download"):
        answers = every_answer(link, Client()) + every_answer(link, client_of(bob))
    else:
        [src] = sources(Client().get(page(link)))
        if life == "with password":
            sharing.change(bob, link, Terms("A quiet one", password="a good secret"))
        elif life == "revoked":
            sharing.revoke(bob, link)
        elif life == "expired":
            ShareLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        else:
            Generation.objects.update(trashed_at=timezone.now())
        client = Client()
        answers = [client.get(one) for one in (page(link), f"{page(link)}embed/", src, f"{src}?download=1")]
    assert len(answers) > 3
    for answer in answers:
        told = body(answer).decode("latin-1") + str(sorted(answer.items())) + str(answer.cookies)
        for word in forbidden(said, bob):
            assert word not in told, (word, answer.status_code, answer.request["PATH_INFO"])


def test_headers_let_nobody_keep_index_or_follow_it(said: Generation, bob: Membership) -> None:
    link = link_to(bob, Thing(said))
    [src] = sources(Client().get(page(link)))
    for address in (page(link), f"{page(link)}embed/", src, "/s/none/", "/oembed?url=x"):
        answer = Client().get(address)
        body(answer)
        assert answer["Cache-Control"] == "private, no-store"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer["X-Robots-Tag"]
        assert not answer.cookies
    text = Client().get(page(link)).content.decode()
    assert '<meta name="robots" content="noindex' in text
    assert Client().get(page(link))["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in Client().get(page(link))["Content-Security-Policy"]
    framed = Client().get(f"{page(link)}embed/")
    assert "X-Frame-Options" not in framed
    assert "frame-ancestors *" in framed["Content-Security-Policy"]
    assert "script-src 'self'" in framed["Content-Security-Policy"]


@pytest.mark.thorough
@pytest.mark.parametrize("end", ["revoked", "expired", "trashed", "private since"])
def test_the_end_is_at_once_and_the_same_for_everything(
    end: str, said: Generation, bob: Membership, carol: Membership
) -> None:
    link = link_to(carol, Thing(said), may_download=True)
    client = Client()
    [src] = sources(client.get(page(link)))
    addresses = [page(link), f"{page(link)}embed/", src, f"{src}?download=1", f"{page(link)}all.zip"]
    never = [one.replace(link.token, "A" * 43) for one in addresses]
    assert {status(client, one) for one in addresses} == {200}
    if end == "revoked":
        sharing.revoke(bob, link)
    elif end == "expired":
        ShareLink.objects.update(expires_at=timezone.now())
    elif end == "trashed":
        Generation.objects.update(trashed_at=timezone.now())
    else:
        Generation.objects.update(is_private=True)
    for over, unknown in zip(addresses, never, strict=True):
        mine, theirs = client.get(over), client.get(unknown)
        assert mine.status_code == theirs.status_code == 404
        assert mine.content == theirs.content
        assert {**mine.headers} == {**theirs.headers}
    assert client.get(f"/oembed?url=http://testserver{page(link)}").status_code == 404


@pytest.mark.thorough
def test_guesses_are_throttled_and_a_throttled_guess_learns_nothing(
    said: Generation, bob: Membership
) -> None:
    link = link_to(bob, Thing(said))
    codes = [Client().get(f"/s/guess{n}/").status_code for n in range(40)]
    assert codes.count(404) == 30
    assert codes[30:] == [429] * 10
    assert Client().get(page(link)).status_code == 429, "right or wrong, from there"
    assert Client(REMOTE_ADDR="198.51.100.9").get(page(link)).status_code == 200
    files = [Client(REMOTE_ADDR="198.51.100.7").get(f"/s/guess{n}/f/abc").status_code for n in range(31)]
    oembeds = Client(REMOTE_ADDR="198.51.100.7").get("/oembed?url=http://testserver/s/x/").status_code
    assert files[-1] == oembeds == 429


def test_a_sound_that_is_heard_writes_nothing(
    said: Generation, bob: Membership, django_assert_max_num_queries: Any
) -> None:
    [src] = sources(Client().get(page(link_to(bob, Thing(said)))))
    with django_assert_max_num_queries(6) as captured:
        body(Client().get(src, headers={"Range": "bytes=0-99"}))
    assert all(query["sql"].lstrip().startswith("SELECT") for query in captured.captured_queries)


def test_a_password_is_asked_once_and_another_one_asks_again(said: Generation, bob: Membership) -> None:
    link = link_to(bob, Thing(said), password="a good secret")
    client, other = Client(), Client()
    locked = client.get(page(link))
    assert locked.status_code == 200
    assert "Rain" not in locked.content.decode()
    wrong = client.post(page(link), {"password": "no"})
    assert wrong.status_code == 422
    assert "not the password" in wrong.content.decode()
    right = client.post(page(link), {"password": "a good secret"})
    assert (right.status_code, right["Location"]) == (302, page(link))
    assert right.cookies["rhweb_share"]["httponly"]
    assert right.cookies["rhweb_share"]["path"] == page(link)
    [src] = sources(client.get(page(link)))
    assert status(client, src) == 200
    assert other.get(src).status_code == 404
    assert "own page" in other.get(f"{page(link)}embed/").content.decode()
    assert Client().get(f"/oembed?url=http://testserver{page(link)}").status_code == 401
    sharing.change(bob, link, Terms("Rain", password="another secret"))
    assert client.get(src).status_code == 404
    stranger = link_to(bob, Thing(said), password="a good secret")
    client.cookies["rhweb_share"]["path"] = "/"
    assert not sources(client.get(page(stranger))), "a cookie of one link opens no other"


def test_passwords_are_guessed_slowly(said: Generation, bob: Membership) -> None:
    link = link_to(bob, Thing(said), password="a good secret")
    codes = [Client().post(page(link), {"password": f"guess {n}"}).status_code for n in range(12)]
    assert codes == [422] * 10 + [429] * 2
    assert Client().post(page(link), {"password": "a good secret"}).status_code == 429


def from_place(number: int) -> Client:
    return Client(REMOTE_ADDR=f"203.0.113.{number}")


def tried(link: ShareLink, password: str, *places: int) -> list[int]:
    """What each of these places is told about this password."""
    return [from_place(n).post(page(link), {"password": password}).status_code for n in places]


def test_any_number_of_people_may_know_the_password(said: Generation, bob: Membership) -> None:
    link = link_to(bob, Thing(said), password="a good secret")
    assert set(tried(link, "a good secret", *range(1, 41))) == {302}, "from many places"
    assert tried(link, "a good secret", *[99] * 20) == [302] * 20, "from one office"
    assert tried(link, "wrong", *[99] * 11) == [422] * 10 + [429], "none of these was counted"


def test_whoever_guesses_from_one_place_shuts_out_nobody_else(said: Generation, bob: Membership) -> None:
    link = link_to(bob, Thing(said), password="a good secret")
    for place in range(1, 5):
        assert tried(link, "wrong", *[place] * 11) == [422] * 10 + [429]
    assert tried(link, "a good secret", 4, 5) == [429, 302]


def test_guesses_from_many_places_together_are_slow_too(
    said: Generation, bob: Membership, settings: Any
) -> None:
    rates = get_rates(app="allauth.account", action="share_password")
    by_place, by_link = (60 * rate.amount / rate.duration for rate in rates)
    assert by_place < by_link <= 30, "a minute; one place alone does not use up what a link takes"
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "share_password": "10/m/ip,25/10m/key"}
    link, other = (link_to(bob, Thing(said), password="a good secret") for _ in range(2))
    assert tried(link, "wrong", *range(1, 29)) == [422] * 25 + [429] * 3
    assert tried(link, "a good secret", 40) == [429]
    assert tried(other, "a good secret", 40) == [302]


class Meeting(MD5PasswordHasher):
    """Checks a password while the same visitor sends the next, as many as are `left`."""

    algorithm = "meeting"
    left = 0
    send: Callable[[], int]
    told: ClassVar[list[int]] = []

    def verify(self, password: str, encoded: str) -> bool:
        if Meeting.left:
            Meeting.left -= 1
            Meeting.told.append(Meeting.send())
        return super().verify(password, encoded)


def test_guesses_that_meet_are_all_counted(
    said: Generation, bob: Membership, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.Meeting"]
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "share_password": "3/m/ip"}
    link = link_to(bob, Thing(said), password="a good secret")
    start = time.time()
    assert tried(link, "wrong", 1) == [422]
    Meeting.left, Meeting.told = 3, []
    Meeting.send = staticmethod(lambda: tried(link, "wrong", 1)[0])
    monkeypatch.setattr(time, "time", lambda: start + 40)
    assert tried(link, "wrong", 1) == [422]
    assert Meeting.told == [422] * 3, "all of them found two places free"
    monkeypatch.setattr(time, "time", lambda: start + 70)
    assert tried(link, "wrong", 1) == [429], "the first does not count any more, but the others are too many"
    monkeypatch.setattr(time, "time", lambda: start + 101)
    assert tried(link, "wrong", 1) == [422]


def test_no_password_at_all_is_no_guess(said: Generation, bob: Membership) -> None:
    link = link_to(bob, Thing(said), password="a good secret")
    assert tried(link, "", *[1] * 12) == [422] * 12
    assert tried(link, "a good secret", 1) == [302]


def test_views_are_those_of_outsiders(
    said: Generation, bob: Membership, zoe: Membership, client_of: Any
) -> None:
    link = link_to(bob, Thing(said))
    outside = Client()
    [src] = sources(outside.get(page(link)))
    for _ in range(3):
        body(outside.get(src, headers={"Range": "bytes=0-9"}))
    outside.head(page(link))
    outside.get(page(link), headers={"Sec-Purpose": "prefetch"})
    client_of(bob).get(page(link))
    assert ShareLink.objects.get().views == 1
    client_of(zoe).get(f"{page(link)}embed/")
    assert ShareLink.objects.get().views == 2
    assert ShareLink.objects.get().last_viewed_at is not None


def test_download_only_where_it_is_allowed(said: Generation, bob: Membership) -> None:
    link = link_to(bob, Thing(said), title="Harbour: rain")
    [src] = sources(Client().get(page(link)))
    assert "download=1" not in Client().get(page(link)).content.decode()
    assert Client().get(f"{src}?download=1").status_code == 404
    assert Client().get(f"{page(link)}all.zip").status_code == 404
    sharing.change(bob, link, Terms("Harbour: rain", may_download=True))
    kept = Client().get(f"{src}?download=1")
    assert kept["Content-Disposition"] == 'attachment; filename="Harbour - rain.wav"'
    assert body(kept) == tone()


def test_the_text_and_the_name_only_where_they_are_allowed(said: Generation, bob: Membership) -> None:
    link = link_to(bob, Thing(said), shows_prompt=True, shows_author=True)
    text = Client().get(page(link)).content.decode()
    assert SECRET in text
    assert "by Bob" in text
    assert "HarbourVoice" not in text
    assert "bob@example.com" not in text


def test_what_a_collection_says_about_itself_is_for_the_team(
    said: Generation, bob: Membership, client_of: Any
) -> None:
    inside = "Second choice for Wellington if the fee is refused"
    shelf = album(bob, said, description=inside)
    assert inside in client_of(bob).get(f"/t/tide/collections/{shelf.pk}/").content.decode()
    link = link_to(bob, Thing(collection=shelf), title="Album", may_download=True, shows_prompt=True)
    told = [body(answer).decode(errors="replace") for answer in every_answer(link, Client())]
    assert sum("Album" in one for one in told) > 2
    assert not [one for one in told if "Wellington" in one or "refused" in one]


def test_whoever_reads_a_zip_slowly_takes_no_place_of_a_member(
    said: Generation, bob: Membership, client_of: Any, make_generation: Any
) -> None:
    picked = [said, make_generation(bob, title="Snow", outputs=1)]
    link = link_to(bob, Thing(collection=album(bob, *picked)), may_download=True)
    address = f"{page(link)}all.zip"
    slow = Client().get(address)
    assert slow.status_code == 200
    refused = from_place(2).get(address)
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    wish = {"ids": [str(row.pk) for row in picked], "pattern": "{title}"}
    browser = client_of(bob)
    under_way = [browser.post("/t/tide/download/zip/", wish) for _ in range(takeout.gate.OF_A_TEAM)]
    assert [one.status_code for one in under_way] == [200] * takeout.gate.OF_A_TEAM
    for one in (slow, *under_way):
        assert body(one)
    assert status(from_place(2), address) == 200


def test_a_collection_with_its_zip(said: Generation, bob: Membership, make_generation: Any) -> None:
    import io
    import zipfile

    derived = make_generation(bob, outputs=1, title=SECRET[:20] + "…", params={"prompt": SECRET})
    link = link_to(bob, Thing(collection=album(bob, said, derived)), title="Album", may_download=True)
    answer = Client().get(page(link))
    text = answer.content.decode()
    assert "2 tracks" in text
    assert "Track 2" in text
    assert SECRET[:15] not in text
    assert len(sources(answer)) == 2
    packed = zipfile.ZipFile(io.BytesIO(body(Client().get(f"{page(link)}all.zip"))))
    assert packed.namelist() == ["001 Rain.wav", "002 Track 2.wav"]
    assert packed.read("001 Rain.wav") == tone()


def test_oembed(said: Generation, bob: Membership) -> None:
    link = link_to(bob, Thing(said), title='Rain "live"')
    found = re.search(
        r'type="application/json\+oembed" href="([^"]+)"', Client().get(page(link)).content.decode()
    )
    assert found
    answer = Client().get(found[1].replace("&amp;", "&"))
    told = answer.json()
    assert told["type"] == "rich"
    assert told["version"] == "1.0"
    assert f'src="http://testserver{page(link)}embed/"' in told["html"]
    assert "&quot;live&quot;" in told["html"]
    assert Client().get(f"/oembed?url=http://testserver{page(link)}&maxwidth=300").json()["width"] == 300
    assert Client().get(f"/oembed?format=xml&url=http://testserver{page(link)}").status_code == 501
    for elsewhere in (f"http://evil.example{page(link)}", "http://testserver/t/tide/", "x", "http://[", ""):
        assert Client().get("/oembed", {"url": elsewhere}).status_code == 404


def test_a_file_that_is_gone_or_broken_is_404(said: Generation, bob: Membership) -> None:
    [src] = sources(Client().get(page(link_to(bob, Thing(said)))))
    output = said.outputs.get()
    name = str(output.file.name)
    output.file.storage.delete(name)
    assert Client().get(src).status_code == 404
    output.file.storage.save(name, ContentFile(b"no sound at all"))
    Output.objects.update(bytes=15)
    assert Client().get(src).status_code == 404, "what cannot be cleaned is not handed out"


def test_a_text_is_read_and_pictures_are_seen(bob: Membership, make_generation: Any) -> None:
    from tests.generations.media import samples

    row = make_generation(bob, kind="lyrics", title="Verses")
    Output.objects.create(
        generation=row, index=0, kind="text", content_type="text/plain", extension="txt", text="La <b>la",
        bytes=8, sha256="0" * 64,
    )  # fmt: skip
    data = samples.png()
    picture = Output(
        generation=row, index=1, kind="image", content_type="image/png", extension="png", bytes=len(data),
        sha256="1" * 64,
    )  # fmt: skip
    picture.file.save(Output.file_name(row, 1, "png"), ContentFile(data), save=False)
    picture.save()
    answer = Client().get(page(link_to(bob, Thing(row))))
    assert "La &lt;b&gt;la" in answer.content.decode()
    [src] = sources(answer)
    assert body(Client().get(src)) == data
