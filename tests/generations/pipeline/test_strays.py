"""A file is noted before it is stored: whatever kill leaves one without a row, the sweep ends the matter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.models import Membership
from generations.models import Generation, Output, State
from generations.pipeline import gather
from generations.pipeline.sweep import sweep

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def stray(row: Generation, index: int = 0) -> str:
    """A worker on this host stored the file and died before it wrote the row."""
    (gather.scratch() / f"{row.team_id}-{row.pk.hex}-{index}-0123{gather.INTENT}").touch()
    name = Output.file_name(row, index, "wav")
    return str(default_storage.save(name, ContentFile(b"RIFF")))


def intents() -> list[Path]:
    return list((project.DATA_DIR / "tmp").glob(f"*{gather.INTENT}"))


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED, State.SUCCEEDED])
def test_the_file_goes_when_its_generation_has_ended(
    state: State, bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    row = make_generation(bob, status=state, outputs=1)
    name, kept = stray(row, 1), row.outputs.get().file.name
    sweep()
    assert not default_storage.exists(name)
    assert default_storage.exists(kept), "what a row names stays"
    assert intents() == []


def test_it_stays_while_its_result_may_still_be_written_down(
    bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    row = make_generation(bob, status=State.GATHERING)
    name = stray(row)
    sweep()
    assert default_storage.exists(name)
    Generation.objects.filter(pk=row.pk).update(status=State.FAILED)
    sweep()
    assert not default_storage.exists(name)
    assert intents() == []


def test_a_late_worker_adds_nothing_to_what_has_ended(
    sandbox: Any, bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    """It was asleep while its generation was given up; its file and its row come to nothing."""
    row = make_generation(bob, status=State.GATHERING, results=[{"text": "Words", "output_type": "txt"}])
    Generation.objects.filter(pk=row.pk).update(status=State.FAILED)
    gather.gather(row)
    row.refresh_from_db()
    assert (row.status, row.outputs.count()) == (State.FAILED, 0)


def test_a_commit_that_fails_loses_no_output(
    bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    """The number that the lost transaction gave to the row belongs to another one when it is tried again."""
    other = make_generation(bob, outputs=1).outputs.get()
    row = make_generation(bob, status=State.GATHERING)
    again = Output(pk=other.pk, generation=row, index=0, kind="text", text="Words", bytes=5, sha256="0" * 64)
    assert gather._write(again)
    assert row.outputs.get().text == "Words"


def test_a_note_of_something_else_is_left_alone(db: None) -> None:
    odd = gather.scratch() / f"nonsense{gather.INTENT}"
    odd.touch()
    sweep()
    assert odd.exists()
