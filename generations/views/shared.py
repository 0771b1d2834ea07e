"""What somebody outside the team sees and hears with a link, on a page of ours or inside a page of theirs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from allauth.core.internal import ratelimit as counted
from csp.decorators import csp_replace
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from generations import sharing
from generations.forms.share import LinkPassword
from generations.models import Output, ShareLink
from generations.views.door import Answer, Closed, Visit, enter, for_outsiders, is_preview, is_shut
from generations.views.prompt import Prompt, prompts

TRIED = {"app": "allauth.account", "action": "share_password"}
FRAME = (640, 264)
"""Width and height of an embedded player of one track, in pixels."""
MORE, HIGHEST = 200, 600
framed_anywhere = cast(Callable[[Answer], Answer], csp_replace({"frame-ancestors": ["*"]}))
"""What each further track adds, up to the highest."""


@dataclass(frozen=True)
class Track:
    """One output as outsiders meet it."""

    output: Output
    title: str
    src: str
    author: str
    prompts: list[Prompt]

    @property
    def peaks(self) -> str:
        return self.output.peaks_stage

    @property
    def seconds(self) -> int:
        return max(1, round(self.output.duration or 0))


@for_outsiders
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def shared(request: HttpRequest, token: str) -> HttpResponseBase:
    """The page. Where a password is asked for, first the form for it, whose POST leads back here."""
    visit = enter(token)
    if request.method == "POST":
        return _unlock(request, visit)
    if not visit.knows_password(request):
        return _ask(request, LinkPassword())
    _count(request, visit.link)
    return render(request, "share/page.html", _context(request, visit))


@for_outsiders
@xframe_options_exempt
@framed_anywhere
@require_safe
def shared_embed(request: HttpRequest, token: str) -> HttpResponseBase:
    """The player alone, for a frame in anybody's page. Of a link with a password, the way to its own page."""
    visit = enter(token)
    if not visit.knows_password(request):
        return render(request, "share/embed.html", {"page": visit.address("shared"), "locked": True})
    _count(request, visit.link)
    return render(request, "share/embed.html", _context(request, visit))


@for_outsiders
@require_safe
def oembed(request: HttpRequest) -> HttpResponseBase:
    """What to put into another page for the address of a link (oembed.com): 401 where it asks for a password, 501
    for XML, and the usual 404 for an address that leads nowhere.
    """
    if request.GET.get("format", "json") != "json":
        return HttpResponse(
            _("Only JSON is given here."), status=501, content_type="text/plain; charset=utf-8"
        )
    visit = enter(_token(request))
    if visit.link.password:
        return HttpResponse(
            _("This link asks for a password."), status=401, content_type="text/plain; charset=utf-8"
        )
    tall = min(HIGHEST, FRAME[1] + MORE * max(0, len(visit.outputs) - 1))
    width, height = _at_most(request, "maxwidth", FRAME[0]), _at_most(request, "maxheight", tall)
    src = request.build_absolute_uri(visit.address("shared_embed"))
    words = {"src": src, "width": width, "height": height, "title": visit.link.title}
    frame = render(request, "share/_frame.html", words)
    return JsonResponse(
        {
            "version": "1.0",
            "type": "rich",
            "title": visit.link.title,
            "html": frame.content.decode().strip(),
            "width": width,
            "height": height,
            "cache_age": 0,
        }
    )


def _token(request: HttpRequest) -> str:
    """The token in the address that is asked about. Raises `Closed` where it is none of ours."""
    try:
        parts = urlsplit(request.GET.get("url", ""))
        match = resolve(parts.path)
    except (ValueError, Resolver404):
        raise Closed from None
    if parts.scheme not in ("http", "https") or parts.netloc != request.get_host():
        raise Closed
    if match.url_name not in ("shared", "shared_embed"):
        raise Closed
    return str(match.kwargs["token"])


def _at_most(request: HttpRequest, name: str, usual: int) -> int:
    given = request.GET.get(name, "")
    return min(usual, int(given)) if given.isascii() and given.isdecimal() and 0 < len(given) < 6 else usual


def _unlock(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Lets in whoever gives the password, however many they are: only wrong ones are counted."""
    if is_shut(request, TRIED, visit.link.digest):
        throttled: HttpResponse = counted.respond_429(request)
        return throttled
    form = LinkPassword(request.POST)
    if form.is_valid() and not visit.link.is_password(form.cleaned_data["password"]):
        _count_wrong(request, visit.link)
        form.add_error("password", _("This is not the password. Ask whoever sent you the link."))
    if not form.is_valid():
        return _ask(request, form)
    response = redirect(visit.address("shared"))
    visit.remember(response)
    return response


def _count_wrong(request: HttpRequest, link: ShareLink) -> None:
    """Counts a wrong password, beyond the limit too.

    Those that are looked at in the same moment all found room before any of them was counted. So there may be as many
    more than the limit as pages are made at once, less one: 7 for a process with PAGES_AT_ONCE of `rhweb.wsgi`. They
    count like all others, so there are never more than these within the time of the limit. Where the lock is not to be
    had in time, one that is counted in the same moment may be lost.
    """
    now = time.time()
    for rate in counted.get_rates(**TRIED):
        name = counted.get_cache_key(request, rate=rate, key=link.digest, **TRIED)
        with counted.cache_lock(name):
            before = [then for then in cache.get(name, []) if then > now - rate.duration]
            cache.set(name, [now, *before], rate.duration)


def _ask(request: HttpRequest, form: LinkPassword) -> HttpResponse:
    return render(request, "share/password.html", {"form": form}, status=422 if form.errors else 200)


def _count(request: HttpRequest, link: ShareLink) -> None:
    ahead = "prefetch" in request.headers.get("Sec-Purpose", "")
    if request.method == "GET" and not ahead and not is_preview(request, link):
        ShareLink.objects.viewed(link)


def _context(request: HttpRequest, visit: Visit) -> dict[str, Any]:
    page = visit.address("shared")
    return {
        "title": visit.link.title,
        "kind": visit.link.generation.kind if visit.link.generation else "",
        "tracks": tracks(visit),
        "may_download": visit.link.may_download,
        "whole": visit.address("shared_zip") if visit.link.may_download and len(visit.outputs) > 1 else "",
        "page": page,
        "oembed": f"{reverse('oembed')}?{urlencode({'url': request.build_absolute_uri(page)})}",
    }


def tracks(visit: Visit) -> list[Track]:
    """What there is to hear and see, with nothing more about it than the link allows."""
    link = visit.link
    return [
        Track(
            output,
            title,
            visit.address("shared_content", sharing.key_of(link, output)),
            output.generation.author.display_name if link.shows_author else "",
            prompts(output.generation) if link.shows_prompt else [],
        )
        for output, title in zip(visit.outputs, visit.titles, strict=True)
    ]
