"""The mix: levels, echo, pumping, textures, one room for all, tone, loudness, and the fade at the end."""

from __future__ import annotations

import itertools

import numpy as np

from generations.sandbox.dsp import Floats, Response, Sound, bell, db, fast_length, levelled, room, shelf
from generations.sandbox.music.brief import Brief

LEVELS = {"voice": -14.5, "lead": -18.0, "chords": -21.0, "pad": -24.5, "bass": -20.0, "drums": -18.5}
"""How loud each bus is where it plays, in dB."""
SENDS = {"voice": 0.7, "lead": 1.0, "chords": 0.8, "pad": 1.0, "bass": 0.12, "drums": 0.35}
"""How much of it goes into the room."""
SHIFTS = {
    "rock": {"drums": 1.5, "chords": 2.0}, "house": {"drums": 2.0, "bass": 1.0}, "cinematic": {"drums": 2.0,
    "pad": 2.5},
    "hiphop": {"bass": 2.5, "drums": 1.5}, "ambient": {"pad": 4.0, "lead": -3.0}, "piano": {"pad": -3.0,
    "bass": -3.0},
    "lofi": {"lead": -1.5, "drums": 0.5}, "jazz": {"drums": -4.5, "bass": 1.0}, "bossa": {"drums": -5.0},
    "folk": {"drums": -5.0}, "classical": {"bass": -1.5}, "eastern": {"drums": -4.0},
    "lullaby": {"bass": -3.0},
    "chiptune": {"drums": -1.0},
}  # fmt: skip
MOST_GAIN = 30.0
"""dB at which a bus that hardly plays is no longer raised."""
LUFS = -15.0
CEILING = 0.85
FADE_SECONDS = 2.6
BALANCE = (-3.0, 0.0, -1.0, -2.5, -4.5, -7.0, -10.0, -14.0, -20.0)
"""Power per octave from 45 Hz on, in dB, as finished recordings have it."""
DARKER = {"lofi": 3.0, "ambient": 1.6, "piano": 1.6, "lullaby": 0.8, "jazz": 0.8, "cinematic": 0.4}
"""dB less for every two octaves up."""


def mixed(brief: Brief, buses: dict[str, Sound], kicks: list[float], rate: int, *, quick: bool) -> Sound:
    """Stereo at about -15 LUFS, peaks at most CEILING, silent at its end."""
    n = next(iter(buses.values())).shape[1]
    shifts = SHIFTS.get(brief.name, {})
    pump = _pumping(brief, kicks, n, rate) if brief.style.pump and kicks else None
    dry = np.zeros((2, n), np.float32)
    wet = np.zeros((2, n), np.float32)
    for name, bus in buses.items():
        aim = LEVELS[name] + shifts.get(name, 0.0) - (4.0 if name == "lead" and "voice" in buses else 0.0)
        bus *= np.float32(db(min(aim - _level(bus, rate), MOST_GAIN)))
        if pump is not None and name in ("pad", "chords", "bass"):
            bus *= pump
        if name == "lead" and brief.style.echo:
            bus = _echoed(bus, brief, rate)
        dry += bus
        wet += bus * np.float32(SENDS[name])
    for texture in brief.textures:
        dry += _texture(texture, n, rate)
    seconds, share = brief.style.room
    sound = _in_room(dry, wet, rate, brief, room(rate, seconds, share, seed=5, dark=0.6))
    sound = levelled(sound, rate, LUFS, CEILING)
    return _faded(sound, rate, 0.4 if quick else FADE_SECONDS)


