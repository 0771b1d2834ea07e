"""The main text of a generation, with its markup made visible."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from generations.catalogue import load
from generations.models import Generation

_PAUSE = r"<#\d{1,2}(?:\.\d{1,2})?#>"


@dataclass(frozen=True)
class Prompt:
    """`plain` is what Copy copies, `html` the same in paragraphs with pauses and noises marked."""

    label: str
    plain: str
    html: SafeString


def prompts(generation: Generation) -> list[Prompt]:
    """The main text first, then other long texts; a model that left the catalogue has its longest text."""
    try:
        spec = load.get(generation.made_with)
    except load.UnknownModel:
        text = generation.prompt
        return [Prompt(_("Text"), text, marked(text, ()))] if text else []
    found = []
    for param in spec.params:
        text = generation.params.get(param.key)
        if not isinstance(text, str) or not text.strip() or param.hidden:
            continue
        if param.key == spec.prompt_param or param.widget in ("longtext", "lyrics", "speech"):
            found.append(Prompt(param.label, text, marked(text, tuple(o.value for o in param.inserts))))
    return found


def marked(text: str, inserts: tuple[str, ...]) -> SafeString:
    """Safe HTML in paragraphs. Only markup that the model understands is marked; anything else stays text."""
    words = [re.escape(one) for one in inserts if not one.startswith("<#")]
    if len(words) < len(inserts):
        words.append(_PAUSE)
    pattern = re.compile("|".join(words) or "(?!)")
    paragraphs = [part for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip()) if part]
    return mark_safe("".join(f"<p>{_line(part, pattern)}</p>" for part in paragraphs))  # noqa: S308


def _line(text: str, pattern: re.Pattern[str]) -> str:
    out, last = "", 0
    for match in pattern.finditer(text):
        out += str(escape(text[last : match.start()]))
        out += format_html('<mark class="markup small">{}</mark>', _word(match.group()))
        last = match.end()
    return (out + str(escape(text[last:]))).replace("\n", "<br>")


def _word(markup: str) -> str:
    if markup.startswith("<#"):
        return _("pause %(seconds)s s") % {"seconds": markup[2:-2]}
    return markup.strip("()[]")
