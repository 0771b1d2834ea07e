"""What every process of the portal needs sooner or later, loaded once before processes are forked from this one."""

from __future__ import annotations

import gc

from django.urls import reverse

from generations.catalogue import load


def warm() -> None:
    """Reads the catalogue and the addresses with all their views.

    Left to the children, each would load them for itself at its first generation, with all its other threads waiting,
    and keep them in memory of its own. What is there now stays, so the garbage collector need not look at it again;
    by not writing to it either it leaves the memory shared.
    """
    load.models()
    reverse("healthz")
    gc.collect()
    gc.freeze()
