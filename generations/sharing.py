"""Links for outsiders: made, changed and revoked by members; and what may be heard through one.

A link never shows more than whoever made it may see: what belongs to a voice that is hidden from its maker is not
there for outsiders either. Nor is what is private to somebody else, also where its maker sees it as a manager: only
its author lets strangers hear it. A link outlives its maker's time in the team, so that a customer's link does not
break; managers see all links and can revoke them.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from accounts.models import Membership, audit
from generations import media
from generations.models import Collection, Generation, Output, ShareLink, State, Voice

MOST = 500
"""So many tracks of a collection are shown; more are no album but a library."""
_PAUSE = re.compile(r"<#[0-9.]{1,5}#>")
_HEAVY = ("source_url",)


@dataclass(frozen=True)
class Thing:
    """What is shared: a generation, with one output of it or with all, or a collection."""

    generation: Generation | None = None
    output: Output | None = None
    collection: Collection | None = None

    @classmethod
    def of(cls, link: ShareLink) -> Thing:
        return cls(link.generation, link.output, link.collection)

    @property
    def name(self) -> str:
        return str(self.generation or self.collection)


@dataclass(frozen=True)
class Terms:
    """How something is shared. `password` None leaves it as it was, "" takes it away; `keeps_end` leaves the end."""

    title: str
    expires_at: datetime | None = None
    password: str | None = None
    may_download: bool = False
    shows_prompt: bool = False
    shows_author: bool = False
    keeps_end: bool = False

    def said(self) -> dict[str, Any]:
        """For the audit trail: everything but the password itself."""
        return {
            "title": self.title,
            "expires_at": self.expires_at,
            "may_download": self.may_download,
            "shows_prompt": self.shows_prompt,
            "shows_author": self.shows_author,
        }


def make(actor: Membership, thing: Thing, terms: Terms) -> ShareLink:
    """A new link. The caller has made sure that `actor` may share and sees the thing."""
    link = ShareLink(team=actor.team, made_by=actor.user, **vars(thing), **terms.said())
    link.draw_token()
    if terms.password:
        link.set_password(terms.password)
    with transaction.atomic():
        link.save(force_insert=True)
        after = {**terms.said(), "password": bool(link.password)}
        audit.note("share.made", team=actor.team, by=actor.user, subject=thing.name, after=after)
    return link


def change(actor: Membership, link: ShareLink, terms: Terms) -> bool:
    """Other terms for those who come from now on; a password or an end that is left as it was is not written, so that
    another one set in the same moment stays. False: it was revoked meanwhile, nothing was changed.
    """
    written = terms.said()
    if terms.keeps_end:
        del written["expires_at"]
    if terms.password is not None:
        link.set_password(terms.password)
        written |= {"password": link.password, "password_version": F("password_version") + 1}
    with transaction.atomic():
        rows = ShareLink.objects.filter(pk=link.pk, revoked_at=None)
        was = rows.select_for_update().first()
        if was is None or not rows.update(**written):
            return False
        before, after = _known(was), _known(rows.get())
        note = {key: _plain(key, before, after) for key in before}
        audit.note(
            "share.changed",
            team=actor.team,
            by=actor.user,
            subject=Thing.of(link).name,
            before={key: was for key, (was, _is) in note.items()},
            after={key: now for key, (_was, now) in note.items()},
        )
    return True


def revoke(actor: Membership, link: ShareLink) -> bool:
    """Nobody hears anything through it from now on. False: it was revoked already."""
    with transaction.atomic():
        rows = ShareLink.objects.filter(pk=link.pk, revoked_at=None)
        if not rows.update(revoked_at=timezone.now(), revoked_by=actor.user):
            return False
        audit.note("share.revoked", team=actor.team, by=actor.user, subject=Thing.of(link).name)
    return True


def _plain(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Any, Any]:
    """Of a password only whether there is one, and that it is another one."""
    if key != "password":
        return before[key], after[key]
    was, now = before[key], after[key]
    return bool(was), (_("another one") if was and now and was != now else bool(now))


def _known(link: ShareLink) -> dict[str, Any]:
    """How it stands, for the audit trail: its terms, and which password it asks for."""
    terms = {name: getattr(link, name) for name in Terms(link.title).said()}
    return {**terms, "password": link.password_version if link.password else 0}


def sharer(link: ShareLink) -> Membership | None:
    """Whoever made it, as they are or were in the team."""
    return (
        Membership.objects.select_related("team", "user").filter(team=link.team_id, user=link.made_by).first()
    )


def outputs(link: ShareLink) -> list[Output] | None:
    """What outsiders hear and see, in order, each with its generation and author; None: the link leads nowhere.

    Of a collection one output for each generation, the keeper or else the first, in as many queries however many there
    are. Files of which it is not known what they say about themselves are left out.
    """
    maker = sharer(link)
    if maker is None:
        return None
    if link.collection is not None:
        return _collected(link.collection, maker)
    assert link.generation is not None  # noqa: S101 - the check constraint says so
    if not _seen(maker).filter(pk=link.generation.pk).exists():
        return None
    rows = Output.objects.filter(generation=link.generation.pk).select_related("generation__author")
    if link.output_id:
        rows = rows.filter(pk=link.output_id)
    return [row for row in rows.defer(*_HEAVY) if is_shareable(row)]


def leading(links: Sequence[ShareLink]) -> set[uuid.UUID]:
    """Those of these links, by their ids, by which outsiders get in now: they are live, and `outputs` has an answer.

    In as many queries however many links and makers there are.
    """
    rows = Membership.objects.filter(
        team__in={link.team_id for link in links}, user__in={link.made_by_id for link in links}
    )
    asked = [
        _leading(
            maker,
            [link for link in links if (link.team_id, link.made_by_id) == (maker.team_id, maker.user_id)],
        )
        for maker in rows.select_related("team", "user")
    ]
    return set(asked[0].union(*asked[1:], all=True)) if asked else set()


def _leading(maker: Membership, links: Sequence[ShareLink]) -> QuerySet[ShareLink, uuid.UUID]:
    seen: Any = Collection.objects
    albums = seen.seen_by(maker).filter(pk__in={link.collection_id for link in links})
    rows = _seen(maker).filter(pk__in={link.generation_id for link in links})
    live = ShareLink.objects.live().filter(pk__in={link.pk for link in links})
    return live.filter(Q(generation__in=rows) | Q(collection__in=albums)).values_list("pk", flat=True)


def still_shows(link: ShareLink, output: Output) -> bool:
    """Whether whoever came with this link may be given this output now as well, for what takes long to send."""
    now = ShareLink.objects.live().filter(pk=link.pk, password_version=link.password_version).first()
    maker = sharer(link)
    if now is None or not now.may_download or maker is None:
        return False
    if link.collection is not None:
        seen: Any = Collection.objects
        items = link.collection.items.filter(generation=output.generation_id)
        if not items.exists() or not seen.seen_by(maker).filter(pk=link.collection.pk).exists():
            return False
    return bool(_seen(maker).filter(pk=output.generation_id).exists())


def _seen(maker: Membership) -> Any:
    rows: Any = Generation.objects
    theirs = Q(is_private=False) | Q(author=maker.user_id)
    found = rows.seen_by(maker).filter(theirs, status=State.SUCCEEDED, trashed_at=None)
    return found.exclude(pk__in=Voice.objects.hidden_from(maker).values("made_by"))


def _collected(collection: Collection, maker: Membership) -> list[Output] | None:
    seen: Any = Collection.objects
    if not seen.seen_by(maker).filter(pk=collection.pk).exists():
        return None
    items = collection.items.filter(generation__in=_seen(maker)).order_by("place", "pk")
    order = list(items.values_list("generation", flat=True)[:MOST])
    rows = Output.objects.filter(generation__in=order).select_related("generation__author").defer(*_HEAVY)
    best: dict[Any, Output] = {}
    for row in rows.order_by("-is_keeper", "index"):
        if is_shareable(row):
            best.setdefault(row.generation_id, row)
    return [best[pk] for pk in order if pk in best]


def is_shareable(output: Output) -> bool:
    """Whether it can be handed out without what its file says about itself: texts, and files of known kinds."""
    return not output.file or media.is_cleaned(output.extension)


def key_of(link: ShareLink, output: Output) -> str:
    """How an address of the link names an output. It tells nothing, not even to somebody with another link."""
    return salted_hmac("generations.sharing", f"{link.digest}:{output.pk}", algorithm="sha256").hexdigest()[
        :24
    ]


def titles(link: ShareLink, found: list[Output]) -> list[str]:
    """What each is called. A title that is the beginning of the text is not told by a link that does not show it."""
    if link.collection is None:
        several = len(found) > 1
        take = _("%(title)s, take %(letter)s")
        return [
            take % {"title": link.title, "letter": row.letter} if several else link.title for row in found
        ]
    return [
        title_for_outsiders(row.generation, shows_prompt=link.shows_prompt)
        or _("Track %(number)s") % {"number": number}
        for number, row in enumerate(found, 1)
    ]


def title_for_outsiders(generation: Generation, *, shows_prompt: bool) -> str:
    """Its title, or "" where that is only what the text begins with, which is nobody's business outside."""
    title = " ".join(generation.title.split())
    begins = title.removesuffix("…").rstrip()
    texts = [" ".join(_PAUSE.sub(" ", text).split()) for text in _texts(generation.params)]
    derived = [text for text in texts if text == title or (title.endswith("…") and text.startswith(begins))]
    return "" if derived and not shows_prompt else title


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []
