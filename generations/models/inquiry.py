"""What is asked of RunningHub about a generation on somebody's behalf, and what came of it.

Pages cannot reach the network. They write the question here; a task asks it and writes the answer.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import User
from generations.models.generation import Generation


class Question(models.TextChoices):
    NONE = "", "Nothing"
    TASK = "task", "Is this task the one?"
    WEBHOOK = "webhook", "Where is the webhook?"


class Finding(models.TextChoices):
    """The answer. `TASK` is answered by the first six, `WEBHOOK` by the others; `NO_ANSWER` is of both."""

    NONE = "", "Not answered"
    EXISTS = "exists", "It is the one"
    DIFFERS = "differs", "It differs"
    UNKNOWN = "unknown", "Not known"
    ELSEWHERE = "elsewhere", "Another account"
    TAKEN = "taken", "Another generation"
    NO_ANSWER = "no_answer", "No answer"
    NO_EVENT = "no_event", "No event yet"
    RESENT = "resent", "Sent again"
    LOOKED_UP = "looked_up", "Looked up"


class InquiryQuerySet(models.QuerySet["Inquiry"]):
    def due(self, now: datetime) -> InquiryQuerySet:
        """Those to be asked now, which nobody is asking."""
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        return self.filter(free, question__in=[Question.TASK, Question.WEBHOOK], due_at__lte=now)


class Inquiry(models.Model):
    """One a generation, made when there is something to say.

    `before` and `after` are the facts of the account around the moment the answer of a submit was lost: as last known
    then, and as first told since. `task` is the upstream id that somebody named (`asked_by`, or the webhook when
    None) and nobody has proved yet. `told_at` is when the managers got a mail about it.
    """

    generation = models.OneToOneField(
        Generation, on_delete=models.CASCADE, primary_key=True, related_name="inquiry"
    )
    lost_at = models.DateTimeField(null=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    told_at = models.DateTimeField(null=True)

    question = models.CharField(max_length=8, choices=Question, default=Question.NONE, blank=True)
    task = models.CharField(max_length=80, blank=True)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)

    answer = models.CharField(max_length=10, choices=Finding, default=Finding.NONE, blank=True)
    answered_at = models.DateTimeField(null=True)
    detail = models.JSONField(default=dict)

    objects: ClassVar[models.Manager[Inquiry]] = InquiryQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["question", "due_at"], name="inquiry_due"),
            models.Index(fields=["told_at"], name="inquiry_told"),
        ]

    def __str__(self) -> str:
        return f"{self.question or self.answer or 'nothing'} about {self.generation_id}"

    @property
    def is_open(self) -> bool:
        """Whether it is being asked."""
        return self.question != Question.NONE

    @classmethod
    def ask(cls, generation: Generation, question: Question, *, by: User | None, task: str = "") -> bool:
        """Writes the question. False while another one is being asked: the first is answered first."""
        now = timezone.now()
        cls.objects.get_or_create(generation=generation)
        return (
            cls.objects.filter(generation=generation, question=Question.NONE).update(
                question=question,
                task=task,
                asked_by=by,
                asked_at=now,
                due_at=now,
                lease_until=None,
                tries=0,
                answer=Finding.NONE,
                answered_at=None,
                detail={},
            )
            == 1
        )

    def claim(self, until: datetime) -> bool:
        """Takes the question for one try. False when somebody else has it, or it is answered."""
        now = timezone.now()
        rows = Inquiry.objects.due(now).filter(pk=self.pk, asked_at=self.asked_at)
        return rows.update(lease_until=until, tries=F("tries") + 1) == 1

    def settle(self, answer: Finding, detail: dict[str, object]) -> bool:
        """Writes the answer to the question as it was asked. False when it is another one by now."""
        rows = Inquiry.objects.filter(pk=self.pk, asked_at=self.asked_at, question=self.question)
        done = rows.update(
            question=Question.NONE,
            lease_until=None,
            due_at=None,
            answer=answer,
            answered_at=timezone.now(),
            detail=detail,
        )
        return done == 1

    def later(self, due_at: datetime) -> bool:
        """Has the question asked again."""
        rows = Inquiry.objects.filter(pk=self.pk, asked_at=self.asked_at, question=self.question)
        return rows.update(lease_until=None, due_at=due_at) == 1
