"""A line is drawn from its values alone, once for all who see it alike."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from accounts.models import Membership
from generations.models import Generation
from generations.views.drawn import Line, _drawn, draw, line_of
from generations.views.row import rows

pytestmark = pytest.mark.django_db
OTHERWISE: dict[str, Any] = {
    "day": "Monday 1 June",
    "live": "1.running",
    "tags": ("trailer",),
    "rating": 3,
    "kind": "picture",
    "icon": "clock",
}
"""Values that differ where "x" would not be one."""


@pytest.fixture
def line(bob: Membership, make_generation: Any) -> Line:
    made = make_generation(bob, outputs=1, params={"prompt": "Rain"})
    [row] = rows([made], bob)
    return line_of(row, may_rate=True)


def html(line: Line) -> str:
    return _drawn(line, "en")


def test_the_template_looks_at_nothing_but_the_line() -> None:
    source = (Path(settings.BASE_DIR) / "templates" / "library" / "_row.html").read_text()
    names = set(re.findall(r"\bline\.(\w+)", source))
    assert names == {field.name for field in fields(Line)}
    assert not re.search(r"\b(row|membership|request|user|team|generation)\b\.", source)


@pytest.mark.parametrize("name", sorted(field.name for field in fields(Line)))
def test_each_value_of_a_line_is_seen(name: str, line: Line) -> None:
    """In one of the ways a line can look: as a sound, as a picture, as one that waits."""
    looks = [
        replace(line, plays=True, src="/a", peaks="1 50 99"),
        replace(line, plays=False, src="", peaks="", poster="/p", facts="PNG"),
        replace(line, plays=False, poster="", facts="", waits="soon", why="full", has_length=True),
        replace(line, is_guess=True, cost="¥1.00", is_priced=True),
    ]
    value = getattr(line, name)
    # Of people only the colour is seen, of which there are a few; neighbours have different ones.
    other = OTHERWISE.get(name, line.author_id + 1 if name == "author_id" else "77")
    if isinstance(value, bool):
        other = not value
    assert any(html(look) != html(replace(look, **{name: other})) for look in looks)


def test_what_changed_is_drawn_anew_and_what_is_equal_once(
    alice: Membership, bob: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(bob, title="Rain on tin", outputs=1)
    list_ = f"/t/{bob.team.slug}/library/"
    assert "Rain on tin" in client_of(bob).get(list_).content.decode()
    before = _drawn.cache_info()
    assert "Rain on tin" in client_of(alice).get(list_).content.decode()
    after = _drawn.cache_info()
    assert (after.hits - before.hits, after.misses) == (1, before.misses)
    Generation.objects.filter(pk=made.pk).update(title="Rain on glass", rating=4)
    page = client_of(alice).get(list_).content.decode()
    assert "Rain on glass" in page
    assert '<rating-bars value="4">' in page
    assert "Rain on tin" not in page


def test_who_may_not_rate_sees_a_rating_without_buttons(bob: Membership, make_generation: Any) -> None:
    [row] = rows([make_generation(bob, rating=2)], bob)
    assert "<rating-bars" in draw(row, may_rate=True)
    assert "<rating-bars" not in draw(row, may_rate=False)
    assert 'aria-label="2 of 5"' in draw(row, may_rate=False)


def test_what_people_write_is_escaped(bob: Membership, make_generation: Any) -> None:
    [row] = rows([make_generation(bob, title="<b>&", params={"prompt": "<script>x"})], bob)
    assert "&lt;b&gt;&amp;" in draw(row, may_rate=True)
    assert "<script" not in draw(row, may_rate=True)
