"""A form from a ModelSpec. It knows params and their hints, no model by name: adding one is adding data."""

from generations.forms.field import Field
from generations.forms.form import ModelForm, build
from generations.forms.posted import Posted, peek, read
from generations.forms.voices import Voice, VoiceGroup, groups

__all__ = ["Field", "ModelForm", "Posted", "Voice", "VoiceGroup", "build", "groups", "peek", "read"]
