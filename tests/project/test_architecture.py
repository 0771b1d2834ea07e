"""Who may import whom, read from the syntax tree. The arrows are those of the module docstrings and the design."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = ("rhweb", "accounts", "generations")

# (whose imports, what of ours and of the queue library they may name)
ALLOWED: list[tuple[str, tuple[str, ...]]] = [
    ("rhweb.env", ()),
    ("rhweb.settings", ("rhweb.env",)),
    ("accounts", ("accounts",)),
    ("generations.runninghub", ("generations.runninghub",)),
    ("generations.catalogue", ("generations.catalogue",)),
    ("generations.sandbox", ("generations.sandbox", "generations.catalogue")),
    ("generations.media", ("generations.media",)),
    ("generations.models", ("generations.models", "accounts.models")),
    ("generations.quota", ("generations.models", "accounts.models")),
    ("generations.limit_words", ("accounts.models",)),
    ("generations.standings", ("generations.models", "generations.quota", "accounts.models")),
    (
        "generations.asking",
        (
            "generations.models",
            "generations.quota",
            "generations.limit_words",
            "accounts.models",
            "accounts.notify",
        ),
    ),
    (
        "generations.keeping",
        ("generations.keeping", "generations.models", "accounts.models", "generations.catalogue.text"),
    ),
    ("generations.library", ("generations.models", "generations.searching", "accounts.models")),
    ("generations.searching", ("generations.models", "accounts.models")),
    ("generations.receipts", ("generations.models", "generations.quota", "accounts.models")),
    ("generations.prices", ("generations.models", "accounts.models")),
    ("generations.bill", ("generations.models", "generations.quota", "accounts.models")),
    ("generations.reports", ("generations.models", "generations.quota", "accounts.models")),
    (
        "generations.vault",
        ("generations.vault", "generations.models", "generations.catalogue", "accounts.models"),
    ),
    (
        "generations.vitals",
        ("generations.models", "generations.queue", "generations.disk", "generations.custody"),
    ),
    (
        "generations.permits",
        ("generations.models", "generations.catalogue", "accounts.models", "accounts.roles"),
    ),
    (
        "generations.own_models",
        ("generations.models", "generations.catalogue", "generations.queue", "accounts.models"),
    ),
    (
        "generations.loras",
        (
            "generations.models",
            "generations.uploads",
            "generations.disk",
            "generations.queue",
            "generations.catalogue.text",
            "accounts.models",
        ),
    ),
    ("generations.disk", ()),
    ("generations.warm", ("generations.catalogue",)),
    ("generations.bucket", ()),
    ("generations.outgoing", ()),
    ("generations.signing", ()),
    (
        "generations.receivers",
        (
            "generations.models",
            "generations.outgoing",
            "generations.queue",
            "generations.pipeline.announce",
            "accounts.models",
        ),
    ),
    ("generations.pipeline.announce", ("generations.models", "accounts.models")),
    (
        "generations.pipeline.deliver",
        (
            "generations.models",
            "generations.outgoing",
            "generations.signing",
            "generations.queue",
            "generations.pipeline.announce",
            "accounts.models",
            "accounts.notify",
        ),
    ),
    (
        "generations.sharing",
        ("generations.models", "generations.media", "generations.vault", "accounts.models"),
    ),
    (
        "generations.takeout",
        ("generations.takeout", "generations.models", "generations.media", "generations.catalogue"),
    ),
    ("generations.connections", ("generations.models", "generations.queue", "accounts.models")),
    (
        "generations.price_checks",
        (
            "generations.models",
            "generations.queue",
            "generations.catalogue",
            "generations.pipeline.accept",
            "accounts.models",
        ),
    ),
    ("generations.custody", ("generations.models", "generations.disk", "accounts.models")),
    (
        "generations.doctor",
        (
            "generations.doctor",
            "generations.models",
            "accounts.models",
            "generations.queue",
            "generations.disk",
            "generations.custody",
            "generations.vitals",
        ),
    ),
    (
        "generations.doctor.away",  # what a page cannot reach; run by the worker and the command
        ("generations.doctor", "generations.models", "generations.upstream", "generations.runninghub"),
    ),
    ("generations.queue", ("django_q",)),
    ("generations.upstream", ("generations.models", "generations.runninghub")),
    (
        "generations.uploads",
        (
            "generations.uploads",
            "generations.models",
            "generations.disk",
            "generations.media",
            "generations.catalogue",
            "accounts.models",
        ),
    ),
    ("generations.turns", ("generations.pipeline.pacing",)),
    (
        "generations.progress",
        (
            "generations.models",
            "generations.catalogue",
            "generations.disk",
            "generations.pipeline.pacing",
            "generations.turns",
        ),
    ),
    ("generations.live", ("generations.models",)),
    ("generations.pipeline.pacing", ()),
    ("generations.pipeline.persist", ("generations.models.writer",)),
    ("generations.pipeline.descend", ("generations.models", "generations.catalogue")),
    (
        "generations.pipeline.twins",
        ("generations.models", "generations.catalogue", "generations.vault", "accounts.models"),
    ),
    ("generations.pipeline.purge", ("generations.models", "accounts.models")),
    (
        "generations.pipeline.retire",
        ("generations.models", "generations.keeping", "accounts.models", "accounts.notify"),
    ),
    ("generations.pipeline.count", ("generations.models", "accounts.models")),
    (
        "generations.pipeline.quoting",
        ("generations.models", "generations.catalogue", "accounts.models"),
    ),
    (
        "generations.pipeline.accept",
        (
            "generations.own_models",
            "generations.models",
            "accounts.models",
            "generations.quota",
            "generations.catalogue",
            "generations.disk",
            "generations.queue",
            "generations.vault",
            "generations.pipeline.quoting",
            "generations.pipeline.descend",
            "generations.pipeline.twins",
            "generations.permits",
        ),
    ),
    (
        "generations.pipeline.several",
        (
            "generations.models",
            "accounts.models",
            "generations.quota",
            "generations.catalogue",
            "generations.own_models",
            "generations.disk",
            "generations.queue",
            "generations.vault",
            "generations.permits",
            "generations.pipeline.accept",
        ),
    ),
    (
        "generations.pipeline.hear",
        (
            "generations.models",
            "accounts.models",
            "generations.catalogue",
            "generations.vault",
            "generations.pipeline.accept",
        ),
    ),
    (
        "generations.pipeline.draw",
        (
            "generations.models",
            "accounts.models",
            "generations.quota",
            "generations.vault",
            "generations.pipeline.accept",
        ),
    ),
    (
        "generations.pipeline.hold",
        (
            "generations.models",
            "accounts.models",
            "accounts.notify",
            "generations.quota",
            "generations.catalogue",
            "generations.disk",
            "generations.vault",
            "generations.pipeline.accept",
        ),
    ),
    (
        "generations.pipeline.limits",
        (
            "generations.models",
            "accounts.models",
            "accounts.notify",
            "generations.quota",
            "generations.asking",
            "generations.standings",
            "generations.limit_words",
            "generations.pipeline.hold",
        ),
    ),
    (
        "generations.pipeline.adopt",
        (
            "generations.models",
            "generations.uploads",
            "generations.media",
            "generations.pipeline.accept",
            "accounts.models",
        ),
    ),
    ("generations.pipeline.warn", ("generations.models", "accounts.models")),
    ("generations.pipeline.tell", ("generations.models", "accounts.models", "accounts.notify")),
    ("generations.pipeline.cancel", ("generations.models", "generations.queue")),
    ("generations.pipeline.resolve", ("generations.models", "generations.queue", "accounts.models")),
    (
        "generations.pipeline.webhook",
        ("generations.models", "generations.queue", "generations.pipeline.resolve"),
    ),
    (
        "generations.pipeline.monthly",
        (
            "generations.models",
            "generations.reports",
            "generations.catalogue",
            "accounts.models",
            "accounts.notify",
        ),
    ),
    ("generations.pipeline.alert", ("generations.models", "generations.disk", "accounts.models")),
    (
        "generations.pipeline",  # dispatch, follow, gather, sweep, watch
        (
            "generations.own_models",
            "generations.models",
            "generations.catalogue",
            "generations.upstream",
            "generations.runninghub",
            "generations.media",
            "generations.queue",
            "generations.live",
            "generations.progress",
            "generations.disk",
            "generations.custody",
            "generations.connections",
            "generations.doctor",
            "generations.pipeline",
        ),
    ),
    (
        "generations.leaving",
        (
            "accounts.models",
            "accounts.memberships",
            "generations.models",
            "generations.pipeline.cancel",
            "generations.pipeline.hold",
        ),
    ),
    ("generations.tasks", ("generations.pipeline",)),
    (
        "generations.forms",
        (
            "generations.forms",
            "generations.own_models",
            "generations.models",
            "generations.catalogue",
            "generations.uploads",
            "generations.receipts",
            "generations.reports",
            "generations.prices",
            "generations.vault",
            "generations.receivers",
            "generations.outgoing",
            "accounts.models",
            "accounts.roles",
            "accounts.memberships",
            "accounts.domains",
            "accounts.tokens",
            "generations.sharing",
            "generations.takeout",
            "generations.pipeline.adopt",
        ),
    ),
    (
        "generations.views",
        (
            "generations.views",
            "generations.forms",
            "generations.catalogue",
            "generations.own_models",
            "generations.loras",
            "generations.models",
            "generations.library",
            "generations.permits",
            "generations.quota",
            "generations.standings",
            "generations.asking",
            "generations.limit_words",
            "generations.receipts",
            "generations.reports",
            "generations.prices",
            "generations.bill",
            "generations.templatetags.ui",
            "generations.media",
            "generations.uploads",
            "generations.live",
            "generations.progress",
            "generations.vault",
            "generations.disk",
            "generations.custody",
            "generations.price_checks",
            "generations.connections",
            "generations.receivers",
            "generations.pipeline.announce",
            "generations.doctor.finding",
            "generations.doctor.here",
            "generations.doctor.probe",
            "generations.pipeline.accept",
            "generations.sharing",
            "generations.takeout",
            "generations.pipeline.adopt",
            "generations.pipeline.several",
            "generations.pipeline.cancel",
            "generations.pipeline.draw",
            "generations.pipeline.hold",
            "generations.pipeline.hear",
            "generations.pipeline.resolve",
            "generations.pipeline.webhook",
            "generations.pipeline.pacing",
            "generations.pipeline.twins",
            "generations.keeping",
            "generations.leaving",
            "accounts.models",
            "accounts.roles",
            "accounts.trail",
            "accounts.memberships",
            "accounts.invitations",
            "accounts.domains",
            "accounts.last_team",
            "accounts.tokens",
            "accounts.views.invite",
        ),
    ),
]

FORBIDDEN_FRAMEWORK: list[tuple[str, tuple[str, ...]]] = [
    ("generations.runninghub", ("django",)),
    ("generations.catalogue", ("django", "requests")),
    ("generations.sandbox", ("django", "requests")),
    ("generations.pipeline.pacing", ("django",)),
    ("generations.turns", ("django",)),
    ("generations.outgoing", ("django",)),
    ("generations.signing", ("django",)),
]

FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc", "core", "services", "selectors", "util", "lib"}


def modules() -> dict[str, Path]:
    found = {}
    for package in OURS:
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" in path.parts:
                continue
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@functools.cache
def imports(name: str, path: Path) -> set[str]:
    """Every module that the file names in an import, relative ones made absolute."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                base = ".".join(
                    [*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])]
                )
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def within(name: str, roots: tuple[str, ...]) -> bool:
    return any(name == root or name.startswith(root + ".") for root in roots)


