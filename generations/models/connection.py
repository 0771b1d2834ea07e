"""The accounts at RunningHub: the one that all teams share, and those that teams have of their own.

The shared one is that of the environment: its key stays there and is never stored. A team's own keys are entered by
its owners, and stored sealed. Where such a key may go is not typed in by anybody: a page and REST take only the two
sites of RunningHub and what RHWEB_EXTRA_SITES names, because an address that a person may choose would let the portal
be sent into its own network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership, Team, User
from generations.models import sealing
from generations.models.change import Change
from generations.models.prepared import Given, Rows

SANDBOX = "sandbox"
SITES = ("ai", "cn")
HOSTS = {"ai": "https://www.runninghub.ai", "cn": "https://www.runninghub.cn"}
BY_HAND = "by_hand"
"""The code of a pause that a person ordered. Another key does not end it."""


def key_digest(key: str) -> str:
    """Tells one key from another without keeping either."""
    return hashlib.sha256(b"connection" + key.encode()).hexdigest()[:16]


def configured() -> str:
    """What the environment connects to: an address, or the sandbox, which is one wherever it listens today."""
    return SANDBOX if settings.USES_SANDBOX else str(settings.RUNNINGHUB_BASE_URL)


def site_of(address: str) -> str:
    """The site of RunningHub at an address: "ai" or "cn"; "" for the sandbox and any other one.

    Models that a site does not have are hidden and refused there. An address that nobody knows hides nothing.
    """
    host = urlsplit(address).hostname or ""
    return next((site for site in SITES if f".{host}".endswith(f".runninghub.{site}")), "")


def addresses() -> list[str]:
    """Where keys that teams enter may go: the two sites of RunningHub, and what the environment adds."""
    return [*HOSTS.values(), *settings.EXTRA_SITES]


def usual_currency(address: str) -> str:
    """What accounts of a site most likely pay in, until the account itself says."""
    return "USD" if site_of(address) == "ai" else "CNY"


class Connection(models.Model):
    """One account at RunningHub with its site: shared (`team` None) or a team's own.

    `running` is how many tasks of this key were under way upstream when last asked, `slots` how many it runs at once,
    `used_outside` how many of them others than this portal had in use when last asked, `full_until` when a submit may
    be tried again after upstream had no room, `prices_refused_at` when this key was last told that it may not ask for
    prices. `key_hint` is the end of the key, all that is ever shown of it. Of a
    team's own connections it uses the one with `is_used`, else the shared one. A removed connection stays, because
    receipts name it.
    """

    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, null=True, blank=True, related_name="connections"
    )
    name = models.CharField(max_length=60, blank=True)
    is_used = models.BooleanField(default=False)
    base_url = models.CharField(max_length=200)
    sealed_key = models.TextField(blank=True)
    key_hint = models.CharField(max_length=4, blank=True)
    key_digest = models.CharField(max_length=16, blank=True)
    currency = models.CharField(max_length=3, default="CNY")
    slots = models.PositiveIntegerField(default=3)
    used_outside = models.PositiveIntegerField(default=0)
    running = models.PositiveIntegerField(null=True, blank=True)
    balance = models.CharField(max_length=40, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    next_check_at = models.DateTimeField(default=timezone.now)
    full_until = models.DateTimeField(null=True, blank=True)
    prices_refused_at = models.DateTimeField(null=True, blank=True)
    full_streak = models.PositiveIntegerField(default=0)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_code = models.CharField(max_length=40, blank=True)
    paused_reason = models.TextField(blank=True)
    paused_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    added_at = models.DateTimeField(default=timezone.now, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["base_url"], condition=Q(team__isnull=True), name="one_shared_connection_each"
            ),
            models.UniqueConstraint(
                fields=["team"], condition=Q(is_used=True), name="team_uses_one_connection"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.where

    @property
    def where(self) -> str:
        """The host it answers at."""
        return urlsplit(self.base_url).netloc or self.base_url

    @property
    def is_sandbox(self) -> bool:
        return self.base_url == SANDBOX

    @property
    def is_shared(self) -> bool:
        return self.team_id is None

    @property
    def site(self) -> str:
        """As `site_of` its address."""
        return site_of(self.base_url)

    @property
    def is_configured(self) -> bool:
        """Whether its key is there and may be used: in the environment for a shared one, entered for a team's own.

        Work of another connection waits until it is.
        """
        if self.is_shared:
            return self.base_url == configured()
        return bool(self.sealed_key) and self.removed_at is None and self.base_url in addresses()

    @property
    def is_gone(self) -> bool:
        """Whether nobody can be asked about its tasks ever again: it was removed, or was the sandbox of a portal that
        has a key by now.
        """
        return self.removed_at is not None or (self.is_sandbox and not settings.USES_SANDBOX)

    @property
    def is_paused_by_hand(self) -> bool:
        return self.paused_code == BY_HAND

    @property
    def stopped_because(self) -> str:
        """Why nothing is sent, as a sentence: it is paused, or its key is not at hand. "" when nothing is wrong."""
        if self.paused_at is not None or self.is_shared:
            return self.paused_reason
        if not self.is_configured:
            return _("The key of this connection is not there, or its site is not on offer any more.")
        try:
            self.key()
        except sealing.Unreadable as error:
            return str(error)
        return ""

    def key(self) -> str:
        """The key in clear, for the client alone. Raises `sealing.Unreadable`."""
        if self.is_shared:
            return str(settings.RUNNINGHUB_API_KEY or settings.SANDBOX_KEY)
        return sealing.unseal(self.base_url, self.sealed_key)

    def former_key(self, digest: str) -> str | None:
        """The key that was replaced and has this digest, while work that was sent with it goes on."""
        if self.is_shared:
            former = str(settings.RUNNINGHUB_FORMER_API_KEY)
            return (
                former if former and self.base_url == configured() and key_digest(former) == digest else None
            )
        kept = self.keys.filter(state=ConnectionKey.State.FORMER, key_digest=digest).first()
        try:
            return sealing.unseal(self.base_url, kept.sealed_key) if kept and kept.sealed_key else None
        except sealing.Unreadable:
            return None

    @classmethod
    def current(cls) -> Connection:
        """The shared row of the key in the environment, made on first use. Another key ends a pause."""
        digest = key_digest(settings.RUNNINGHUB_API_KEY or settings.SANDBOX_KEY)
        connection, _made = cls.objects.get_or_create(
            base_url=configured(),
            team=None,
            defaults={
                "key_digest": digest,
                "currency": usual_currency(settings.RUNNINGHUB_BASE_URL),
                "slots": settings.RUNNINGHUB_SLOTS or 3,
            },
        )
        if connection.key_digest != digest:
            connection.note_key(key_digest=digest)
        return connection

    def note_key(self, **changes: str) -> None:
        """Writes down another key. A pause that the former one brought about ends; one by hand goes on.

        It may be of another account, which has none of the files that were uploaded with the former one.
        """
        rows = type(self).objects.filter(pk=self.pk).exclude(**changes)
        paused = {"paused_at": None, "paused_code": "", "paused_reason": ""}
        ends = rows.exclude(paused_code=BY_HAND)
        now = timezone.now()
        anew = {"full_until": None, "prices_refused_at": None, "next_check_at": now}
        with transaction.atomic():
            was_paused = ends.filter(paused_at__isnull=False).exists()
            if not ends.update(**changes, **paused, **anew):
                rows.update(**changes, **anew)
            elif was_paused:
                self._tell("connection.resumed")
            UpstreamCopy = self._meta.apps.get_model(
                "generations", "UpstreamCopy"
            )  # it refers to this module
            UpstreamCopy.objects.filter(connection=self).update(expires_at=now)
        self.refresh_from_db()

    @classmethod
    def of(cls, team: Team) -> Connection:
        """What this team uses now: its own connection or the shared one. Asked once for each `Team` object."""
        known: Connection | None = team.__dict__.get("_connection")
        if known is None:
            known = next((one for one in cls.all_of(team) if one.is_used), None) or cls.shared_of(team)
            team.__dict__["_connection"] = known
        return known

    @classmethod
    def all_of(cls, team: Team) -> Sequence[Connection]:
        """The shared connection and the team's own ones that are not removed. Asked once for each `Team` object.

        Every page asks this, so it tells by the way whether the team has AI apps or workflows: most have none, and need
        not be asked for them.
        """
        known: list[Connection] | None = team.__dict__.get("_connections")
        if known is None:
            known = _usable(team=team.pk, address=configured())
            team.__dict__["_connections"] = known
            if known:
                team.__dict__["_has_models"] = getattr(known[0], "has_models")  # noqa: B009 - an annotation
        return known

    @classmethod
    def usable(cls, team: Team) -> models.QuerySet[Connection]:
        """As `all_of`, as a query."""
        return cls.objects.filter(_of_use(team, configured()), removed_at=None)

    @classmethod
    def gone(cls) -> models.QuerySet[Connection]:
        """Those that are `is_gone`."""
        gone = Q(removed_at__isnull=False)
        return cls.objects.filter(gone if settings.USES_SANDBOX else gone | Q(team=None, base_url=SANDBOX))

    @classmethod
    def lacks_models(cls, team: Team) -> bool:
        """Whether the team certainly had no AI apps and workflows when its connections were asked for."""
        cls.all_of(team)
        return team.__dict__.get("_has_models") is False

    @classmethod
    def shared_of(cls, team: Team) -> Connection:
        """The shared one, as `current`, by the query that `all_of` made."""
        digest = key_digest(settings.RUNNINGHUB_API_KEY or settings.SANDBOX_KEY)
        known = next((one for one in cls.all_of(team) if one.is_shared and one.key_digest == digest), None)
        return known or cls.current()

    @classmethod
    def working(cls) -> list[Connection]:
        """Every connection that the watcher serves: the shared one, and each of a team that is used or has work.

        Which of them may send is for each to say; those that cannot are simply passed over.
        """
        rows = _at_work(address=configured())
        digest = key_digest(settings.RUNNINGHUB_API_KEY or settings.SANDBOX_KEY)
        if not any(one.is_shared and one.key_digest == digest for one in rows):
            return [cls.current(), *(one for one in rows if not one.is_shared)]
        return rows

    def pause(self, code: str, reason: str, by: User | None = None) -> bool:
        """Stops dispatch until a manager resumes it. True for the one caller who paused it.

        A refusal of a key that was replaced meanwhile pauses nothing: the key of now has not been tried.
        """
        rows = type(self).objects.filter(pk=self.pk, paused_at=None, key_digest=self.key_digest)
        now = timezone.now()
        with transaction.atomic():
            done = rows.update(paused_at=now, paused_code=code, paused_reason=reason, paused_by=by) == 1
            if done:
                self._tell("connection.paused", code=code, reason=reason)
        return done

    def resume(self) -> bool:
        """Lets dispatch go on. False when it was not paused."""
        rows = type(self).objects.filter(pk=self.pk, paused_at__isnull=False)
        ended = {"paused_at": None, "paused_code": "", "paused_reason": "", "paused_by": None}
        with transaction.atomic():
            done = rows.update(**ended, full_until=None) == 1
            if done:
                self._tell("connection.resumed")
        return done

    def _tell(self, event: str, **said: str) -> None:
        """Every team that sends by this connection has a change. Who did it is not said: it may be another team's."""
        if self.team is not None:
            teams = Team.objects.filter(pk=self.team.pk)
        else:
            own = type(self).objects.filter(team=OuterRef("pk"), is_used=True)
            there = Membership.objects.filter(team=OuterRef("pk"), ended_at=None)
            teams = Team.objects.filter(Exists(there)).exclude(Exists(own))
        data = {"connection": self.pk, "name": str(self), **said}
        Change.objects.bulk_create(Change(team=team, event=event, is_open=True, data=data) for team in teams)

    def note_full(self, now: datetime, until: datetime) -> None:
        """Remembers that upstream has no room. Of a burst of refusals only the first lengthens the next wait."""
        rows = type(self).objects.filter(Q(full_until=None) | Q(full_until__lte=now), pk=self.pk)
        rows.update(full_until=until, full_streak=F("full_streak") + 1)

    def note_no_prices(self) -> None:
        """Remembers that this key may not ask what things cost."""
        rows = type(self).objects.filter(pk=self.pk, key_digest=self.key_digest)
        rows.update(prices_refused_at=timezone.now())

    def note_room(self) -> None:
        """Forgets a past refusal, because a submit was just accepted."""
        type(self).objects.filter(pk=self.pk, full_streak__gt=0).update(full_until=None, full_streak=0)


