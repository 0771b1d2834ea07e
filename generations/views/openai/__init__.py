"""Speech as OpenAI's API asks for it, so that programs which know that one need only another address and a token."""

from __future__ import annotations

from django.urls import path

from generations.views.openai.models import models
from generations.views.openai.speech import speech

app_name = "openai"
urlpatterns = [
    path("models", models, name="models"),
    path("audio/speech", speech, name="speech"),
]
