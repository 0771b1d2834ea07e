"""Email domains of teams: whose address is confirmed and of such a domain may join without being invited."""

from __future__ import annotations

import re

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.memberships import AlreadyIn, admit
from accounts.models import Membership, Team, TeamDomain, User, audit

_PUBLIC = """
    126.com 163.com aim.com aol.com att.net bigpond.com bluewin.ch btinternet.com comcast.net cox.net daum.net
    duck.com email.com fastmail.com fastmail.fm foxmail.com free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de
    gmx.net googlemail.com hanmail.net hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.fr hotmail.it hushmail.com
    icloud.com inbox.lv inbox.ru laposte.net libero.it list.ru live.com live.de live.fr mac.com mail.com mail.de
    mail.ru mailbox.org me.com msn.com mailinator.com naver.com ntlworld.com onet.pl orange.fr outlook.com outlook.de
    outlook.fr pm.me posteo.de proton.me protonmail.ch protonmail.com qq.com rambler.ru rediffmail.com riseup.net
    rocketmail.com sbcglobal.net seznam.cz sfr.fr sina.cn sina.com skynet.be sohu.com t-online.de tuta.com tuta.io
    tutanota.com verizon.net virgilio.it vodafone.de wanadoo.fr web.de wp.pl yahoo.ca yahoo.co.jp yahoo.co.uk
    yahoo.com yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com yandex.ru yeah.net ymail.com zoho.com
"""
PUBLIC = frozenset(_PUBLIC.split())
"""Where everybody can have an address, so that one proves nothing."""
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+[a-z]([a-z0-9-]{{0,61}}[a-z0-9])")


def clean(text: str) -> str:
    """The domain in what somebody wrote, such as `@Example.com`. Raises `ValidationError`."""
    words = text.strip().rpartition("@")[2].rstrip(".").lower()
    try:
        found = words.encode("idna").decode("ascii") if not words.isascii() else words
    except UnicodeError:
        found = ""
    if len(found) > 253 or not _DOMAIN.fullmatch(found):
        raise ValidationError(_("Write a domain such as example.com."), "invalid")
    if found in PUBLIC:
        raise ValidationError(
            _("Everybody can have an address at %(domain)s. Invite the people instead."),
            "public",
            {"domain": found},
        )
    return found


def add(team: Team, by: User, domain: str, role: str, *, automatic: bool) -> bool:
    """Opens the team to a domain, or changes how. False: it is so already."""
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=team.pk)
        before = TeamDomain.objects.filter(team=team, domain=domain).first()
        was = {"role": before.role, "automatic": before.automatic} if before else {}
        new = {"role": role, "automatic": automatic}
        if was == new:
            return False
        TeamDomain.objects.update_or_create(team=team, domain=domain, defaults=new)
        audit.note("domain.changed", team=team, by=by, subject=domain, before=was, after=new)
    return True


def remove(row: TeamDomain, by: User) -> bool:
    """Closes the team to a domain; who came stays. False: somebody else was first."""
    with transaction.atomic():
        was = {"role": row.role, "automatic": row.automatic}
        deleted, _kinds = TeamDomain.objects.filter(pk=row.pk).delete()
        if deleted:
            audit.note("domain.changed", team=row.team, by=by, subject=row.domain, before=was)
    return bool(deleted)


def confirmed(user: User) -> set[str]:
    """The domains of the addresses that this person has shown to be theirs."""
    rows = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    return {email.rpartition("@")[2].lower() for email in rows}


def offers(user: User) -> list[TeamDomain]:
    """The teams this person may join by an address, one row each, by name; not those they are in.

    Somebody who was once in a team and is not any more does not come back by themselves.
    """
    rows = TeamDomain.objects.filter(domain__in=confirmed(user)).select_related("team")
    known = Membership.objects.filter(user=user).values("team")
    found = {row.team_id: row for row in rows.exclude(team__in=known).order_by("-role")}
    return sorted(found.values(), key=lambda row: (row.team.name, row.pk))


def join(user: User, team: str) -> Membership | None:
    """Puts this person into the team of this slug by their address; None when it is not offered to them."""
    with transaction.atomic():
        offer = next((row for row in offers(user) if row.team.slug == team), None)
        if offer is None:
            return None
        try:
            return admit(offer.team, user, offer.role, how=f"address at {offer.domain}")
        except AlreadyIn:
            return None


def join_automatically(user: User) -> list[Team]:
    """Puts a newcomer into the teams that wish it, and says which."""
    wished = [row.team for row in offers(user) if row.automatic]
    return [team for team in wished if join(user, team.slug)]


def is_known(email: str) -> bool:
    """Whether some team is open to the domain of this address."""
    return TeamDomain.objects.filter(domain=email.rpartition("@")[2].lower()).exists()
