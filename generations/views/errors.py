"""Pages for when something is not there, not allowed or broken.

Inside the shell when the page belongs to a team the reader is in, else on a bare page, so a stranger learns
nothing. The page for a broken portal needs neither database nor session nor the list of static files. A program
that calls the API gets a problem instead of a page.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from generations.disk import StorageLow
from generations.views.access import Gone, SecondFactorMissing
from generations.views.api import problems
from generations.views.offered import NotOffered


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    sentence = _("The address or the form was not one that this portal makes. Go back and try again.")
    return _page(request, 400, _("That did not make sense"), sentence)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    sentence = str(exception) if isinstance(exception, PermissionDenied) else ""
    if isinstance(exception, SecondFactorMissing):
        way = (reverse("mfa_index"), _("Set up a second factor"))
        return _page(request, 403, _("One more step"), sentence, way)
    return _page(request, 403, _("You may not do this"), sentence or _("Ask a manager of your team."))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    sentence = _("There is nothing at this address, or it belongs to a team you are not in.")
    if isinstance(exception, Gone):
        return _page(request, 410, _("Removed for good"), str(exception))
    if isinstance(exception, NotOffered):
        sentence = str(exception)
    return _page(request, 404, _("Nothing here"), sentence)


def server_error(request: HttpRequest) -> HttpResponse:
    if problems.is_asked(request):
        return problems.of_status(500, "The fault is on our side and was written down.")
    words = {"SITE_NAME": settings.SITE_NAME, "STATIC_URL": settings.STATIC_URL}
    return HttpResponse(render_to_string("errors/500.html", words), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was open too long or cookies are off. Says so instead of Django's own page."""
    sentence = _(
        "This form was open for too long, or the browser sends no cookies. "
        "Nothing was changed. Go back, reload the page and send it again."
    )
    return _page(request, 403, _("Please send that again"), sentence)


class NotAllowed:
    """Gives the answer to a GET of an address that only takes forms a page; Django's own is empty."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A page for whatever was asked for while there is no room for results."""
        if not isinstance(exception, StorageLow):
            return None
        return _page(request, 507, _("There is no room for new results"), str(exception))

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or request.method != "GET" or problems.is_asked(request):
            return response
        sentence = _("This address only takes what a form sends. Go back and use the button.")
        page = _page(request, 405, _("Nothing to show here"), sentence)
        page["Allow"] = response.get("Allow", "POST")
        return page


def _page(
    request: HttpRequest, status: int, title: str, sentence: str, way: tuple[str, str] | None = None
) -> HttpResponse:
    """`way` is the address and the name of what helps, where the start page does not."""
    if problems.is_asked(request):
        return problems.of_status(status, sentence)
    inside = getattr(request, "membership", None) is not None
    context = {
        "title": title,
        "sentence": sentence,
        "way": way,
        "layout": "base.html" if inside else "base_plain.html",
    }
    response = render(request, "errors/page.html", context, status=status)
    if request.headers.get("HX-Request"):
        # Whatever part of a page asked, the answer is a page.
        response["HX-Retarget"] = "body"
        response["HX-Reswap"] = "innerHTML"
    return response