class ConnectionKey(models.Model):
    """A key of a team's connection that is not, or not any more, the one in use.

    It is entered as `waiting`, tried by the worker, and becomes the connection's key; or it is `refused` and
    forgotten, or `unreachable` and waits for a person to say "use it anyway". A key that was replaced is kept as
    `former` until the last generation that was sent with it has ended, and is then forgotten: its row stays as
    history, without the key.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Being tried"
        UNREACHABLE = "unreachable", "Not tried"
        REFUSED = "refused", "Refused"
        FORMER = "former", "Replaced"
        FORGOTTEN = "forgotten", "Forgotten"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="keys")
    state = models.CharField(max_length=12, choices=State, default=State.WAITING)
    sealed_key = models.TextField(blank=True)
    key_hint = models.CharField(max_length=4, blank=True)
    key_digest = models.CharField(max_length=16)
    sentence = models.TextField(blank=True)
    entered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    entered_at = models.DateTimeField(default=timezone.now, editable=False)
    replaced_at = models.DateTimeField(null=True, blank=True)
    tried_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                condition=Q(state__in=["waiting", "unreachable", "refused"]),
                name="one_key_is_tried",
            ),
        ]

    def __str__(self) -> str:
        return f"…{self.key_hint} of {self.connection_id}, {self.state}"

    @property
    def is_candidate(self) -> bool:
        return self.state in CANDIDATES


CANDIDATES = (ConnectionKey.State.WAITING, ConnectionKey.State.UNREACHABLE, ConnectionKey.State.REFUSED)


def _of_use(team: Any, address: Any) -> Q:
    return Q(team=team) | Q(team=None, base_url=address)


@Rows
def _usable() -> models.QuerySet[Connection]:
    """What `Connection.all_of` gives; every page asks this."""
    team: Any = Given("team")
    rows = Connection.objects.filter(_of_use(team, Given("address")), removed_at=None)
    TeamModel = Connection._meta.apps.get_model("generations", "TeamModel")
    rows = rows.annotate(has_models=Exists(TeamModel.objects.filter(team=team)))
    return rows.select_related("paused_by").order_by("pk")


@Rows
def _at_work() -> models.QuerySet[Connection]:
    """What `Connection.working` gives; the watcher asks this several times a second."""
    Generation = Connection._meta.apps.get_model("generations", "Generation")  # it refers to this module
    queued = Generation.objects.filter(connection=OuterRef("pk"), status="queued")
    own = Q(team__isnull=False, removed_at=None) & ~Q(sealed_key="") & (Q(is_used=True) | Exists(queued))
    shared = Q(team=None, base_url=Given("address"))
    return Connection.objects.filter(shared | own).order_by("pk")
