"""Addresses of the pages. Every team page carries its team, so a link can be shared among colleagues."""

from __future__ import annotations

from django.urls import include, path

from generations.views import (
    generation,
    home,
    library,
    now,
    output,
    quote,
    studio,
    team,
    upload,
    usage,
    voices,
    webhook,
)

team_urls = [
    path("", home.team_home, name="team_home"),
    path("create/", studio.studio, name="studio"),
    path("create/<str:model>/", studio.studio_model, name="studio_model"),
    path("create/<str:model>/quote/", quote.quote, name="quote"),
    path("now/", now.now, name="now"),
    path("voices/", voices.voices, name="voices"),
    path("library/", library.library, name="library"),
    path("g/<uuid:pk>/", generation.generation, name="generation"),
    path("g/<uuid:pk>/status/", generation.generation_status, name="generation_status"),
    path("g/<uuid:pk>/cancel/", generation.generation_cancel, name="generation_cancel"),
    path("g/<uuid:pk>/again/", generation.generation_again, name="generation_again"),
    path("g/<uuid:pk>/resolve/", generation.generation_resolve, name="generation_resolve"),
    path("g/<uuid:pk>/outputs/<int:index>/content", output.output_content, name="output_content"),
    path("uploads/<uuid:pk>/content", upload.upload_content, name="upload_content"),
    path("usage/", usage.usage, name="usage"),
    path("team/", team.team, name="team"),
    path("team/settings/", team.team_settings, name="team_settings"),
    path("team/add/", team.member_add, name="member_add"),
    path("team/members/<int:pk>/role/", team.member_role, name="member_role"),
    path("team/limits/<str:scope>/", team.limits, name="limits"),
    path("team/limits/<str:scope>/<int:pk>/", team.limits, name="member_limits"),
    path("team/resume/", team.connection_resume, name="connection_resume"),
]

urlpatterns = [
    path("", home.home, name="home"),
    path("hooks/<uuid:pk>/<slug:token>", webhook.webhook, name="webhook"),
    path("t/<slug:team>/", include(team_urls)),
]
