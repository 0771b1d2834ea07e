"""What managers and owners set by a program: each with the same line in the audit trail as from a page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, Membership, Notice, Team, TeamDomain, TopUp
from accounts.models.token import ApiToken
from generations.models import Connection, ConnectionKey, Inquiry, RetentionRule, State, TeamPrice
from tests.generations.api.conftest import Program

KEY = "rh0123456789abcdef0123456789abcd"


@pytest.fixture
def alices(alice: Membership, program_of: Any) -> Program:
    found: Program = program_of(alice)
    return found


def params_of(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.content
    return [one["param"] for one in answer.json()["errors"]]


def trail(action: str) -> list[tuple[Any, ...]]:
    rows = AuditEntry.objects.filter(action=action).order_by("pk")
    return list(rows.values_list("actor__email", "subject", "before", "after"))


def test_settings_change_one_by_one_and_the_trail_says_by_whom(alices: Program, team: Team) -> None:
    shown = alices.get("team").json()
    answer = alices.post("team", {"time_zone": "Asia/Shanghai", "member_slots": 2})
    assert answer.json() == {**shown, "time_zone": "Asia/Shanghai", "member_slots": 2}
    assert alices.post("team", {"member_slots": None}).json()["member_slots"] is None
    assert alices.post("team", {"pool_draw": True}).json()["pool_draw"] is True
    assert alices.post("team", {"pool_draw": False}).json()["pool_draw"] is False
    assert params_of(alices.post("team", {"time_zone": "Mars/Olympus"})) == ["time_zone"]
    assert params_of(alices.post("team", {"slug": "else"})) == ["slug"]
    assert params_of(alices.post("team", {"name": " \u00a0"})) == ["name"]
    team.refresh_from_db()
    assert (team.time_zone, team.member_slots, team.name) == ("Asia/Shanghai", None, shown["name"])
    first = trail("settings.changed")[0]
    assert first[0] == "alice@example.com"
    assert first[3] == {"time_zone": "Asia/Shanghai", "member_slots": 2}


@pytest.mark.parametrize("way", ["page", "api"])
def test_a_deed_by_either_way_has_the_same_entry(
    way: str, alices: Program, alice: Membership, client_of: Any, team: Team
) -> None:
    """The verbs behind these name nobody: who makes the request is who did it."""
    own = Connection.objects.create(team=team, name="Ours", base_url="https://www.runninghub.cn")
    slug, page = team.slug, client_of(alice)
    if way == "page":
        settings = {"name": "Else", "time_zone": "UTC", "unknown_price": "refuse"}
        page.post(f"/t/{slug}/team/settings/", settings)
        page.post(f"/t/{slug}/team/connections/{own.pk}/pause/", {"reason": "Rehearsal"})
        page.post(f"/t/{slug}/team/connections/{own.pk}/resume/")
        page.post(f"/t/{slug}/team/connections/{own.pk}/remove/")
        page.post(f"/t/{slug}/team/domains/add/", {"domain": "example.org", "domain_role": "viewer"})
        page.post(f"/t/{slug}/team/notices/", {"text": "Rehearsal", "level": "info"})
        page.post(f"/t/{slug}/team/notices/{Notice.objects.get().pk}/end/")
    else:
        alices.post("team", {"name": "Else"})
        alices.post(f"connections/{own.pk}/pause", {"reason": "Rehearsal"})
        alices.post(f"connections/{own.pk}/resume")
        alices.post(f"connections/{own.pk}/remove")
        alices.post("domains", {"domain": "example.org", "role": "viewer"})
        alices.post("notices", {"text": "Rehearsal"})
        alices.post(f"notices/{Notice.objects.get().pk}/end")
    found = AuditEntry.objects.filter(team=team).order_by("pk")
    noted = list(found.values_list("action", "actor__email", "subject", "reason"))
    who = "alice@example.com"
    assert noted == [
        ("settings.changed", who, "Else", ""),
        ("sending.paused", who, "Ours", "Rehearsal"),
        ("sending.resumed", who, "Ours", "Rehearsal"),
        ("connection.removed", who, "Ours", ""),
        ("domain.changed", who, "example.org", ""),
        ("notice.posted", who, "Rehearsal", ""),
        ("notice.ended", who, "Rehearsal", ""),
    ]
    assert set(found.values_list("via", flat=True)) == {way}


def test_a_refused_token_names_nobody_in_the_trail(alice: Membership, bob: Membership, team: Team) -> None:
    """A session beside a token counts for nothing: the token says who it is."""
    page = Client()
    page.force_login(alice.user)
    headers = {"Authorization": f"Bearer {ApiToken.issue(bob)}"}
    answer = page.post("/api/v1/team", {"name": "x"}, content_type="application/json", headers=headers)
    assert answer.status_code == 403
    assert not AuditEntry.objects.filter(action="settings.changed").exists()


def test_domains_open_change_and_close(alices: Program, mona: Membership, program_of: Any) -> None:
    opened = alices.post("domains", {"domain": "@Example.org", "role": "viewer"}).json()
    assert (opened["domain"], opened["role"], opened["automatic"]) == ("example.org", "viewer", False)
    again = alices.post("domains", {"domain": "example.org", "automatic": True}).json()
    assert (again["id"], again["role"], again["automatic"]) == (opened["id"], "member", True)
    assert params_of(alices.post("domains", {"domain": "gmail.com"})) == ["domain"]
    assert params_of(alices.post("domains", {"domain": "x.org", "role": "manager"})) == ["role"]
    monas = program_of(mona)
    assert [one["domain"] for one in monas.get("domains").json()["items"]] == ["example.org"]
    assert monas.post("domains", {"domain": "example.net"}).status_code == 403
    assert monas.post(f"domains/{opened['id']}/remove").status_code == 403
    assert alices.post(f"domains/{opened['id']}/remove").status_code == 204
    assert not TeamDomain.objects.exists()


def test_a_top_up_asked_for_twice_under_one_key_is_granted_once(
    alices: Program, mona: Membership, bob: Membership, program_of: Any
) -> None:
    until = (timezone.now() + timedelta(days=2)).isoformat()
    body = {"member": bob.pk, "amount": "5.00", "until_at": until, "reason": "A trailer"}
    first, again = (alices.post("topups", body, Idempotency_Key="one") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert len(trail("topup.granted")) == 1
    other = alices.post("topups", {**body, "amount": "6.00"}, Idempotency_Key="one")
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    assert program_of(mona).post("topups", body, Idempotency_Key="one").status_code == 201
    assert alices.post("topups", body, Idempotency_Key="x y").status_code == 422
    assert [alices.post("topups", body).status_code for _ in range(2)] == [201, 201]
    assert TopUp.objects.count() == 4

    TopUp.objects.filter(pk=first.json()["id"]).update(granted_at=timezone.now() - timedelta(hours=25))
    anew = alices.post("topups", body, Idempotency_Key="one")
    assert (anew.status_code, TopUp.objects.count()) == (201, 5)


def test_notices_stand_and_are_taken_down(alices: Program, zoe: Membership, program_of: Any) -> None:
    until = (timezone.now() + timedelta(hours=2)).isoformat()
    made = alices.post("notices", {"text": " Rehearsal\n today ", "level": "warn", "until": until})
    assert made.status_code == 201
    assert (made.json()["text"], made.json()["level"]) == ("Rehearsal today", "warn")
    path = f"notices/{made.json()['id']}/end"
    assert program_of(zoe).post(path).status_code == 404
    ended = alices.post(path).json()
    assert ended["until"] < until
    assert alices.post(path).json() == ended


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"text": "x", "until": "2001-01-01T00:00:00Z"}, "until"),
        ({"text": "x", "since": "0001-01-01T00:00:00+14:00"}, "since"),
        ({"text": "x", "until": "9999-12-31T23:59:59-14:00"}, "until"),
        ({"text": "x", "since": "2026-01-01T00:00:00"}, "since"),
        ({"text": " "}, "text"),
        ({"text": "x", "level": "loud"}, "level"),
    ],
)
def test_a_notice_that_makes_no_sense_is_refused_by_name(
    body: dict[str, Any], param: str, alices: Program
) -> None:
    assert params_of(alices.post("notices", body)) == [param]
    assert not Notice.objects.exists()


def test_a_team_has_an_end_of_notices(alices: Program, team: Team) -> None:
    Notice.objects.bulk_create(Notice(team=team, text=f"{n}") for n in range(20))
    assert params_of(alices.post("notices", {"text": "One more"})) == ["text"]


def test_rules_of_retention_are_made_off_shown_switched_and_forgotten(
    alices: Program, alice: Membership, zoe: Membership, make_generation: Any, program_of: Any
) -> None:
    old = make_generation(alice, outputs=1)
    type(old).objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=40))
    made = alices.post("retention", {"older_than_days": 30, "status": "succeeded"}).json()
    assert (made["on"], made["would_go"], made["whole"]) == (False, 1, True)
    path = f"retention/{made['id']}"
    assert alices.get(path).json() == made
    assert program_of(zoe).get(path).status_code == 404
    assert alices.post(path, {"on": True}).json()["on"] is True
    assert alices.post(path, {"on": True}).json()["on"] is True
    assert params_of(alices.post("retention", {"older_than_days": 0})) == ["older_than_days"]
    assert params_of(alices.post("retention", {"older_than_days": 9, "kind": "noise"})) == ["kind"]
    assert alices.post(f"{path}/remove").status_code == 204
    assert not RetentionRule.objects.exists()
    assert len(trail("retention.changed")) == 3
    RetentionRule.objects.bulk_create(
        RetentionRule(team=alice.team, made_by=alice.user, older_than_days=9) for _ in range(20)
    )
    assert params_of(alices.post("retention", {"older_than_days": 9})) == ["older_than_days"]


def test_the_trash_is_listed_taken_out_of_and_emptied(
    alices: Program, bob: Membership, carol: Membership, make_generation: Any, program_of: Any
) -> None:
    hers, his = make_generation(carol), make_generation(bob)
    bobs = program_of(bob)
    for row in (hers, his):
        assert alices.post(f"generations/{row.pk}/trash").status_code == 200
    assert {one["id"] for one in alices.get("trash").json()["items"]} == {str(hers.pk), str(his.pk)}
    assert [one["id"] for one in bobs.get("trash").json()["items"]] == [str(his.pk)]
    both = {"generations": [str(hers.pk), str(his.pk)]}
    assert bobs.post("trash/restore", both).json() == {"count": 1}
    assert bobs.post("trash/empty", {"sure": True}).status_code == 403
    assert params_of(alices.post("trash/empty", {"sure": False})) == ["sure"]
    assert alices.post("trash/empty", {"sure": True}).json() == {"count": 1}
    assert alices.post("trash/restore", both).json() == {"count": 1}
    assert [one[0] for one in trail("trash.emptied")] == ["alice@example.com"]


def test_a_key_goes_in_and_never_out(alices: Program, alice: Membership, team: Team) -> None:
    body = {"name": "Ours", "address": "https://www.runninghub.cn", "key": KEY}
    made = alices.post("connections", body)
    assert made.status_code == 201, made.content
    shown = made.json()
    assert (shown["candidate"]["state"], shown["candidate"]["hint"]) == ("waiting", KEY[-4:])
    assert (shown["is_used"], shown["key_hint"]) == (False, "")
    assert alices.post("connections", body).status_code in (201, 409)
    answers = [made, alices.get("connections"), alices.get("audit")]
    answers.append(alices.post(f"connections/{shown['id']}/key", {"key": KEY[::-1]}))
    answers.append(alices.post(f"connections/{shown['id']}/key", {"key": f"{KEY} {KEY}"}))
    assert [one.status_code for one in answers] == [201, 200, 200, 202, 422]
    assert not any(key in one.content for one in answers for key in (KEY.encode(), KEY[::-1].encode()))
    one = Connection.objects.filter(team=team).earliest("pk")
    assert KEY not in repr(one.__dict__)
    assert ConnectionKey.objects.filter(connection=one).count() == 1
    assert alices.post(f"connections/{one.pk}/use").status_code == 409
    assert alices.post(f"connections/{one.pk}/try", {"action": "again"}).status_code == 409
    ConnectionKey.objects.filter(connection=one).update(state="unreachable")
    assert alices.post(f"connections/{one.pk}/try", {"action": "anyway"}).json()["key_hint"] == KEY[::-1][-4:]
    assert alices.post(f"connections/{one.pk}/use").json()["is_used"] is True
    assert alices.post(f"connections/{one.pk}/remove").status_code == 409
    assert {row[0] for row in trail("connection.chosen")} == {"alice@example.com"}


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"address": "http://127.0.0.1:8188"}, "address"),
        ({"address": "https://www.runninghub.cn.example.com"}, "address"),
        ({"key": "short"}, "key"),
        ({"key": "中" * 32}, "key"),
        ({"name": ""}, "name"),
    ],
)
def test_a_key_goes_nowhere_but_to_the_sites_on_offer(
    change: dict[str, Any], param: str, alices: Program
) -> None:
    body = {"name": "Ours", "address": "https://www.runninghub.cn", "key": KEY, **change}
    assert params_of(alices.post("connections", body)) == [param]
    assert not ConnectionKey.objects.exists()


def test_keys_are_for_owners_and_never_of_the_shared_account(
    alices: Program, mona: Membership, program_of: Any
) -> None:
    shared = alices.get("connections").json()["items"][0]
    assert (shared["is_shared"], shared["address"], shared["key_hint"]) == (True, None, "")
    assert alices.post(f"connections/{shared['id']}/key", {"key": KEY}).status_code == 404
    assert alices.post(f"connections/{shared['id']}/remove").status_code == 404
    body = {"name": "Ours", "address": "https://www.runninghub.cn", "key": KEY}
    assert program_of(mona).post("connections", body).status_code == 403


def test_the_inbox_is_settled(
    alices: Program, alice: Membership, bob: Membership, make_generation: Any
) -> None:
    now = timezone.now()
    row = make_generation(bob, status=State.UNCONFIRMED, submitting_at=now)
    Inquiry.objects.create(generation=row, lost_at=now)
    case = alices.get("inbox").json()
    assert (case["count"], case["items"][0]["id"], case["items"][0]["may_release"]) == (1, str(row.pk), True)
    path = f"generations/{row.pk}/settle"
    assert params_of(alices.post(path, {"action": "attach", "task": ""})) == ["task"]
    assert alices.post(path, {"action": "attach", "task": "123"}).status_code == 200
    assert alices.post(path, {"action": "attach", "task": "124"}).status_code == 409
    assert alices.get("inbox").json()["items"][0]["task"] == "123"
    ended = alices.post(path, {"action": "release"})
    assert (ended.status_code, ended.json()["status"]) == (200, "failed")
    assert alices.post(path, {"action": "release"}).status_code == 409
    assert trail("case.released")[0][0] == "alice@example.com"


def test_the_doctor_is_asked_and_the_bill_is_read(alices: Program, zoe: Membership, program_of: Any) -> None:
    found = alices.get("doctor").json()
    assert found["here"]
    assert found["looked_at"] is None
    assert alices.post("doctor/look").status_code == 202
    assert alices.get("doctor").json()["pending"] is True
    bill = alices.get("bill").json()
    assert bill["items"] == []
    assert alices.get("bill", {"month": "2026-13"}).status_code == 422
    assert program_of(zoe).get("bill", {"connection": 2**53}).status_code == 404


def test_the_trail_as_a_table_is_a_deed_itself(alices: Program) -> None:
    alices.post("team", {"name": "Else"})
    table = b"".join(alices.get("audit.csv", {"q": "Else"}).streaming_content).decode()
    assert "alice@example.com" in table
    assert len(trail("audit.exported")) == 1


def test_many_at_once_and_back_again(
    alices: Program,
    alice: Membership,
    bob: Membership,
    vera: Membership,
    make_generation: Any,
    program_of: Any,
) -> None:
    rows = [make_generation(bob, outputs=1) for _ in range(3)]
    ids = [str(row.pk) for row in rows]
    done = alices.post("deeds", {"deed": "tag", "generations": ids, "tag": "calm"}).json()
    assert (done["changed"], done["left"]) == (3, 0)
    assert alices.get("tags").json()["items"] == ["calm"]
    assert alices.post("undo", {"undo": done["undo"]}).json() == {"changed": 3, "left": 0}
    assert alices.post("undo", {"undo": done["undo"]}).status_code == 409
    assert program_of(bob).post("undo", {"undo": done["undo"]}).status_code == 404
    assert params_of(alices.post("deeds", {"deed": "tag", "generations": ids})) == ["tag"]
    assert params_of(alices.post("deeds", {"deed": "rate", "generations": ids})) == ["rating"]
    assert params_of(alices.post("deeds", {"deed": "collect", "generations": ids})) == ["collection"]
    veras = program_of(vera)
    assert veras.post("deeds", {"deed": "tag", "generations": ids, "tag": "x"}).status_code == 403
    assert veras.post("deeds", {"deed": "star", "generations": ids}).json()["changed"] == 3
    assert program_of(bob).post("deeds", {"deed": "approve", "generations": ids}).status_code == 403
    assert alices.post("deeds", {"deed": "approve", "generations": ids}).json()["changed"] == 3
    keeper = f"generations/{ids[0]}/keeper"
    assert program_of(bob).post(keeper, {"output": 0}).status_code == 204
    assert rows[0].outputs.get().is_keeper
    assert params_of(alices.post(keeper, {"output": 1})) == ["output"]
    assert alices.post(keeper, {"output": None}).status_code == 204


def test_a_voice_is_agreed_opened_and_handed_over(
    bob: Membership, carol: Membership, vera: Membership, make_voice: Any, program_of: Any
) -> None:
    voice = make_voice(bob, consent_at=None, speaker="", audience="owner")
    bobs, path = program_of(bob), f"voices/{voice.pk}"
    if not voice.is_agreed:
        assert params_of(bobs.post(f"{path}/audience", {"audience": "everyone"})) == ["audience"]
    assert params_of(bobs.post(f"{path}/consent", {"speaker": "Ada", "consent": False})) == ["consent"]
    assert bobs.post(f"{path}/consent", {"speaker": "Ada", "consent": True}).json()["consent"] is True
    some = {"audience": "some", "members": ["Carol@example.com"]}
    assert bobs.post(f"{path}/audience", some).json()["audience"] == "some"
    wrong = {"audience": "some", "members": ["zoe@example.com"]}
    assert params_of(bobs.post(f"{path}/audience", wrong)) == ["members"]
    assert params_of(bobs.post(f"{path}/owner", {"member": vera.pk})) == ["member"]
    assert program_of(carol).post(f"{path}/owner", {"member": carol.pk}).status_code == 403
    assert bobs.post(f"{path}/owner", {"member": carol.pk}).status_code in (200, 404)
    voice.refresh_from_db()
    assert voice.owner_id == carol.user_id
    assert {row[0] for row in trail("voice.handed_over") + trail("voice.opened")} == {"bob@example.com"}


def test_a_price_far_from_what_was_expected_is_asked_about_first(alices: Program, team: Team) -> None:
    listed = alices.get("prices").json()["items"][0]["model"]
    for amount in ("0.000001", "9999"):
        assert params_of(alices.post(f"prices/{listed}", {"amount": amount})) == ["sure"]
    assert not TeamPrice.objects.exists()
    assert alices.post(f"prices/{listed}", {"amount": "9999", "sure": True}).status_code == 200
    assert TeamPrice.objects.get().amount == 9999
    beyond = alices.post(f"prices/{listed}", {"amount": "100001", "sure": True})
    assert beyond.json()["errors"][0]["message"] == "A price is more than 0 and not over 100,000."
