"""Files that members give us: checked by their bytes, kept under their team."""

from __future__ import annotations

from generations.uploads.incoming import is_too_large, too_large
from generations.uploads.keep import CONVERTED, BadUpload, Kept, described, examined, fit, store
from generations.uploads.reuse import OUTPUT, from_output, named_output, refusal

__all__ = [
    "CONVERTED",
    "OUTPUT",
    "BadUpload",
    "Kept",
    "described",
    "examined",
    "fit",
    "from_output",
    "is_too_large",
    "named_output",
    "refusal",
    "store",
    "too_large",
]
