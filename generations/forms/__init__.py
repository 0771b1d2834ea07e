"""A form from a ModelSpec. It knows params and their hints, no model by name: adding one is adding data."""

from generations.forms.chosen import Chosen, of_upload
from generations.forms.field import Field
from generations.forms.form import ModelForm, build
from generations.forms.posted import Many, Posted, peek, read
from generations.forms.voices import Voice, VoiceGroup, built_in, groups, one

__all__ = [
    "Chosen",
    "Field",
    "Many",
    "ModelForm",
    "Posted",
    "Voice",
    "VoiceGroup",
    "build",
    "built_in",
    "groups",
    "of_upload",
    "one",
    "peek",
    "read",
]
