"""Preview: asks RunningHub what a form that somebody filled would cost. Creates no task and is charged for nothing.

Files go upstream first, as for the generation itself, which then finds the copies there. What a question leads to is
written into its row and nowhere else: a price that was told changes no estimate, no hold and no limit.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from generations import queue, upstream
from generations.catalogue import load
from generations.models import PriceCheck, Upload
from generations.pipeline import copies
from generations.runninghub.errors import ReadRefused, UpstreamError

LOST = timedelta(seconds=20)
GIVEN_UP = timedelta(minutes=10)
KEPT = timedelta(days=1)
NOT_FOR_THIS_KEY = "1014"
logger = logging.getLogger("rhweb.preview")


def tend() -> None:
    """Rings for questions whose message was lost, ends those that nobody waits for, forgets old ones."""
    now = timezone.now()
    PriceCheck.objects.filter(asked_at__lt=now - KEPT, wanted_at=None).delete()
    PriceCheck.objects.filter(wanted_at__lt=now - GIVEN_UP).delete()
    for pk in PriceCheck.objects.filter(wanted_at__lt=now - LOST).values_list("pk", flat=True)[:20]:
        queue.ring_price_check(pk)


def ask(pk: int) -> bool:
    """Asks one question, unless it is answered or somebody is at it. True when an answer is written down."""
    check = PriceCheck.objects.select_related("connection").filter(pk=pk).first()
    if check is None or not check.take():
        return False
    try:
        spec = load.get(check.model)
        client = upstream.get_client(check.connection)
        addresses = {}
        for reference in spec.uploads(check.params):
            upload = Upload.objects.get(pk=Upload.id_of(reference), team=check.team_id)
            known = copies.known(upload, check.connection)
            addresses[reference] = known or copies.made(upload, check.connection, client)
        told = client.price_preview(spec.endpoint, spec.body(check.params, addresses, check.connection.site))
    except copies.BeingCopied:
        check.let_go()
        return False
    except ReadRefused as error:
        if error.code == NOT_FOR_THIS_KEY:
            check.connection.note_no_prices()
        check.answered(code=error.code[:40], fault=error.member_text)
    except (load.UnknownModel, Upload.DoesNotExist, upstream.NotConfigured):
        check.answered(fault=_("RunningHub could not be asked."))
    except (UpstreamError, OSError) as error:
        logger.info("no price for %s: %s", check.model, error)
        check.answered(fault=_("RunningHub gave no answer that could be read."))
    except BaseException:
        check.let_go()
        raise
    else:
        check.answered(
            amount=told.amount,
            currency=told.currency.upper(),
            said=told.text,
            is_free=told.is_free,
            free_left=None if told.free_left is None else min(told.free_left, 2**31 - 1),
        )
    return True
