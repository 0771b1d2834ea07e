"""The styles the composer knows, as data, and the words of a prompt that ask for each."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Style:
    """How a kind of music is made. Names of instruments are those of ``patches``, of drums those of
    ``drums``.
    """

    words: str
    """Words and phrases, separated by commas; a longer match counts more."""
    tempo: tuple[int, int]
    modes: tuple[str, ...]
    lead: tuple[str, ...]
    chords: tuple[str, ...]
    figure: str
    """How the chords are played: ``block``, ``arpeggio``, ``broken``, ``offbeat``, ``strum``, ``pulse``,
    ``comp``.
    """
    bass: str = "round"
    walk: str = "roots"
    """What the bass plays: ``roots``, ``long``, ``eighths``, ``octaves``, ``walking``, ``offbeat``,
    ``waltz``.
    """
    pad: str = ""
    drums: str = ""
    swing: float = 0.0
    size: int = 3
    """Notes of a chord: 3, 4 or 5."""
    room: tuple[float, float] = (1.4, 0.22)
    """Seconds of reverberation and how much of it is heard."""
    density: float = 0.5
    """How busy the melody is, 0 to 1."""
    turns: bool = False
    pentatonic: bool = False
    echo: float = 0.0
    pump: float = 0.0
    texture: tuple[str, ...] = field(default=())
    meter: int = 4


STYLES: dict[str, Style] = {
    "lofi": Style(
        "lo-fi,lofi,lo fi,chillhop,study,chill beat,late night,coffee,mellow,vinyl", (70, 86),
        ("dorian", "minor", "major"), ("electric piano", "vibraphone", "guitar"), ("electric piano",
        "piano"), "comp",
        pad="warm pad", drums="lofi", swing=0.16, size=5, room=(1.1, 0.16), density=0.4, pentatonic=True,
        texture=("vinyl",),
    ),
    "ambient": Style(
        "ambient,drone,meditation,meditative,sleep,spa,yoga,space,ethereal,floating,dreamy,atmospheric,relaxing,氛围,冥想",
        (58, 70), ("lydian", "major"), ("bell", "flute"), ("harp",), "broken", bass="sub", walk="long",
        pad="glass pad",
        size=5, room=(3.4, 0.5), density=0.18, pentatonic=True, echo=0.35,
    ),
    "piano": Style(
        "piano,neoclassical,ballad,nocturne,solo piano,sonata,intimate,钢琴", (64, 84), ("major", "minor"),
        ("piano",),
        ("piano",), "broken", bass="piano", walk="long", pad="soft strings", size=4, room=(2.2, 0.26),
        density=0.42,
    ),
    "cinematic": Style(
        "cinematic,epic,trailer,orchestral,orchestra,film,score,soundtrack,heroic,battle,taiko,war,adventure,dramatic,"
        "suspense,史诗,战斗,交响", (84, 126), ("minor",), ("brass", "strings"), ("staccato",), "pulse",
        bass="contrabass",
        walk="eighths", pad="choir", drums="taiko", room=(2.6, 0.32), density=0.35,
    ),
    "house": Style(
        "edm,house,dance,club,electronic,techno,trance,rave,festival,dj,电子,舞曲", (120, 128), ("minor",
        "dorian"),
        ("saw lead", "pluck"), ("supersaw", "pluck"), "offbeat", bass="synth bass", walk="offbeat",
        pad="warm pad",
        drums="house", size=4, room=(1.6, 0.2), density=0.55, echo=0.3, pump=0.6,
    ),
    "synthwave": Style(
        "synthwave,retrowave,80s,eighties,outrun,neon,night drive,cyberpunk,vaporwave", (90, 112), ("minor",),
        ("saw lead", "square"), ("supersaw",), "arpeggio", bass="synth bass", walk="eighths", pad="warm pad",
        drums="gated", room=(2.0, 0.26), density=0.42, echo=0.35, pump=0.3,
    ),
    "jazz": Style(
        "jazz,swing,bebop,lounge,noir,smoky,big band,blues,爵士", (96, 138), ("major", "dorian"),
        ("vibraphone", "reed", "piano"), ("piano",), "comp", bass="upright", walk="walking", drums="ride",
        swing=0.3,
        size=5, room=(1.2, 0.18), density=0.55, turns=True,
    ),
    "bossa": Style(
        "bossa,bossa nova,latin,samba,beach,brazil,summer breeze", (116, 134), ("major", "minor"), ("flute",
        "guitar"),
        ("guitar",), "comp", bass="upright", walk="roots", drums="bossa", size=5, room=(1.2, 0.18),
        turns=True,
    ),
    "folk": Style(
        "folk,acoustic,guitar,country,campfire,ukulele,indie,bluegrass,travel,民谣,吉他", (92, 116),
        ("major", "mixolydian"), ("guitar", "flute", "reed"), ("guitar",), "strum", bass="upright",
        pad="soft strings",
        drums="brushes", room=(1.2, 0.18),
    ),
    "rock": Style(
        "rock,metal,punk,grunge,electric guitar,garage,hard rock,摇滚", (112, 142), ("minor", "mixolydian"),
        ("lead guitar",), ("power guitar",), "pulse", bass="picked bass", walk="eighths", drums="rock",
        room=(1.1, 0.14), density=0.5,
    ),
    "hiphop": Style(
        "hip hop,hip-hop,hiphop,trap,rap,boom bap,drill,808,beat tape,说唱", (78, 92), ("minor", "phrygian"),
        ("bell", "electric piano"), ("electric piano", "harp"), "broken", bass="808", walk="roots",
        pad="warm pad",
        drums="trap", size=4, room=(1.3, 0.18), density=0.35, pentatonic=True,
    ),
    "classical": Style(
        "classical,baroque,chamber,string quartet,minuet,symphony,violin,cello,strings,harpsichord,waltz,"
        "古典,小提琴",
        (88, 116), ("major", "minor"), ("violin", "flute"), ("staccato", "harp"), "broken", bass="contrabass",
        walk="roots", pad="soft strings", room=(2.2, 0.28), density=0.5, turns=True,
    ),
    "chiptune": Style(
        "chiptune,8-bit,8 bit,8bit,video game,arcade,pixel,game boy,nintendo,platformer", (132, 156),
        ("major", "minor"), ("square",), ("thin square",), "arpeggio", bass="triangle", walk="octaves",
        drums="chip",
        room=(0.5, 0.06), density=0.7, echo=0.2,
    ),
    "eastern": Style(
        "guzheng,erhu,pipa,chinese,china,koto,japanese,japan,zen,shakuhachi,oriental,bamboo,temple,古筝,二胡,琵琶,中国风,国风",
        (66, 92), ("major", "minor"), ("guzheng", "flute"), ("harp", "guzheng"), "broken", bass="round",
        walk="long",
        pad="soft strings", drums="frame", room=(2.2, 0.28), density=0.45, pentatonic=True,
    ),
    "lullaby": Style(
        "lullaby,music box,baby,nursery,bedtime,cradle,fairy,摇篮曲", (66, 80), ("major",), ("music box",),
        ("harp", "music box"), "broken", bass="round", walk="waltz", pad="glass pad", room=(2.4, 0.3),
        density=0.4,
        meter=3,
    ),
    "funk": Style(
        "funk,disco,groove,groovy,soul,motown,r&b,rnb,放克", (102, 116), ("dorian", "mixolydian"),
        ("reed", "electric piano"), ("muted guitar",), "offbeat", bass="picked bass", walk="octaves",
        pad="soft strings", drums="house", size=4, room=(1.0, 0.14), density=0.55, pentatonic=True,
    ),
    "pop": Style(
        "pop,upbeat,happy,cheerful,corporate,commercial,bright,uplifting,inspiring,fun,summer,love song,"
        "流行,欢快,快乐",
        (98, 120), ("major",), ("pluck", "electric piano", "piano"), ("piano", "guitar"), "block",
        bass="round",
        walk="eighths", pad="warm pad", drums="pop", room=(1.4, 0.2), density=0.55, echo=0.15,
    ),
}  # fmt: skip

INSTRUMENT_WORDS: dict[str, str] = {
    "grand piano": "piano", "electric piano": "electric piano", "rhodes": "electric piano",
    "wurlitzer": "electric piano",
    "piano": "piano", "keys": "electric piano", "vibraphone": "vibraphone", "vibes": "vibraphone",
    "marimba": "marimba", "xylophone": "marimba", "kalimba": "marimba", "celesta": "music box",
    "glockenspiel": "bell",
    "music box": "music box", "bells": "bell", "harp": "harp", "nylon": "guitar", "acoustic guitar": "guitar",
    "electric guitar": "lead guitar", "guitar solo": "lead guitar", "guitar": "guitar", "ukulele": "guitar",
    "violin": "violin", "fiddle": "violin", "cello": "cello", "viola": "cello", "strings": "strings",
    "flute": "flute", "shakuhachi": "flute", "pan flute": "flute", "whistle": "flute", "clarinet": "reed",
    "oboe": "reed",
    "saxophone": "reed", "sax": "reed", "trumpet": "brass", "horn": "brass", "horns": "brass",
    "brass": "brass",
    "trombone": "brass", "choir": "choir", "organ": "organ", "accordion": "organ", "guzheng": "guzheng",
    "pipa": "guzheng",
    "koto": "guzheng", "erhu": "violin", "synth lead": "saw lead", "synth": "saw lead",
    "supersaw": "supersaw",
    "钢琴": "piano", "吉他": "guitar", "小提琴": "violin", "长笛": "flute", "古筝": "guzheng",
    "二胡": "violin",
    "竖琴": "harp",
}  # fmt: skip
HARMONY_INSTRUMENTS = frozenset(
    {"piano", "electric piano", "guitar", "harp", "organ", "supersaw", "guzheng", "marimba"}
)
PAD_INSTRUMENTS = {"strings": "soft strings", "choir": "choir", "organ": "organ"}
