"""The clones that were made before there was a vault become voices of their teams, and what spoke with them its use.

Nobody was asked who may use them and who agreed: each is open to the team that saw it until now, under its id, and its
author owns it. The names of the params are those of the models that made voices and spoke at that time.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import migrations

NEW, SPOKEN = "custom_voice_id", "voice_id"


def adopt(apps: Any, schema_editor: Any) -> None:
    """Makes the rows; what has a voice already is left alone."""
    Generation = apps.get_model("generations", "Generation")
    Upload = apps.get_model("generations", "Upload")
    Voice = apps.get_model("generations", "Voice")
    VoiceUse = apps.get_model("generations", "VoiceUse")
    known = {(voice.team_id, voice.voice_id): voice for voice in Voice.objects.all()}
    taken = {voice_id for _, voice_id in known}
    made = Generation.objects.filter(kind="voice", status="succeeded", made_voice=None)
    for row in made.order_by("id").only("team", "author", "params", "created_at"):
        voice_id = row.params.get(NEW) if isinstance(row.params, dict) else None
        if not isinstance(voice_id, str) or not 0 < len(voice_id) <= 256 or voice_id in taken:
            continue
        taken.add(voice_id)
        known[row.team_id, voice_id] = Voice.objects.create(
            team_id=row.team_id,
            owner_id=row.author_id,
            voice_id=voice_id,
            name=voice_id[:80],
            origin="cloned",
            made_by=row,
            sample=_sample(Upload, row),
            audience="everyone",
            created_at=row.created_at,
        )
    uses = []
    for row in Generation.objects.filter(kind="speech", voice_use=None).only("team", "params").iterator():
        named = row.params.get(SPOKEN) if isinstance(row.params, dict) else None
        voice = known.get((row.team_id, named)) if isinstance(named, str) else None
        if voice is not None:
            uses.append(VoiceUse(generation=row, voice=voice))
    VoiceUse.objects.bulk_create(uses, batch_size=500)


def _sample(uploads: Any, row: Any) -> Any:
    for value in row.params.values():
        if isinstance(value, str) and value.startswith("upload:"):
            try:
                return uploads.objects.filter(team_id=row.team_id, pk=uuid.UUID(value[7:])).first()
            except ValueError:
                continue
    return None


class Migration(migrations.Migration):
    dependencies = [("generations", "0003_voices_batches_drafts_and_keepers")]

    operations = [migrations.RunPython(adopt, migrations.RunPython.noop, elidable=True)]
