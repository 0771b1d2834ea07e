"""What one generation costs a worker: processor time and statements of each stage, one after the other in one thread.

Baseline: the same stage's claim, so that a machine of another speed, or one that others use too, shows in both.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from tests.benchmarks import pipeline
from tests.benchmarks.portal import Portal, members

GENERATIONS = 200
WARM = 10
AT_ONCE = 12


def measure() -> Iterator[str]:
    with pipeline.upstream(slow=0.0, seconds=0.0, answer=0.0) as url, Portal(upstream=url):
        from django.db import connection
        from django.utils import timezone

        from generations.models import Connection, Generation, State
        from generations.pipeline import dispatch, follow, gather
        from generations.pipeline.accept import accept

        member = members(1)[0]
        for n in range(GENERATIONS + WARM):
            accept(member, pipeline.MODEL, {"prompt": f"piece {n}"})
        Connection.objects.update(slots=2 * GENERATIONS)
        statements, stage = Counter[str](), "warm"

        def count(execute: Any, sql: str, *args: Any) -> Any:
            statements[stage] += 1
            return execute(sql, *args)

        stages: dict[str, tuple[Callable[[int], list[Any]], Callable[[Any], None]]] = {
            "send": (lambda most: dispatch.claim(Connection.current(), most), dispatch.send),
            "look": (follow.claim, follow.look),
            "gather": (gather.claim, gather.gather),
        }
        with connection.execute_wrapper(count):
            for name, (claim, job) in stages.items():
                stage = "warm"
                Generation.objects.filter(status=State.RUNNING).update(next_check_at=timezone.now())
                for row in claim(WARM):
                    job(row)
                stage, began = f"claim to {name}", time.process_time()
                rows: list[Any] = []
                while len(rows) < GENERATIONS:
                    rows += claim(AT_ONCE)
                claimed = time.process_time() - began
                stage, began = name, time.process_time()
                for row in rows:
                    job(row)
                took = time.process_time() - began
                each = 1000 / len(rows)
                yield (
                    f"{name}: {took * each:.2f} ms of processor time each, {took / claimed:.1f} of its claim"
                    f" ({claimed * each:.2f} ms); {statements[name] / len(rows):.2f} statements each, claiming"
                    f" {statements[f'claim to {name}'] / len(rows):.2f}"
                )
        if Generation.objects.exclude(status=State.SUCCEEDED).exists():
            raise SystemExit("not all of them succeeded")
