"""What a browser would find in a form: the values it would send and what stands beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any


@dataclass
class Seen(HTMLParser):
    """`values` of the form with that id by name, `texts` by id, `attributes` of controls by name."""

    html: str
    form: str = "create"
    values: dict[str, list[str]] = field(default_factory=dict)
    attributes: dict[str, dict[str, str | None]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._stack: list[tuple[str, str]] = []
        self._textarea = self._select = ""
        self._inside = False
        self._pieces: dict[str, list[str]] = {}
        self.feed(self.html)
        self.texts = {name: " ".join(" ".join(pieces).split()) for name, pieces in self._pieces.items()}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form" and given.get("id") == self.form:
            self._inside = True
        name = given.get("name") or ""
        if self._inside:
            self._control(tag, name, given)
        if tag not in {"input", "use", "rect", "br", "hr", "meta", "link", "img", "path"}:
            self._stack.append((tag, given.get("id") or ""))

    def _control(self, tag: str, name: str, given: dict[str, Any]) -> None:
        if name and given.get("type") != "hidden":
            self.attributes[name] = given
        if tag == "textarea":
            self._textarea, self.values[name] = name, [""]
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given:
            self.values[self._select] = [given.get("value") or ""]
        elif tag == "input" and name and given.get("type") != "file":
            if given.get("type") in {"radio", "checkbox"} and "checked" not in given:
                return
            self.values.setdefault(name, []).append(given.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        if tag == "textarea":
            self._textarea = ""
        for place in range(len(self._stack) - 1, -1, -1):
            if self._stack[place][0] == tag:
                del self._stack[place:]
                break

    def handle_data(self, data: str) -> None:
        if self._textarea:
            before = self.values[self._textarea][0]
            self.values[self._textarea] = [before + (data if before else data.removeprefix("\n"))]
        for _tag, name in self._stack:
            if name:
                self._pieces.setdefault(name, []).append(data)

    def error(self, name: str) -> str:
        """The sentence at the field of this name."""
        return self.texts.get(f"p-{name}-error", "")

    def sent(self) -> dict[str, str | list[str]]:
        """What the form would post as it stands."""
        return {name: values[0] if len(values) == 1 else values for name, values in self.values.items()}


def seen(response: Any, form: str = "create") -> Seen:
    return Seen(response.content.decode(), form)