def rule_of(name: str, rules: list[tuple[str, tuple[str, ...]]]) -> tuple[str, ...] | None:
    fitting = [(len(prefix), allowed) for prefix, allowed in rules if within(name, (prefix,))]
    return max(fitting, default=(0, None))[1] if fitting else None


MODULES = modules()


def test_a_module_imports_only_along_the_arrows() -> None:
    astray = {}
    for name, path in MODULES.items():
        allowed = rule_of(name, ALLOWED)
        watched = (*OURS, "django_q")
        named = {one for one in imports(name, path) if within(one, watched)}
        if allowed is not None and (wrong := {one for one in named if not within(one, allowed)}):
            astray[name] = wrong
    assert astray == {}


def test_a_pure_module_knows_no_framework() -> None:
    impure = {}
    for name, path in MODULES.items():
        forbidden = rule_of(name, FORBIDDEN_FRAMEWORK) or ()
        if wrong := {one for one in imports(name, path) if within(one, forbidden)}:
            impure[name] = wrong
    assert impure == {}


def test_only_the_queue_module_knows_the_queue_library() -> None:
    users = {
        name for name, path in MODULES.items() if any(within(i, ("django_q",)) for i in imports(name, path))
    }
    assert users == {"generations.queue"}


def test_a_page_cannot_reach_the_network() -> None:
    for name, path in MODULES.items():
        if within(name, ("generations.views", "generations.forms")):
            assert not {
                i for i in imports(name, path) if within(i, ("requests", "urllib.request", "http.client"))
            }, name


