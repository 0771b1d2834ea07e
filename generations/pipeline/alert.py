"""Alert: tells managers that something needs a person."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMessage

from accounts.models import Membership
from generations.models import ACTIVE, Connection, Generation


def connection_paused(connection_id: int) -> int:
    """Mails the managers of the teams whose work waits for this connection; gives how many got one."""
    connection = Connection.objects.filter(pk=connection_id, paused_at__isnull=False).first()
    if connection is None:
        return 0
    teams = Generation.objects.filter(connection=connection, status__in=ACTIVE).values("team")
    rows = Membership.objects.filter(role__in=Membership.MANAGING, ended_at=None, user__is_active=True)
    to = set(rows.filter(team__in=teams).values_list("user__email", flat=True))
    to = to or set(rows.values_list("user__email", flat=True))
    body = (
        f"{settings.SITE_NAME} stopped sending generations to RunningHub ({connection}).\n\n"
        f"{connection.paused_reason}\n\n"
        "Nothing is lost: what waits goes on waiting. When the cause is mended, resume on the Team page"
        f"{': ' + settings.PUBLIC_URL if settings.PUBLIC_URL else ''}.\n"
    )
    for email in sorted(to):
        EmailMessage(f"{settings.SITE_NAME}: generations are paused", body, to=[email]).send(
            fail_silently=True
        )
    return len(to)
