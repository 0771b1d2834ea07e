"""The portal with two things beside it to compare the library with, in the same server.

`/constants/` renders the template of the library again and again from what one request of a member gave it, without
database and session, and each of its lines anew; `/known/` the same with the lines that are kept once they were drawn.
`/admin/` is Django's list of the same table, for everybody, with as many rows on a page.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable
from typing import Any

import django
from django.conf import settings
from django.test import RequestFactory
from django.urls import ResolverMatch, include, path

django.setup()

from django.contrib import admin  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.template import loader  # noqa: E402

from accounts.models import Membership  # noqa: E402
from generations.library import PAGE  # noqa: E402
from generations.models import Generation  # noqa: E402
from generations.views import drawn, library, shell  # noqa: E402


class Site(admin.AdminSite):
    def has_permission(self, request: Any) -> bool:
        return True


class Generations(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("title", "model", "author", "status", "length", "cost_counted", "rating", "created_at")
    list_select_related = ("author",)
    ordering = ("-id",)
    has_view_permission = has_change_permission = has_module_permission = lambda self, *args, **more: True  # type: ignore[assignment]


class Short(Generations):
    list_per_page = PAGE


one_at_a_time = threading.Lock()
site, short = Site(), Site(name="short")
site.register(Generation, Generations)
short.register(Generation, Short)
urlpatterns = [path("admin/", site.urls), path("short/", short.urls), path("", include("rhweb.urls"))]
portal = get_wsgi_application()


@functools.cache
def page() -> Callable[[], str]:
    """The page of the first member of the team, to be rendered again from the same values."""
    membership = Membership.objects.select_related("team", "user").filter(team__slug="few").earliest("pk")
    request: Any = RequestFactory().get("/t/few/library/")
    request.user, request.membership = membership.user, membership
    request.resolver_match = ResolverMatch(library.library, (), {}, url_name="library")
    taken: dict[str, Any] = {}
    real = library.render
    try:
        library.render = lambda request, template, context, **more: taken.update(context)  # type: ignore
        library._list(request, membership, "")
    finally:
        library.render = real
    values = {**shell.shell(request), **taken, "user": membership.user, "csrf_token": "x" * 64}
    template = loader.get_template("library/page.html")
    return lambda: str(template.render(values))


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    if environ["PATH_INFO"] not in ("/constants/", "/known/"):
        return portal(environ, start_response)
    if environ["PATH_INFO"] == "/constants/":
        drawn._drawn.cache_clear()
    with one_at_a_time:
        render = page()
    body = render().encode()
    start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(body)))])
    return [body]


assert __name__ == settings.ROOT_URLCONF
