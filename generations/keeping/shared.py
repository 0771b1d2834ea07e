"""Which generations somebody outside can hear by a link. The one place here that asks for links."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from generations.models import ShareLink


def shared() -> Q:
    """The condition under which a generation is shared by a live link of its own or of a collection."""
    live = ShareLink.objects.live()
    return Q(Exists(live.filter(generation=OuterRef("pk")))) | Q(
        Exists(live.filter(collection__items__generation=OuterRef("pk")))
    )
