"""The process that speaks: phrases as JSON on standard input, their samples on standard output.

Run as a script by ``espeak``, a new process for each piece: libespeak-ng is not safe to use from threads, a
fault in it must not end the server, and what it said before changes how it speaks (a sentence said twice
differs).
Standard library only, so that it starts in a few hundredths of a second.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

SYNCHRONOUS, BUFFER_MS = 2, 200
UTF8, PHONEMES = 0x1, 0x100
RATE, PITCH, RANGE = 1, 3, 4
FALLBACK_VOICE = b"en-us"


def speak(library: Any, phrase: dict[str, Any], pieces: list[bytes]) -> bytes:
    if library.espeak_SetVoiceByName(phrase["voice"].encode()) != 0:
        library.espeak_SetVoiceByName(FALLBACK_VOICE)
    for parameter, key in ((RATE, "words"), (PITCH, "pitch"), (RANGE, "span")):
        library.espeak_SetParameter(parameter, phrase[key], 0)
    text = phrase["text"].encode("utf-8", "ignore").replace(b"\0", b" ") + b"\0"
    flags = UTF8 | (PHONEMES if phrase["phonemes"] else 0)
    pieces.clear()
    # The library starts with the time of day as its seed, and its voices flutter by chance.
    library.espeak_ng_SetRandSeed(ctypes.c_long(1))
    library.espeak_Synth(text, len(text), 0, 1, 0, flags, None, None)
    library.espeak_Synchronize()
    return b"".join(pieces)


def main() -> None:
    order = json.load(sys.stdin.buffer)
    library = ctypes.CDLL(order["library"])
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_uint,
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]
    pieces: list[bytes] = []

    def collect(samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            pieces.append(ctypes.string_at(samples, count * 2))
        return 0

    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)(
        collect
    )
    rate = library.espeak_Initialize(SYNCHRONOUS, BUFFER_MS, order["data"].encode(), 0)
    if rate <= 0:
        sys.exit(1)
    library.espeak_SetSynthCallback(callback)
    said = [speak(library, phrase, pieces) for phrase in order["phrases"]]
    head = {"rate": rate, "lengths": [len(pcm) for pcm in said]}
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + b"".join(said))


if __name__ == "__main__":
    main()
