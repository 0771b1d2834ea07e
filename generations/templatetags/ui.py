"""How pages write numbers, and the small marks that every page repeats.

Filters take None for "nothing known" and give an empty text, so a template decides what to say instead.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from typing import Any

from django import template
from django.conf import settings
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User

register = template.Library()
STEPS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

SIGNS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£"}
ICONS = {"picture": "image", "object": "cube", "text": "lyrics"}
KINDS = {"speech", "music", "song", "lyrics", "voice", "separation", "picture", "video", "object", "text"}
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrom", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
"""What an agent's text contains, and what it means; the first that fits, since browsers also claim to be others."""
NEAR = 80
HUES = 5


@register.filter
def money(amount: Decimal | int | float | str | None, currency: str = "CNY") -> str:
    """`¥0.80`, `$1,204.50`; up to four decimals below one hundredth, so a price is never shown as zero. What has no
    currency, as an import, cost no money.
    """
    value = _decimal(amount)
    if value is None or not currency:
        return ""
    size, minus = abs(value), "−" if value < 0 else ""
    below = ""
    if 0 < size < Decimal("0.0001"):
        size, below = Decimal("0.0001"), "<"
    places = 2
    if 0 < size < Decimal("0.01"):
        size = size.quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP).normalize()
        places = max(2, -int(size.as_tuple().exponent))
    size = size.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    text = number_format(size, places, force_grouping=True)
    sign = SIGNS.get(currency)
    return f"{below}{minus}{sign}{text}" if sign else f"{below}{minus}{text} {currency}"


@register.filter
def clock(seconds: float | int | None) -> str:
    """`0:12`, `4:05`, `1:02:03`; parts of a second are cut off, as players do."""
    whole = _seconds(seconds)
    if whole is None:
        return ""
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@register.filter
def usual(seconds: float | int | None) -> str:
    """How long something usually takes: `38 s` below a minute, `1:40` from there."""
    whole = _seconds(seconds)
    if whole is None:
        return ""
    return clock(whole) if whole >= 60 else _("%(seconds)s s") % {"seconds": whole}


@register.filter
def filesize_short(size: int | None) -> str:
    """`812 B`, `340 kB`, `1.2 MB`, in steps of 1000 as disks and browsers count."""
    value = _decimal(size)
    if value is None or value < 0:
        return ""
    if value < 1000:
        return f"{int(value)} B"
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < Decimal("999.5") or unit == "TB":
            break
    places = 0 if value >= 10 or unit == "kB" else 1
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return f"{number_format(rounded, places)} {unit}"


@register.filter
def rough(count: int | None) -> str:
    """About how many: to the last one below a hundred, two figures above: `87`, `1,200`, `410,000`."""
    if count is None:
        return ""
    shown = count if count < 100 else round(count, 2 - len(str(count)))
    return number_format(shown, force_grouping=True)


@register.filter
def initial(name: object) -> str:
    """The first letter of a name, for an avatar."""
    return str(name).strip()[:1].upper()


