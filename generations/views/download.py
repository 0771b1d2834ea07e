"""Taking out: one file, what was picked in the library, or a whole collection."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

from django.contrib import messages
from django.core.files.storage import FileSystemStorage, default_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.models import Membership
from generations import media, takeout
from generations.forms.download import Download
from generations.media.splice import length
from generations.models import Generation, read_id
from generations.takeout import FIELDS, Item, Parcel, Wish, provenance
from generations.views import access
from generations.views.parcel import full, send

METHODS = ["GET", "HEAD", "POST"]
SHOWN = 3


@dataclass(frozen=True)
class Picked:
    """What is to be taken out, in order. `collection` is its name where it is a whole one."""

    rows: Sequence[Generation]
    pks: Sequence[uuid.UUID]
    collection: str = ""
    collection_pk: str = ""


@require_http_methods(METHODS)
def download(request: HttpRequest, team: str) -> HttpResponse:
    """How it is to be taken out. What is picked comes as `ids` or `pick`, posted or not, or as `collection`."""
    membership = access.member(request, team)
    picked = _picked(request, membership)
    if not picked.rows:
        messages.info(request, _("Pick something that is finished to take out."))
        return redirect("library", team)
    return _page(request, membership, picked, Download())


@require_http_methods(METHODS)
def download_zip(request: HttpRequest, team: str) -> HttpResponseBase:
    """The files: a single one without anything beside it as it is, else a zip that is sent while it is read."""
    membership = access.member(request, team)
    picked = _picked(request, membership)
    given = request.POST if request.method == "POST" else request.GET
    form = Download(given if "pattern" in given else {"pattern": takeout.DEFAULT, "sidecar": "on"})
    if not picked.rows:
        raise Http404
    if not form.is_valid():
        return _page(request, membership, picked, form)
    parcel = _parcel(membership, picked, form.wish)
    if not parcel.items:
        messages.info(request, _("There is no file in what you picked."))
        return redirect("library", team)
    if len(parcel.items) == 1 and not parcel.beside:
        return _single(request, parcel.items[0])
    try:
        slot = takeout.enter(membership.team_id)
    except takeout.Full:
        return full(request)
    try:
        # A bucket would have to be asked file by file: there it shows while it is sent what is missing.
        looks = isinstance(default_storage, FileSystemStorage)
        entries = parcel.entries(parcel.gone() if looks else ())
        return send(request, _name(membership, picked), entries, slot, tells_length=looks)
    except BaseException:
        slot.leave()
        raise


def _picked(request: HttpRequest, membership: Membership) -> Picked:
    given = request.POST if request.method == "POST" else request.GET
    asked = given.get("collection", "")
    if asked:
        found = access.shareable_collection(membership, access.id_in(asked))
        items = found.items.order_by("place", "pk").values_list("generation", flat=True)
        pks = list(items[: takeout.MOST])
        return Picked(access.taken_out(membership, pks), pks, found.name, str(found.pk))
    words = [
        word
        for text in [*given.getlist("ids"), *given.getlist("pick")]
        for word in text.replace(",", " ").split()
    ]
    pks = [pk for word in words[: takeout.MOST] if (pk := read_id(word)) is not None]
    return Picked(access.taken_out(membership, pks), pks)


def _parcel(membership: Membership, picked: Picked, wish: Wish) -> Parcel:
    named = {pk for row in picked.rows for pk in provenance.references(row.params)}
    return takeout.parcel_of(
        picked.rows,
        wish,
        membership.team.zone,
        uploads=access.inputs_of(membership, named) if named else {},
        without=access.hidden(membership).voice_ids,
        collection=picked.collection,
    )


def _single(request: HttpRequest, item: Item) -> HttpResponseBase:
    try:
        file = takeout.open_output(item.output)
    except takeout.STORAGE_ERRORS:
        raise Http404("The file is not in the storage.") from None
    pieces = item.pieces(file) if item.labels and item.output.file else [(0, item.entry.size or 0)]
    stored = media.StoredFile(
        open=lambda start, _stop: cast(BinaryIO, media.Spliced(file, pieces, start)),
        size=length(pieces),
        content_type=item.output.content_type,
        etag=f'"{item.output.sha256}{"-labelled" if item.labels else ""}"',
        modified=item.output.created_at,
        filename=item.name.rpartition("/")[2],
    )
    response = media.respond(request, stored, download=True)
    if not response.streaming:
        file.close()
    return response


def _name(membership: Membership, picked: Picked) -> str:
    if picked.collection:
        return picked.collection
    if len(picked.rows) == 1:
        return picked.rows[0].title
    return membership.team.name


def _page(request: HttpRequest, membership: Membership, picked: Picked, form: Download) -> HttpResponse:
    files = [output for row in picked.rows for output in row.outputs.all()]
    many = len(picked.rows)
    wish = Wish(form.cleaned_data["pattern"]) if form.is_bound and form.is_valid() else Wish(takeout.DEFAULT)
    shown = takeout.parcel_of(
        picked.rows[:SHOWN], wish, membership.team.zone, uploads={}, collection=picked.collection
    )
    context = {
        "team": membership.team,
        "membership": membership,
        "form": form,
        "picked": picked,
        "what": picked.collection or (picked.rows[0].title if many == 1 else ""),
        "count": ngettext("%(n)s file", "%(n)s files", len(files)) % {"n": len(files)},
        "bytes": sum(output.bytes for output in files),
        "fields": [(f"{{{name}}}", words) for name, words in FIELDS.items()],
        "examples": [item.name for item in shown.items[:SHOWN]],
        "left_out": len(picked.pks) - many,
    }
    return render(request, "download/page.html", context, status=422 if form.errors else 200)
