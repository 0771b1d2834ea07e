"""Where a button leads after its deed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme


def back(request: HttpRequest, otherwise: str) -> HttpResponseRedirect:
    """To the page that the button was on, which its form names as `next`; to `otherwise` when that is none of ours.

    A path is taken as it stands and not looked up, so that no text can break what was done already.
    """
    return HttpResponseRedirect(ours(request, request.POST.get("next", ""), otherwise))


def ours(request: HttpRequest, page: str, otherwise: str) -> str:
    """This address where it is one of this portal, else the other one."""
    known = page and url_has_allowed_host_and_scheme(page, {request.get_host()}, request.is_secure())
    return page if known else otherwise
