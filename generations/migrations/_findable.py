"""The index of words and the triggers that keep it.

On SQLite a migration that rebuilds `generations_generation` or `generations_tagging` loses their triggers; it ends
with `migrations.RunPython(install, migrations.RunPython.noop)`, and a test fails where it was forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

LONGEST = 4000
"""So many characters of a text are found by two of them; three and more are found anywhere."""


def install(apps: Any, schema_editor: Any) -> None:
    """Makes the triggers anew, and what they need where it is not there."""
    statements = _sqlite() if schema_editor.connection.vendor == "sqlite" else _postgresql()
    with schema_editor.connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def fill(apps: Any, schema_editor: Any) -> None:
    """Makes the rows of generations that are there already, by touching them."""
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "sqlite":
            cursor.execute("UPDATE generations_generation SET search_text = search_text")
            cursor.execute("UPDATE generations_tagging SET tag_id = tag_id")
        else:
            cursor.execute(
                "INSERT INTO generations_findable (number, generation_id, text, marks, tags)"
                " SELECT rhweb_number(id), id, rhweb_words(search_text, title, notes),"
                " 'g' || team_id || ' a' || author_id || ' ',"
                " COALESCE((SELECT string_agg('t' || tag_id, ' ') FROM generations_tagging"
                " WHERE generation_id = g.id), '') FROM generations_generation g ON CONFLICT DO NOTHING"
            )


def _sqlite() -> Iterator[str]:
    """FTS5 beside the rows: trigrams of the words, and their pairs without positions, which are small."""
    tokens = "L* N* M* P* S* Co"
    yield (
        "CREATE VIRTUAL TABLE IF NOT EXISTS generations_trigrams USING fts5(text, marks, tags,"
        " content='generations_findable', content_rowid='number', tokenize='trigram', columnsize=0)"
    )
    yield (
        "CREATE VIRTUAL TABLE IF NOT EXISTS generations_pairs USING fts5(pairs, content='', detail='none',"
        f" columnsize=0, tokenize=\"unicode61 remove_diacritics 0 categories '{tokens}'\")"
    )
    written = "NEW.title || char(10) || NEW.notes"
    words = f"NEW.search_text || char(10) || replace({written}, 'ß', 'ss')"
    free = (
        "(SELECT COALESCE(MAX(number) + 1, {first}) FROM generations_findable"
        " WHERE number BETWEEN {first} AND {first} + 7)"
    ).format(first=_number("NEW.id"))
    marks = f"{_mark(0xE001, 'NEW.team_id')} || {_mark(0xE002, 'NEW.author_id')}"
    row = (
        "INSERT INTO generations_findable (number, generation_id, text, marks, tags)"
        f" SELECT {free}, NEW.id, {words}, {marks}, ''"
    )
    there = "SELECT 1 FROM generations_findable WHERE generation_id = NEW.id"
    yield from _trigger("findable_made", "AFTER INSERT ON generations_generation", row)
    yield from _trigger(
        "findable_reworded",
        "AFTER UPDATE OF search_text, title, notes ON generations_generation",
        f"{row} WHERE NOT EXISTS ({there})",
        f"UPDATE generations_findable SET text = {words} WHERE generation_id = NEW.id AND text <> {words}",
    )
    for name, when, side in (
        ("made", "INSERT", "NEW"),
        ("changed", "UPDATE", "NEW"),
        ("gone", "DELETE", "OLD"),
    ):
        every = (
            f"COALESCE((SELECT group_concat({_mark(0xE003, 'tag_id')}, '') FROM generations_tagging"
            f" WHERE generation_id = {side}.generation_id), '')"
        )
        yield from _trigger(
            f"tagging_{name}",
            f"AFTER {when} ON generations_tagging",
            f"UPDATE generations_findable SET tags = {every} WHERE generation_id = {side}.generation_id",
        )
    put = [
        "INSERT INTO generations_trigrams (rowid, text, marks, tags)"
        " VALUES (NEW.number, NEW.text, NEW.marks, NEW.tags)",
        f"INSERT INTO generations_pairs (rowid, pairs) VALUES (NEW.number, {_pairs('NEW')})",
    ]
    take = [
        "INSERT INTO generations_trigrams (generations_trigrams, rowid, text, marks, tags)"
        " VALUES ('delete', OLD.number, OLD.text, OLD.marks, OLD.tags)",
        "INSERT INTO generations_pairs (generations_pairs, rowid, pairs)"
        f" VALUES ('delete', OLD.number, {_pairs('OLD')})",
    ]
    yield from _trigger("findable_indexed", "AFTER INSERT ON generations_findable", *put)
    yield from _trigger("findable_indexed_anew", "AFTER UPDATE ON generations_findable", *take, *put)
    yield from _trigger("findable_forgotten", "AFTER DELETE ON generations_findable", *take)


def _trigger(name: str, when: str, *statements: str) -> Iterator[str]:
    yield f"DROP TRIGGER IF EXISTS {name}"
    yield f"CREATE TRIGGER {name} {when} BEGIN {'; '.join(statements)}; END"


def _number(pk: str) -> str:
    """As `number_of` of the model, from the 32 hexadecimal digits that SQLite keeps."""
    digits = [*range(1, 13), *range(14, 17)]
    terms = [
        f"((instr('0123456789abcdef', substr({pk}, {digit}, 1)) - 1) << {4 * (14 - place) + 3})"
        for place, digit in enumerate(digits)
    ]
    return f"({' + '.join(terms)})"


def _mark(letter: int, pk: str) -> str:
    """As `mark` of the model."""
    return f"char({letter}, 983040 + ({pk} >> 12), 983040 + ({pk} & 4095))"


def _pairs(side: str) -> str:
    """Every two characters that stand beside each other, and every one that may be a word, between spaces."""
    text = f"substr({side}.text, 1, {LONGEST})"
    return (
        "(SELECT group_concat(pair, ' ') FROM (WITH RECURSIVE place(n, most, pair) AS ("
        f"SELECT 1, length({text}), substr({text}, 1, 2) UNION ALL"
        f" SELECT n + 1, most, substr({side}.text, n + 1, 2) FROM place WHERE n < most)"
        " SELECT pair || iif(unicode(pair) > 127, ' ' || substr(pair, 1, 1), '') AS pair FROM place"
        f" UNION ALL SELECT {_apart(side)}))"
    )


def _apart(side: str) -> str:
    """The marks with a space after each: a pair is a token of its own."""
    both = f"{side}.marks || {side}.tags"
    return (
        "(SELECT group_concat(one, ' ') FROM (WITH RECURSIVE each(n, one) AS ("
        f"SELECT 1, substr({both}, 1, 3) UNION ALL"
        f" SELECT n + 3, substr({both}, n + 3, 3) FROM each WHERE n + 3 <= length({both})) SELECT one FROM each))"
    )


def _postgresql() -> Iterator[str]:
    """Inverted indexes: trigrams of the words, their pairs and the marks."""
    yield "CREATE EXTENSION IF NOT EXISTS pg_trgm"
    yield (
        "CREATE OR REPLACE FUNCTION rhweb_words(made text, title text, notes text) RETURNS text"
        " LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT made || E'\\n' || replace(lower(title || E'\\n' || notes), 'ß', 'ss') $$"
    )
    yield (
        "CREATE OR REPLACE FUNCTION rhweb_number(id uuid) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$"
        " SELECT (('x0' || substr(replace(id::text, '-', ''), 1, 12) || substr(replace(id::text, '-', ''), 14, 3))"
        "::bit(64)::bigint) << 3 $$"
    )
    yield (
        "CREATE OR REPLACE FUNCTION rhweb_pairs(words text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$"
        " SELECT array_agg(letter || next) || array_agg(letter) FILTER (WHERE ascii(letter) > 127)"
        f" FROM unnest(string_to_array(left(words, {LONGEST}), NULL),"
        f" (string_to_array(left(words, {LONGEST}), NULL))[2:]) AS two(letter, next) $$"
    )
    yield (
        "CREATE INDEX IF NOT EXISTS findable_trigrams ON generations_findable USING gin (text gin_trgm_ops)"
    )
    yield "CREATE INDEX IF NOT EXISTS findable_pairs ON generations_findable USING gin (rhweb_pairs(text))"
    yield (
        "CREATE INDEX IF NOT EXISTS findable_marks ON generations_findable"
        " USING gin (string_to_array(marks || tags, ' '))"
    )
    yield "ALTER TABLE generations_findable ALTER COLUMN text SET STATISTICS 500"
    yield (
        "CREATE OR REPLACE FUNCTION rhweb_findable() RETURNS trigger LANGUAGE plpgsql AS $$"
        " DECLARE free bigint := rhweb_number(NEW.id); BEGIN"
        " IF TG_OP = 'UPDATE' THEN UPDATE generations_findable"
        " SET text = rhweb_words(NEW.search_text, NEW.title, NEW.notes) WHERE generation_id = NEW.id"
        " AND text <> rhweb_words(NEW.search_text, NEW.title, NEW.notes); RETURN NULL; END IF;"
        " WHILE EXISTS (SELECT 1 FROM generations_findable WHERE number = free) LOOP free := free + 1; END LOOP;"
        " INSERT INTO generations_findable (number, generation_id, text, marks, tags)"
        " VALUES (free, NEW.id, rhweb_words(NEW.search_text, NEW.title, NEW.notes),"
        " 'g' || NEW.team_id || ' a' || NEW.author_id || ' ', ''); RETURN NULL; END $$"
    )
    yield (
        "CREATE OR REPLACE FUNCTION rhweb_tagged() RETURNS trigger LANGUAGE plpgsql AS $$"
        " DECLARE which uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.generation_id ELSE NEW.generation_id END; BEGIN"
        " UPDATE generations_findable SET tags = COALESCE((SELECT string_agg('t' || tag_id, ' ')"
        " FROM generations_tagging WHERE generation_id = which), '') WHERE generation_id = which;"
        " RETURN NULL; END $$"
    )
    for name, when, call in (
        ("findable_made", "AFTER INSERT ON generations_generation", "rhweb_findable"),
        (
            "findable_reworded",
            "AFTER UPDATE OF search_text, title, notes ON generations_generation",
            "rhweb_findable",
        ),
        ("tagging_changed", "AFTER INSERT OR UPDATE OR DELETE ON generations_tagging", "rhweb_tagged"),
    ):
        table = when.rpartition(" ")[2]
        yield f"DROP TRIGGER IF EXISTS {name} ON {table}"
        yield f"CREATE TRIGGER {name} {when} FOR EACH ROW EXECUTE FUNCTION {call}()"
