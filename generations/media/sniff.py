"""The type of a file from its first bytes. Names and Content-Type headers are never asked."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from .frames import adts_frame, id3_end, mpeg_frame, two_frames

SNIFF_BYTES = 8192
"""How much of a file's beginning `sniff` wants; less is allowed and decides less."""


@dataclass(frozen=True)
class MediaType:
    """`kind` is audio, image, video, 3d, text, archive or unknown; `extension` has no dot."""

    kind: str
    content_type: str
    extension: str


UNKNOWN = MediaType("unknown", "application/octet-stream", "bin")
MP3 = MediaType("audio", "audio/mpeg", "mp3")
WAV = MediaType("audio", "audio/wav", "wav")
FLAC = MediaType("audio", "audio/flac", "flac")
OGG = MediaType("audio", "audio/ogg", "ogg")
OPUS = MediaType("audio", "audio/ogg", "opus")
M4A = MediaType("audio", "audio/mp4", "m4a")
AAC = MediaType("audio", "audio/aac", "aac")
AIFF = MediaType("audio", "audio/aiff", "aiff")
PCM = MediaType("audio", "audio/pcm", "pcm")
WEBA = MediaType("audio", "audio/webm", "webm")
MKA = MediaType("audio", "audio/x-matroska", "mka")
MP4 = MediaType("video", "video/mp4", "mp4")
MOV = MediaType("video", "video/quicktime", "mov")
WEBM = MediaType("video", "video/webm", "webm")
MKV = MediaType("video", "video/x-matroska", "mkv")
AVI = MediaType("video", "video/x-msvideo", "avi")
OGV = MediaType("video", "video/ogg", "ogv")
PNG = MediaType("image", "image/png", "png")
JPEG = MediaType("image", "image/jpeg", "jpg")
GIF = MediaType("image", "image/gif", "gif")
WEBP = MediaType("image", "image/webp", "webp")
AVIF = MediaType("image", "image/avif", "avif")
HEIC = MediaType("image", "image/heic", "heic")
SVG = MediaType("image", "image/svg+xml", "svg")
GLB = MediaType("3d", "model/gltf-binary", "glb")
FBX = MediaType("3d", "application/x-fbx", "fbx")
OBJ = MediaType("3d", "model/obj", "obj")
ZIP = MediaType("archive", "application/zip", "zip")
SEVEN_ZIP = MediaType("archive", "application/x-7z-compressed", "7z")
RAR = MediaType("archive", "application/vnd.rar", "rar")
GZIP = MediaType("archive", "application/gzip", "gz")
HTML = MediaType("text", "text/html", "html")
XML = MediaType("text", "application/xml", "xml")
JSON = MediaType("text", "application/json", "json")
TEXT = MediaType("text", "text/plain", "txt")

_PREFIXES = (
    (b"fLaC", FLAC),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"glTF\x01\0\0\0", GLB),
    (b"glTF\x02\0\0\0", GLB),
    (b"Kaydara FBX Binary  \0", FBX),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (b"7z\xbc\xaf\x27\x1c", SEVEN_ZIP),
    (b"Rar!\x1a\x07", RAR),
    (b"\x1f\x8b\x08", GZIP),
)
_CHUNKED = {  # (first four bytes, bytes 8 to 12)
    (b"RIFF", b"WAVE"): WAV,
    (b"RF64", b"WAVE"): WAV,
    (b"RIFF", b"WEBP"): WEBP,
    (b"RIFF", b"AVI "): AVI,
    (b"FORM", b"AIFF"): AIFF,
    (b"FORM", b"AIFC"): AIFF,
}
_BRANDS = {
    b"M4A ": M4A, b"M4B ": M4A, b"M4P ": M4A, b"qt  ": MOV, b"avif": AVIF, b"avis": AVIF,
    b"heic": HEIC, b"heix": HEIC, b"hevc": HEIC,
}  # fmt: skip
_OGG_CODECS = ((b"\x01vorbis", OGG), (b"OpusHead", OPUS), (b"\x80theora", OGV))


def sniff(head: bytes) -> MediaType:
    """What a file that begins with `head` is, as far as its first `SNIFF_BYTES` bytes tell; never raises.

    MP4 and Matroska are called video here: whether they hold pictures stands further inside (`probe` looks).
    """
    for magic, found in _PREFIXES:
        if head.startswith(magic):
            return found
    chunked = _CHUNKED.get((head[:4], head[8:12]))
    if chunked is not None:
        return chunked
    if head[4:8] == b"ftyp":
        return _brand(head)
    if head[4:8] in {b"moov", b"mdat", b"wide"} and head[:1] == b"\0":
        return MOV
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return WEBM if b"\x42\x82\x84webm" in head[:64] else MKV
    if head.startswith(b"OggS"):
        return next((found for magic, found in _OGG_CODECS if magic in head[26:300]), OGG)
    tag_end = id3_end(head)
    if tag_end:
        return _stream(head[tag_end:].lstrip(b"\0")) or MP3
    return _stream(head.lstrip(b"\0")) or _text(head)


def _brand(head: bytes) -> MediaType:
    major = head[8:12]
    if major in _BRANDS:
        return _BRANDS[major]
    end = min(int.from_bytes(head[:4], "big"), 128)
    compatible = {head[at : at + 4] for at in range(16, end, 4)}
    if major in {b"mif1", b"msf1"}:
        return AVIF if b"avif" in compatible else HEIC
    return MP4


def _stream(data: bytes) -> MediaType | None:
    if data.startswith(b"fLaC"):
        return FLAC
    if two_frames(data, adts_frame):
        return AAC
    if two_frames(data, mpeg_frame):
        return MP3
    return None


_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_HTML_TAG = re.compile(
    r"<(?:!doctype\s+html|html|head|body|script|style|title|meta|link|iframe|div|table|h[1-6]|center|form|p|pre|br)\b",
    re.IGNORECASE,
)
_SVG_TAG = re.compile(r"<(?:!doctype\s+)?(?:svg:)?svg[\s>]", re.IGNORECASE)
# Song lyrics begin with "[Verse]" and "[1st chorus]": a bracket alone does not make JSON.
_JSON = re.compile(r'\{\s*["}]|\[\s*(?:[\]\[{"]|(?:-?\d[\d.eE+-]*|true|false|null)\s*[,\]])')


def _text(head: bytes) -> MediaType:
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        return UNKNOWN
    if not text or _NOT_TEXT.search(text):
        return UNKNOWN
    text = text.lstrip()
    while text.startswith("<!--") and "-->" in text:
        text = text.partition("-->")[2].lstrip()
    if text.startswith("<?xml"):
        return SVG if _SVG_TAG.search(text) else HTML if "<html" in text.lower() else XML
    if _HTML_TAG.match(text):
        return HTML
    if _SVG_TAG.match(text):
        return SVG
    return JSON if _JSON.match(text) else TEXT