def _level(bus: Sound, rate: int) -> float:
    """The level in dB of the parts in which a bus plays."""
    size = int(0.3 * rate)
    count = max(bus.shape[1] // size, 1)
    blocks = bus[:, : count * size].reshape(2, count, -1)
    power = np.einsum("cbn,cbn->b", blocks, blocks) / blocks.shape[2]
    heard = power[power >= power.max() * 0.03]
    return float(10 * np.log10(heard.mean() + 1e-12))


def _pumping(brief: Brief, kicks: list[float], n: int, rate: int) -> Sound:
    """A gain that ducks at every kick and comes back within a beat."""
    step = 64
    curve = np.ones(n // step + 2, np.float32)
    length = int(0.75 * 60 / brief.tempo * rate / step)
    dip = (1 - brief.style.pump * (1 - np.linspace(0, 1, max(length, 2)) ** 0.7)).astype(np.float32)
    for kick in kicks:
        at = int(kick * rate / step)
        if 0 <= at < len(curve):
            end = min(at + len(dip), len(curve))
            curve[at:end] = np.minimum(curve[at:end], dip[: end - at])
    return np.repeat(curve, step)[:n]


def _echoed(bus: Sound, brief: Brief, rate: int) -> Sound:
    """Three repeats a dotted eighth apart, from side to side."""
    delay = int(0.75 * 60 / brief.tempo * rate)
    out = bus.copy()
    for turn in range(1, 4):
        if delay * turn >= bus.shape[1]:
            break
        gain = np.float32(brief.style.echo * 0.6 ** (turn - 1))
        side = bus[turn % 2, : -delay * turn] * gain
        out[turn % 2, delay * turn :] += side
        out[1 - turn % 2, delay * turn :] += side * np.float32(0.35)
    return out


def _texture(name: str, n: int, rate: int) -> Sound:
    """Rain, wind, waves or the crackle of a record, quietly under the music."""
    random = np.random.default_rng(len(name))
    if name == "vinyl":
        out = np.zeros((2, n), np.float32)
        clicks = random.integers(0, n, max(int(n / rate * 9), 1))
        out[random.integers(0, 2, len(clicks)), clicks] = random.uniform(-0.1, 0.1, len(clicks)) ** 3 * 60
        out[:, 1:] = out[:, 1:] * 0.6 + out[:, :-1] * 0.4
        return out + _hiss(random, n, rate) * np.float32(0.0012)
    noise = _hiss(random, n, rate)
    if name == "rain":
        noise[:, 1:] -= np.float32(0.85) * noise[:, :-1]
        return noise * np.float32(0.006)
    width = int(rate / 900)
    total = np.cumsum(noise, axis=1)
    noise[:, width:] = (total[:, width:] - total[:, :-width]) / width**0.5
    speed = 0.09 if name == "waves" else 0.17
    swell = 0.55 + 0.45 * np.sin(2 * np.pi * speed * np.arange(n) / rate - 1.2)
    return (noise * swell * 0.012).astype(np.float32)


def _hiss(random: np.random.Generator, n: int, rate: int) -> Sound:
    """Noise; seven seconds of it, repeated, cannot be told from more."""
    tile = random.standard_normal((2, 7 * rate), dtype=np.float32)
    return np.tile(tile, n // tile.shape[1] + 1)[:, :n]


def _tone(brief: Brief) -> Response:
    """The tone of the whole: no rumble, a little air; lo-fi without its top."""

    def response(hz: Floats) -> Floats:
        gain = hz**2 / (hz**2 + 28.0**2) * bell(hz, 320, -1.5, 1.2) * shelf(hz, 9000, 2.0)
        if brief.name == "lofi":
            gain = gain / np.sqrt(1 + (hz / 5200) ** 4) * bell(hz, 180, 1.5)
        return np.asarray(gain)

    return response


def _balanced(power: Floats, hz: Floats, brief: Brief) -> Sound:
    """A correction, halfway and at most a few dB, from the balance of octaves heard to the one that is
    wanted.
    """
    edges = np.array([45.0, 90, 180, 355, 710, 1400, 2800, 5600, 11_200, 20_000])
    edges = edges[edges < hz[-1]]
    found = np.array([power[a:b].sum() for a, b in itertools.pairwise(np.searchsorted(hz, edges))])
    wanted = np.array(BALANCE[: len(found)]) - DARKER.get(brief.name, 0.0) * np.arange(len(found)) / 2
    heard = 10 * np.log10(found / max(float(found.sum()), 1e-12) + 1e-9)
    wanted = wanted - 10 * np.log10((10 ** (wanted / 10)).sum())
    change = np.clip((wanted - heard) * 0.6, -5.0, 6.5)
    change[0] = min(change[0], 0.0)
    centres = np.log2(np.sqrt(edges[:-1] * edges[1:]))
    curve = np.interp(np.log2(np.maximum(hz, 1.0)), centres, change)
    return np.asarray(10 ** (curve / 20), np.float32)


def _in_room(dry: Sound, wet: Sound, rate: int, brief: Brief, space: Sound) -> Sound:
    n = dry.shape[1]
    size = fast_length(n + space.shape[1])
    hz = np.fft.rfftfreq(size, 1 / rate)
    tone = _tone(brief)(hz).astype(np.float32)
    clear = (hz**2 / (hz**2 + 160.0**2)).astype(np.float32)
    spectra = []
    for channel in range(2):
        spectrum = np.fft.rfft(wet[channel], size) * np.fft.rfft(space[channel], size) * clear
        spectra.append((spectrum + np.fft.rfft(dry[channel], size)) * tone)
    power = np.abs(spectra[0]) ** 2 + np.abs(spectra[1]) ** 2
    balance = _balanced(power, hz, brief)
    return np.stack([np.fft.irfft(spectrum * balance, size)[:n] for spectrum in spectra]).astype(np.float32)


def _faded(sound: Sound, rate: int, seconds: float) -> Sound:
    n = min(int(seconds * rate), sound.shape[1])
    sound[:, -n:] *= np.cos(np.linspace(0, np.pi / 2, n)).astype(np.float32) ** 2
    rise = int(0.004 * rate)
    sound[:, :rise] *= np.linspace(0, 1, rise, dtype=np.float32)
    return sound
