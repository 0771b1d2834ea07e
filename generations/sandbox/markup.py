"""The text of a speech model taken apart: words to speak, silences, interjections (the markup MiniMax
documents).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

INTERJECTIONS = (
    "laughs", "chuckle", "coughs", "clear-throat", "groans", "breath", "pant", "inhale", "exhale", "gasps",
    "gasp",
    "sniffs", "sighs", "snorts", "burps", "lip-smacking", "humming", "hissing", "emm", "whistles", "sneezes",
    "crying",
    "applause",
)  # fmt: skip
TOKEN = re.compile(rf"<#(\d{{1,2}}(?:\.\d{{1,2}})?)#>|\(({'|'.join(INTERJECTIONS)})\)", re.IGNORECASE)
SENTENCE = re.compile(r"[^.!?。！？；;\n]*(?:[.!?。！？；;]+[\"'”’)]*|\n+|$)")
PARAGRAPH_SECONDS = 0.55
SENTENCE_SECONDS = 0.16
MAX_CHARACTERS = 400

SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af\u1100-\u11ff]")),
    ("cmn", re.compile(r"[\u4e00-\u9fff\u3400-\u4dbf]")),
    ("uk", re.compile(r"[іїєґІЇЄҐ]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("vi", re.compile(r"[ạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹđ]", re.IGNORECASE)),
)
COMMON_WORDS = {
    "en-us": "the and of to is in you that it for was with are this have not be as your we from what",
    "fr-fr": "le la les et des une est que pour dans pas vous nous avec sur qui mais c'est ce",
    "de": "der die das und ist nicht ein eine ich wir sie mit auf für zu den von auch es",
    "es-419": "el la los las y que en un una es por para con no se del más pero como muy",
    "pt-br": "o a os as e que em um uma é não para com por do da mais mas você muito",
    "it": "il lo la gli e che di un una è non per con sono del della ma anche più",
    "nl": "de het een en van is niet ik je dat op te zijn met voor maar ook",
    "pl": "i w na nie się jest to że z do jak ale co tak",
    "tr": "ve bir bu için ile çok ne ama gibi daha var değil",
    "id": "dan yang di ini itu dengan untuk tidak dari kami anda akan pada",
}
_COMMON = {language: frozenset(words.split()) for language, words in COMMON_WORDS.items()}


@dataclass(frozen=True)
class Words:
    text: str
    language: str


@dataclass(frozen=True)
class Silence:
    seconds: float


@dataclass(frozen=True)
class Noise:
    """An interjection, made as a sound and not read out."""

    name: str


Token = Words | Silence | Noise


def read(text: str, *, language: str, replacements: Iterable[str] = ()) -> list[Token]:
    """The tokens of a text in order. ``language`` is spoken where a sentence does not show another."""
    text = _replaced(text, replacements)
    found: list[Token] = []
    at = 0
    for match in TOKEN.finditer(text):
        found += _sentences(text[at : match.start()], language)
        seconds, name = match.groups()
        if seconds and found and isinstance(found[-1], Silence):
            found.pop()
        found.append(Silence(float(seconds)) if seconds else Noise(name.lower()))
        at = match.end()
    return found + _sentences(text[at:], language)


def language_of(text: str, fallback: str) -> str:
    """The language by script, then by frequent words; ``fallback`` where neither tells."""
    for language, pattern in SCRIPTS:
        if pattern.search(text):
            return fallback if language == "cmn" and fallback in ("yue", "ja") else language
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower())
    if not words:
        return fallback or "en-us"
    hits = {language: sum(word in common for word in words) for language, common in _COMMON.items()}
    best = max(hits, key=lambda language: (hits[language], language == fallback, language == "en-us"))
    latin = (
        fallback
        if fallback not in ("cmn", "yue", "ja", "ko", "ru", "uk", "el", "ar", "th", "hi", "")
        else "en-us"
    )
    return best if hits[best] > hits.get(latin, 0) and hits[best] >= 2 else latin


def _replaced(text: str, replacements: Iterable[str]) -> str:
    """Pronunciations are written word/replacement; those in toned syllables, as (chu3)(li3), are left to
    espeak.
    """
    for entry in replacements:
        word, slash, spoken = str(entry).partition("/")
        word, spoken = word.strip(), spoken.strip()
        if not (slash and word and spoken) or re.fullmatch(r"(\([a-z]+[1-5]\))+", spoken):
            continue
        edge = r"\b" if word.isascii() and word[0].isalnum() and word[-1].isalnum() else ""
        text = re.sub(edge + re.escape(word) + edge, spoken.replace("\\", r"\\"), text)
    return text


def _sentences(text: str, language: str) -> list[Token]:
    found: list[Token] = []
    for match in SENTENCE.finditer(text):
        sentence = match.group()
        spoken = sentence.strip()
        if any(character.isalnum() for character in spoken):
            here = language_of(spoken, language)
            for start in range(0, len(spoken), MAX_CHARACTERS):
                found.append(Words(spoken[start : start + MAX_CHARACTERS], here))
            found.append(Silence(PARAGRAPH_SECONDS if "\n" in sentence else SENTENCE_SECONDS))
        elif "\n" in sentence and found:
            found.append(Silence(PARAGRAPH_SECONDS - SENTENCE_SECONDS))
    return found
