"""How long a recording plays whose index does not say: live recordings, and films that are sent in fragments."""

from __future__ import annotations

from pathlib import Path

FORMATS = {"mp4": "mov", "mov": "mov", "m4a": "mov", "webm": "matroska", "mkv": "matroska", "mka": "matroska"}


def played(path: Path, extension: str) -> float | None:
    """Seconds from the first packet to the end of the last, without unpacking any; None where that is not known.

    It is read as what its bytes were found to be and as nothing else: ffmpeg also knows lists of other files.
    """
    try:
        import av  # ships the libraries of ffmpeg: only whoever needs to know loads them
    except ImportError:
        return None
    form = FORMATS.get(extension)
    if form is None:
        return None
    begin, end = None, 0.0
    try:
        with av.open(str(path), format=form, options={"protocol_whitelist": "file"}) as recording:
            for packet in recording.demux():
                if packet.pts is None or packet.time_base is None:
                    continue
                at = float(packet.pts * packet.time_base)
                begin = at if begin is None else min(begin, at)
                end = max(end, at + float((packet.duration or 0) * packet.time_base))
    except (av.FFmpegError, OSError, ValueError, OverflowError):
        return None
    return round(end - begin, 3) if begin is not None and end > begin else None
