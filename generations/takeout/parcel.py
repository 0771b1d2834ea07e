"""What is taken out: the files with their names, and what stands beside them."""

from __future__ import annotations

import io
from collections.abc import Collection as Several
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, cast
from zoneinfo import ZoneInfo

from generations import media
from generations.media.splice import Piece
from generations.models import Generation, Output, Upload
from generations.takeout import provenance
from generations.takeout.names import Names
from generations.takeout.source import open_output
from generations.takeout.zipped import MISSING, Entry, missing_note

MOST = 5000
"""So many generations go into one parcel: what is known of them is held in memory while it is sent."""
TABLE = "provenance.csv"
_COMMENT = 500


@dataclass(frozen=True)
class Wish:
    """What somebody wants of it. `pattern` is checked already."""

    pattern: str
    sidecar: bool = True
    tags: bool = False


@dataclass(frozen=True)
class Item:
    """One file: the output, what it will be called, and the labels it gets, if any."""

    output: Output
    name: str
    modified: datetime
    labels: media.Labels | None = None

    def open(self) -> BinaryIO:
        """Its bytes, with the labels put on. What takes none comes as it is."""
        file = open_output(self.output)
        if self.labels is None or not self.output.file:
            return file
        try:
            pieces = self.pieces(file)
        except BaseException:
            file.close()
            raise
        return cast(BinaryIO, io.BufferedReader(media.Spliced(file, pieces), 1 << 18))

    def pieces(self, file: BinaryIO) -> list[Piece]:
        try:
            return media.labelled(file, self.output.bytes, self.output.extension, self.labels)
        except media.Opaque:
            return [(0, self.output.bytes)]

    @property
    def entry(self) -> Entry:
        size = self.output.bytes if self.output.file else len(self.output.text.encode())
        return Entry(self.name, None if self.labels else size, self.open, self.modified)


@dataclass(frozen=True)
class Parcel:
    """Files in their order, and what stands beside them by name."""

    items: Sequence[Item]
    beside: Mapping[str, bytes] = field(default_factory=dict)

    def entries(self, gone: Several[str] = ()) -> list[Entry]:
        """Everything that goes into the zip; `gone` are names of items known to be missing, which are listed."""
        found = [item.entry for item in self.items if item.name not in gone]
        when = self.items[0].modified if self.items else datetime(1980, 1, 1)  # noqa: DTZ001 - zips know no zones
        for name, data in self.beside.items():
            found.append(Entry(name, len(data), lambda data=data: io.BytesIO(data), when))  # type: ignore[misc]
        if gone:
            lines = [f"{item.name}: not in the storage" for item in self.items if item.name in gone]
            found.append(missing_note(lines, when))
        return found

    def gone(self) -> set[str]:
        """The names of the items whose file is not in the storage or shorter than it was; for storages that answer
        at once.
        """
        return {item.name for item in self.items if item.output.file and not _is_whole(item.output)}


def _is_whole(output: Output) -> bool:
    try:
        return bool(output.file.storage.size(str(output.file.name)) == output.bytes)
    except OSError:
        return False


def parcel_of(
    rows: Sequence[Generation],
    wish: Wish,
    zone: ZoneInfo,
    *,
    uploads: Mapping[Any, Upload],
    without: Several[str] = (),
    collection: str = "",
) -> Parcel:
    """The parcel of these generations, in their order, with authors, outputs, voices and tags loaded.

    `uploads` are those that their params name, `without` the voices that are not for whoever asks.
    """
    names = Names(wish.pattern, (MISSING, TABLE))
    width = max(3, len(str(len(rows))))
    items: list[Item] = []
    beside: dict[str, bytes] = {}
    lines: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for place, row in enumerate(rows, 1):
        outputs = list(row.outputs.all())
        told = provenance.facts(row, zone, uploads, without, collection)
        files = []
        for output in outputs:
            letter = output.letter if len(outputs) > 1 else ""
            made = row.created_at.astimezone(zone)
            values = {
                "index": f"{place:0{width}}",
                "title": row.title,
                "take": letter,
                "author": row.author.display_name,
                "date": made.date().isoformat(),
                "model": told["model_title"],
                "kind": row.kind,
                "collection": collection,
            }
            name = names.name(values, output.extension)
            labels = _labels(told, values) if wish.tags and output.kind == "audio" else None
            items.append(Item(output, name, made, labels))
            files.append(provenance.file_facts(output, name, letter))
        if files and wish.sidecar:
            beside[names.beside(files[0]["file"], "json")] = provenance.sidecar(told, files)
            lines += [(told, file) for file in files]
    if lines:
        beside[TABLE] = provenance.table(lines)
    return Parcel(items, beside)


def _labels(told: Mapping[str, Any], values: Mapping[str, str]) -> media.Labels:
    title = f"{values['title']} {values['take']}".strip()
    made = f"{told['model_title']}, {values['date']}"
    voice = told["voice"]
    parts = [
        made,
        f"voice: {voice['name']}" if voice else "",
        f"id: {told['generation']}",
        told["text"][:_COMMENT],
    ]
    return media.Labels(
        title=title,
        artist=values["author"],
        album=values["collection"],
        date=values["date"],
        comment="\n".join(part for part in parts if part),
    )