def test_every_module_outside_the_commands_has_a_rule_or_is_wiring() -> None:
    wiring = (
        "rhweb",
        "generations.management",
        "generations.urls",
        "generations.apps",
        "generations.templatetags",
    )
    free = {
        n for n in MODULES if rule_of(n, ALLOWED) is None and not within(n, wiring) and n != "generations"
    }
    assert not free


def test_no_module_is_a_drawer() -> None:
    assert not {name for name in MODULES if set(name.split(".")) & FORBIDDEN_NAMES}


def test_the_top_level_is_fixed() -> None:
    folders = {
        p.name for p in ROOT.iterdir() if p.is_dir() and not p.name.startswith(".") and p.name != "var"
    }
    assert folders <= {"rhweb", "generations", "accounts", "templates", "static", "tests"}


def test_no_signal_receivers_of_our_own() -> None:
    for name, path in MODULES.items():
        assert not re.search(
            r"@receiver\b|(_save|_delete|m2m_changed|request_\w+|migrate)\.connect\(", path.read_text()
        ), name


def test_states_are_written_only_by_the_models_and_the_pipeline() -> None:
    """A view or a form that writes `status=` into a row would be a second door."""
    for name, path in MODULES.items():
        if within(name, ("generations.views", "generations.forms")):
            assert not re.search(r"\.(update|move|note)\([^)]*status\s*=", path.read_text()), name
