"""What it costs to hear a voice, as the buttons say it before."""

from __future__ import annotations

from accounts.models import Team
from generations.catalogue.voices import sentence
from generations.models import Connection, Voice
from generations.pipeline import accept, hear


def sample(team: Team) -> accept.Quote | None:
    """About what one sentence of a built-in voice costs, by the English one; None when no model can say it."""
    try:
        return hear.saying(sentence("English"), "").quote(Connection.of(team), team)
    except hear.NoModel:
        return None


class Alive:
    """What keeping costs, asked once for all voices that the same model made."""

    def __init__(self, team: Team) -> None:
        self._known: dict[str, accept.Quote | None] = {}
        self._team, self._connection = team, Connection.of(team)

    def of(self, voice: Voice) -> accept.Quote | None:
        maker = voice.made_by.model
        if maker not in self._known:
            try:
                said = hear.alive(voice)
                self._known[maker] = accept.quote(said.spec, said.params, self._connection, self._team)
            except hear.NoModel:
                self._known[maker] = None
        return self._known[maker]
