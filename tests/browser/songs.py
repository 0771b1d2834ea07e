"""Sound in the library of the browser's portal, as finished generations like any other, of any length and number."""

from __future__ import annotations

from tests.browser.portal import Portal

CODE = """
import hashlib, io, sys, wave
from decimal import Decimal
from django.core.files.base import ContentFile
from django.utils import timezone
from accounts.models import Membership
from generations.models import Connection, Generation, Output, State, search_text
titles, slug, seconds, rate = {titles!r}, {slug!r}, {seconds}, {rate}
member = Membership.objects.select_related("team", "user").filter(team__slug=slug).first()
for number, title in enumerate(titles):
    made = io.BytesIO()
    loud = 10 + 50 // (number + 1)
    with wave.open(made, "wb") as file:
        file.setparams((1, 1, rate, 0, "NONE", ""))
        second = bytes(128 + (loud if n // 8 % 2 else -loud) for n in range(rate))
        for _ in range(seconds):
            file.writeframes(second)
    data = made.getvalue()
    row = Generation.objects.create(
        team=member.team, author=member.user, connection=Connection.current(), kind="music", title=title,
        model="minimax--music-2.6--text-to-instrumental", params=dict(prompt=title), search_text=search_text(title),
        status=State.SUCCEEDED, cost_estimated=Decimal("0.80"), next_check_at=None, finished_at=timezone.now(),
    )
    output = Output(
        generation=row, index=0, kind="audio", content_type="audio/wav", extension="wav", bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(), duration=float(seconds), sample_rate=rate, channels=1,
        peaks_row=" ".join(["50"] * 96), peaks_stage=" ".join(["50"] * 360),
    )
    output.file.save(Output.file_name(row, 0, "wav"), ContentFile(data), save=False)
    output.save()
    sys.stdout.write(str(row.pk) + chr(10))
"""


def songs(portal: Portal, team: str, *titles: str, seconds: int = 30, rate: int = 4000) -> list[str]:
    """Puts one of each title there, in this order, each quieter than the one before; their ids."""
    code = CODE.format(titles=titles, slug=team, seconds=seconds, rate=rate)
    return portal.manage_code(code).split()
