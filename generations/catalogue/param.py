"""One input of a model, as data: its key on the wire, its type, its bounds and the words people see."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any


class ParamType(StrEnum):
    """The types RunningHub knows. A LIST value is text on the wire, also when it looks like a number."""

    STRING = "STRING"
    INT = "INT"
    FLOAT = "FLOAT"
    BOOLEAN = "BOOLEAN"
    LIST = "LIST"
    IMAGE = "IMAGE"
    AUDIO = "AUDIO"
    VIDEO = "VIDEO"
    MODEL = "MODEL"
    COMPLEX = "COMPLEX"

    @property
    def is_media(self) -> bool:
        """True for the types whose value is a reference to an upload of ours."""
        return self in (ParamType.IMAGE, ParamType.AUDIO, ParamType.VIDEO)

    @property
    def is_number(self) -> bool:
        return self in (ParamType.INT, ParamType.FLOAT)


@dataclass(frozen=True)
class Option:
    """One value of a list and the words shown for it."""

    value: str
    label: str


@dataclass(frozen=True)
class ParamSpec:
    """One param. Values and bounds are facts of the model; label, help and widget are ours.

    `min`, `max` and `step` bound numbers; `min_length` and `max_length` count characters (code points) of a
    text, or of each entry when `multiple`. A `multiple` param is an array on the wire with at most
    `max_count` entries.
    """

    key: str
    type: ParamType
    label: str
    help: str = ""
    required: bool = False
    default: Any = field(default=None, hash=False)
    """In wire type; None means there is none."""
    min: Decimal | None = None
    max: Decimal | None = None
    step: Decimal | None = None
    unit: str = ""
    """Words after a number: "semitones"."""
    min_length: int | None = None
    max_length: int | None = None
    options: tuple[Option, ...] = ()
    multiple: bool = False
    max_count: int | None = None
    accept: tuple[str, ...] = ()
    """File extensions in small letters, without the dot; empty means any file of the type."""
    max_size_mb: int | None = None
    min_seconds: int | None = None
    max_seconds: int | None = None
    """How long a sound or video of the param may be."""
    takes_sound: bool = False
    """A video whose pictures do not matter, so that sound can be wrapped into one."""
    use_as: str = ""
    """What to do with a result that goes in here: "Clone this voice". Params without are offered in a list."""
    widget: str = ""
    """What a text is: "", "longtext", "lyrics", "speech", "pairs" (one entry a line), "voice" (the id of a voice to
    speak with), "new_voice" (the id of the voice that is made; allotted by the portal when it is not given) or
    "result" (the id that an earlier result gave).
    """
    result_of: tuple[str, ...] = ()
    """With the widget "result": slugs of the models whose results give the id."""
    result_keys: tuple[str, ...] = ()
    """With the widget "result": names under which the text of a result may hold the id, the likeliest first."""
    inserts: tuple[Option, ...] = ()
    """Markup the text understands: what is inserted, and the word on the chip."""
    advanced: bool = False
    hidden: bool = False
    """Never shown; always sent with its default, and no other value is taken."""
    placeholder: str = ""
    example: str = ""
    wire_key: str = ""
    """What RunningHub calls it, where that is no word: "28##text". "" when it is the key."""
    wire_values: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    """What a site takes in place of our values: (site, ((our value, theirs), ...)). Another value goes as it is."""
    fields: tuple[ParamSpec, ...] = ()
    """What each entry of a COMPLEX list holds, as far as it is known."""
    sizes: tuple[str, ...] = ()
    """The sizes that a picture may have, in pixels: "720x1280"."""
    min_side: int | None = None
    max_side: int | None = None
    """How few or many pixels each side of a picture may have."""
    pattern: str = ""
    """A regular expression for the whole text, or each entry; `pattern_help` is said when it fails."""
    pattern_help: str = ""

    def label_of(self, value: str) -> str:
        """The words shown for a value of a list; the value itself when it is not an option."""
        return next((option.label for option in self.options if option.value == value), value)

    @property
    def is_uncertain(self) -> bool:
        """Whether nobody tells how its value is to be written: it is taken as JSON and sent as it is."""
        return self.type is ParamType.COMPLEX and not self.fields

    @property
    def sent_as(self) -> str:
        """The key of the param in the body of a submit."""
        return self.wire_key or self.key

    def sent(self, value: str, site: str) -> str:
        """What the site takes for this value of a list."""
        return next(
            (dict(pairs).get(value, value) for name, pairs in self.wire_values if name == site), value
        )

    def received(self, sent: object) -> object:
        """Our value for what any of the sites takes; what is none of theirs as it came."""
        if not isinstance(sent, str) or any(option.value == sent for option in self.options):
            return sent
        named = (ours for _, pairs in self.wire_values for ours, theirs in pairs if theirs == sent)
        return next(named, sent)