@register.filter
def resets(moment: datetime | None) -> str:
    """When a limit starts anew, on the clock that is active: `Mon 00:00` within a week, else `1 July`."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    if moment - timezone.now() < timedelta(days=7):
        return date_format(local, "D H:i")
    return date_format(local, "j F H:i" if local.hour or local.minute else "j F")


@register.filter
def until(moment: datetime | None) -> str:
    """How far off a moment is: `in 2 days 9 hours`, `in 40 minutes`, `in a moment`."""
    if moment is None:
        return ""
    minutes = int((moment - timezone.now()).total_seconds() // 60)
    days, hours = minutes // 1440, minutes // 60 % 24
    if minutes < 1:
        return _("in a moment")
    if days:
        both = {"days": ngettext("%d day", "%d days", days) % days, "hours": _hours(hours)}
        return _("in %(days)s %(hours)s") % both if hours else _("in %(days)s") % both
    if hours:
        return _("in %(hours)s") % {"hours": _hours(hours)}
    return ngettext("in %d minute", "in %d minutes", minutes) % minutes


@register.simple_tag
def site_name() -> str:
    """The name of the portal where there is no context of a page, as in mails."""
    return str(settings.SITE_NAME)


@register.simple_tag
def icon(name: str, size: str = "", klass: str = "") -> SafeString:
    """One symbol of the sprite. `size` is `s` or `l`. Always silent: the word stands beside it."""
    return _icon(name, size, klass)


@cache
def _icon(name: str, size: str, klass: str) -> SafeString:
    classes = " ".join(["icon", *([f"icon--{size}"] if size else []), *([klass] if klass else [])])
    sprite = static("img/icons.svg")
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}#{}" /></svg>', classes, sprite, name)


@register.simple_tag
def control(field: BoundField, klass: str = "", *, helpless: bool = False, **attrs: Any) -> SafeString:
    """The input of a form field in our clothes; errors and help are linked to it by Django itself.

    `helpless`: its help is not shown beside it, so nothing refers to it. `attrs` become
    attributes, underscores as hyphens; an empty text leaves an attribute out.
    """
    if helpless:
        field.help_text = ""
    bare = isinstance(field.field.widget, (CheckboxInput, RadioSelect, CheckboxSelectMultiple))
    classes = " ".join(filter(None, ["" if bare else "input", klass]))
    given = {name.replace("_", "-"): value or False for name, value in attrs.items()}
    return field.as_widget(attrs={"placeholder": False, **({"class": classes} if classes else {}), **given})


@register.filter
def browser(agent: str) -> str:
    """What a browser calls itself, short: "Firefox on Linux". The text as it came, cut, where nothing is known."""
    name = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    if name and system:
        return _("%(browser)s on %(system)s") % {"browser": name, "system": system}
    return name or agent[:40] or _("An unnamed program")


@register.simple_tag
def avatar(user: User | None, klass: str = "") -> SafeString:
    """The initial of a person on their colour. The name must stand beside it."""
    if user is None:
        return avatar_of(0, "?", klass)
    return avatar_of(user.pk or 0, user.display_name, klass)


@register.simple_tag
def avatar_of(pk: int, name: str, klass: str = "") -> SafeString:
    """As `avatar`, of a person who is known by number and name."""
    hue, letter = pk % HUES + 1, initial(name)
    classes = " ".join(["avatar", f"avatar--{hue}", *([klass] if klass else [])])
    return format_html('<span class="{}" aria-hidden="true">{}</span>', classes, letter)


@register.simple_tag
def kind_tile(kind: str, size: str = "", play: str = "") -> SafeString:
    """The mark of a kind of result. With `play`, a title, it is the button that plays its row."""
    known = kind if kind in KINDS else "text"
    classes = f"tile tile--{known}" + (f" tile--{size}" if size else "")
    name = ICONS.get(known, known)
    if not play:
        return format_html('<span class="{}">{}</span>', classes, icon(name))
    return format_html(
        '<button class="{}" type="button" data-play aria-label="{}">{}<i class="tile__glyph"></i></button>',
        classes,
        _("Play: %(title)s") % {"title": play},
        icon(name, klass="tile__kind"),
    )


@register.filter
def dense(peaks: str) -> str:
    """Peaks of 0 to 100 with a character for each, in 64 steps, as waveform.js reads them too: a third of the size."""
    return "".join(STEPS[min(int(one), 100) * 63 // 100] for one in peaks.split())


@register.simple_tag
def meter(
    used: Any, limit: Any, label: str = "", next: Any = None, klass: str = "", warns: bool = True
) -> SafeString:
    """A level meter: what is used of a limit, and `next`, what one more step would take.

    Without a limit it is an empty line. What goes over the limit is drawn as such; from 80 % on it warns,
    unless `warns` is off because a full meter is nothing bad.
    """
    top, at = _decimal(limit), _decimal(used) or Decimal(0)
    more = max(_decimal(next) or Decimal(0), Decimal(0))
    voice = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    if top is None:
        return format_html('<svg class="meter meter--none{}" {}></svg>', f" {klass}" if klass else "", voice)
    whole = max(top, at + more, Decimal("0.000001"))
    classes = ["meter", klass]
    if warns and at >= top:
        classes.append("meter--over")
    elif warns and 100 * at >= NEAR * top:
        classes.append("meter--near")
    fits = max(min(more, top - at), Decimal(0))
    rects = format_html('<rect width="{}%" height="100%" />', _percent(at, whole))
    if fits:
        part = _percent(fits, whole, least=1)
        rects += format_html(
            '<rect class="meter__next" x="{}%" width="{}%" height="100%" />', _percent(at, whole), part
        )
    if more > fits:
        rects += format_html(
            '<rect class="meter__over" x="{}%" width="{}%" height="100%" />',
            _percent(at + fits, whole),
            _percent(more - fits, whole, least=1),
        )
    return format_html('<svg class="{}" {}>{}</svg>', " ".join(filter(None, classes)), voice, rects)


def _hours(hours: int) -> str:
    return ngettext("%d hour", "%d hours", hours) % hours


def _percent(part: Decimal, whole: Decimal, least: int = 0) -> str:
    """With a point whatever the language: it goes into an attribute."""
    share = min(max(100 * part / whole, Decimal(least)), Decimal(100))
    return f"{share:.1f}".removesuffix(".0")


def _decimal(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _seconds(value: float | int | None) -> int | None:
    if value is None or not math.isfinite(value) or value < 0:
        return None
    return int(value)
