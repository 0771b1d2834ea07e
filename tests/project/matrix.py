"""The matrix: one line for every address, saying which deed of the role table opens it.

A new address fails `test_matrix.py` until it has a line here. Most need one word: the deed. Arguments that are called
`team`, `model`, `slug`, `scope` or `index` make themselves; `pk` and `id` name one of THINGS, where a new kind of thing
is one line more. Everything is Carol's, who is a member and none of those who knock, so a deed upon what is hers is
Deed.CHANGE_OTHERS where only she and managers may.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from allauth.usersessions.models import UserSession
from django.core.files.base import ContentFile
from django.utils import timezone

from accounts.models import (
    ApiToken,
    Invitation,
    Measure,
    Membership,
    Notice,
    Notification,
    Role,
    Team,
    TeamDomain,
    TopUp,
    User,
)
from accounts.roles import Deed
from generations import sharing
from generations.models import (
    AllowanceRequest,
    Alteration,
    Batch,
    Collection,
    Connection,
    Delivery,
    Draft,
    Generation,
    HeldOrder,
    Lora,
    Preset,
    PriceCheck,
    Receiver,
    RetentionRule,
    SavedSearch,
    State,
    TeamModel,
    Upload,
    Voice,
)
from generations.models.receiver import new_secret
from generations.sharing import Terms, Thing
from tests.conftest import MODEL, tone


class Open(StrEnum):
    """Addresses that no role decides about."""

    PERSON = "whoever is signed in"
    ANYBODY = "anybody"


@dataclass(frozen=True)
class Line:
    """Who may GET and POST it; None: the address does not take that. `data` is sent, `also` may be answered too."""

    get: Deed | Open | None = None
    post: Deed | Open | None = None
    things: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    also: frozenset[int] = frozenset()
    query: str = ""


def page(deed: Deed | Open, *, also: tuple[int, ...] = (), **things: str) -> Line:
    """Something to look at."""
    return Line(get=deed, things=things, also=frozenset(also))


def verb(
    deed: Deed | Open, data: Mapping[str, Any] | None = None, *, also: tuple[int, ...] = (), **things: str
) -> Line:
    """Something to do."""
    return Line(post=deed, things=things, data=data or {}, also=frozenset(also))


def form(deed: Deed | Open, *, also: tuple[int, ...] = (), **things: str) -> Line:
    """Something to look at and to send."""
    return Line(get=deed, post=deed, things=things, also=frozenset(also))


def in_an_hour() -> str:
    return (timezone.now() + timedelta(hours=1)).isoformat()


HERS = "generation"

PAGES: dict[str, Line] = {
    # the portal itself
    "healthz": page(Open.ANYBODY),
    "readyz": page(Open.ANYBODY, also=(503,)),
    "metrics": page(Open.ANYBODY, also=(404,)),
    "probe": page(Open.ANYBODY, nonce="word", also=(404,)),
    "webhook": verb(Open.ANYBODY, pk=HERS, token="word", also=(404,)),
    "home": page(Open.PERSON),
    # a person
    "session_end": verb(Open.PERSON, pk="own session"),
    "account_login": form(Open.ANYBODY),
    "account_logout": form(Open.PERSON),
    "account_inactive": page(Open.ANYBODY),
    "account_signup": form(Open.ANYBODY),
    "account_reauthenticate": form(Open.PERSON),
    "account_email": form(Open.PERSON),
    "account_email_verification_sent": page(Open.ANYBODY),
    "account_change_password": form(Open.PERSON),
    "account_set_password": form(Open.PERSON),
    "account_reset_password": form(Open.ANYBODY),
    "account_confirm_login_code": form(Open.ANYBODY),
    "account_confirm_email": form(Open.ANYBODY, key="word", also=(404,)),
    "account_reset_password_from_key_done": page(Open.ANYBODY),
    "account_reset_password_from_key": form(Open.ANYBODY, uidb36="word", key="word"),
    "account_reset_password_done": page(Open.ANYBODY),
    "mfa_index": page(Open.PERSON),
    "mfa_authenticate": form(Open.ANYBODY),
    "mfa_reauthenticate": form(Open.PERSON),
    "mfa_activate_totp": form(Open.PERSON),
    "mfa_deactivate_totp": form(Open.PERSON, also=(404,)),
    "mfa_view_recovery_codes": page(Open.PERSON, also=(404,)),
    "mfa_generate_recovery_codes": form(Open.PERSON, also=(404,)),
    "mfa_download_recovery_codes": page(Open.PERSON, also=(404,)),
    "mfa_list_webauthn": page(Open.PERSON),
    "mfa_add_webauthn": form(Open.PERSON),
    "mfa_reauthenticate_webauthn": form(Open.PERSON),
    "mfa_remove_webauthn": form(Open.PERSON, pk="number", also=(404,)),
    "mfa_edit_webauthn": form(Open.PERSON, pk="number", also=(404,)),
    "mfa_login_webauthn": form(Open.ANYBODY),
    "usersessions_list": form(Open.PERSON),
    "notifications": page(Open.PERSON),
    "notifications_read": verb(Open.PERSON),
    "notification_read": verb(Open.PERSON, pk="own notification"),
    "telling": form(Open.PERSON),
    "notice_dismiss": verb(Open.PERSON, pk="portal's notice"),
    "teams": page(Open.PERSON),
    "team_join": verb(Open.PERSON, slug="word", also=(404,)),
    "invite": form(Open.ANYBODY, token="word", also=(404,)),
    "invite_mail": verb(Open.ANYBODY, token="word", also=(404,)),
    "invite_proven": form(Open.ANYBODY, token="word", proof="word", also=(404,)),
    "oembed": page(Open.ANYBODY, also=(404,)),
    "shared": form(Open.ANYBODY, token="word", also=(404,)),
    "shared_embed": page(Open.ANYBODY, token="word", also=(404,)),
    "shared_content": page(Open.ANYBODY, token="word", key="word", also=(404,)),
    "shared_zip": page(Open.ANYBODY, token="word", also=(404,)),
    "openid_connect_login": form(Open.ANYBODY, provider_id="word", also=(404,)),
    "openid_connect_callback": page(Open.ANYBODY, provider_id="word", also=(404,)),
    "socialaccount_login_cancelled": page(Open.ANYBODY),
    "socialaccount_login_error": page(Open.ANYBODY),
    "socialaccount_signup": form(Open.ANYBODY),
    "socialaccount_connections": form(Open.PERSON),
    # making
    "team_home": page(Deed.SEE),
    "studio": page(Deed.SEE),
    "studio_model": Line(get=Deed.SEE, post=Deed.GENERATE),
    "price_check": verb(Deed.GENERATE),
    "price_checked": page(Deed.GENERATE, pk="price check"),
    "studio_lyrics": form(Deed.GENERATE, model="singing model"),
    "quote": verb(Deed.SEE),
    "draft_keep_running": verb(Deed.GENERATE),
    "draft_drop_running": verb(Deed.GENERATE),
    "draft_keep": verb(Deed.GENERATE),
    "drafts": page(Deed.GENERATE),
    "draft_open": page(Deed.GENERATE, pk="own draft"),
    "draft_discard": verb(Deed.GENERATE, pk="own draft"),
    "preset_apply": verb(Deed.GENERATE, {"_preset": "preset"}),
    "preset_new": verb(Deed.GENERATE),
    "preset_save": verb(Deed.GENERATE),
    "presets": page(Deed.GENERATE),
    "preset_default": verb(Deed.GENERATE, pk="preset"),
    "preset_share": verb(Deed.CHANGE_OTHERS, pk="preset"),
    "preset_delete": verb(Deed.CHANGE_OTHERS, pk="preset"),
    "upload_add": Line(
        post=Deed.GENERATE, query="?model=rhart-audio--text-to-audio--voice-clone&param=audio"
    ),
    "upload_content": page(Deed.SEE, pk="upload"),
    # what was made
    "now": page(Deed.SEE),
    "library": page(Deed.SEE),
    "download": Line(get=Deed.SEE, post=Deed.SEE),
    "download_zip": Line(get=Deed.SEE, post=Deed.SEE, data={"ids": "generation"}, also=frozenset({404})),
    "imports": form(Deed.GENERATE),
    "share_generation": form(Deed.SHARE, pk=HERS),
    "share_collection": form(Deed.SHARE, pk="collection"),
    "shares": page(Deed.SEE),
    "share_link": form(Deed.SHARE, pk="own link"),
    "share_revoke": verb(Deed.SHARE, pk="own link"),
    "library_bulk": verb(Deed.SEE, {"deed": "star", "pick": "generation"}),
    "library_filter": page(Deed.SEE, name="filter"),
    "library_choose": page(Deed.KEEP_ORDER),
    "undo": verb(Deed.SEE, {"change": "own change"}),
    "trash": page(Deed.SEE),
    "trash_restore": verb(Deed.SEE, {"pick": "generation"}),
    "trash_empty": verb(Deed.RETAIN),
    "collections": page(Deed.SEE),
    "collection_new": form(Deed.KEEP_ORDER),
    "collection": page(Deed.SEE, pk="collection"),
    "collection_edit": form(Deed.CHANGE_OTHERS, pk="collection"),
    "collection_delete": verb(Deed.CHANGE_OTHERS, pk="collection"),
    "collection_move": verb(Deed.KEEP_ORDER, pk="collection"),
    "collection_remove": verb(Deed.KEEP_ORDER, {"pick": "generation"}, pk="collection"),
    "saved_search_save": verb(Deed.SEE, {"name": "mine", "query": "q=rain"}),
    "saved_search_remove": verb(Deed.CHANGE_OTHERS, pk="saved search"),
    "batch": page(Deed.SEE, pk="batch"),
    "batch_rest": verb(Deed.GENERATE, pk="batch"),
    "compare": page(Deed.SEE),
    "generation": page(Deed.SEE, pk=HERS),
    "generation_status": page(Deed.SEE, pk=HERS),
    "generation_cancel": verb(Deed.CHANGE_OTHERS, pk="waiting"),
    "generation_again": verb(Deed.GENERATE, pk=HERS),
    "generation_menu": page(Deed.SEE, pk=HERS),
    "generation_star": verb(Deed.SEE, pk=HERS),
    "generation_rate": verb(Deed.KEEP_ORDER, {"rating": "3"}, pk=HERS),
    "generation_edit": verb(Deed.CHANGE_OTHERS, pk=HERS),
    "generation_tag": verb(Deed.KEEP_ORDER, {"add": "calm"}, pk=HERS),
    "generation_approve": verb(Deed.APPROVE, pk=HERS),
    "generation_open": verb(Deed.CHANGE_OTHERS, pk=HERS),
    "generation_trash": verb(Deed.CHANGE_OTHERS, pk=HERS),
    "generation_restore": verb(Deed.CHANGE_OTHERS, pk=HERS),
    "generation_keeper": verb(Deed.CHANGE_OTHERS, pk=HERS),
    "generation_resolve": verb(Deed.SETTLE, pk="lost"),
    "output_content": page(Deed.SEE, pk=HERS),
    "output_poster": page(Deed.SEE, also=(404,), pk=HERS),
    "models": page(Deed.SEE),
    # voices
    "voices": page(Deed.SEE),
    "voices_pick": page(Deed.SEE),
    "voice_favourite": verb(Deed.SEE, {"voice_id": "built-in voice"}),
    "voice_hear": Line(get=Deed.SEE, post=Deed.GENERATE, data={"voice_id": "built-in voice"}),
    "voice": page(Deed.SEE, pk="voice"),
    "voice_change": verb(Deed.CHANGE_OTHERS, pk="voice"),
    "voice_keep": verb(Deed.GENERATE, pk="voice"),
    # the team
    "usage": page(Deed.SEE),
    "own_report": page(Deed.SEE),
    "own_report_csv": page(Deed.SEE),
    "own_report_receipts": page(Deed.SEE),
    "reports": page(Deed.SEE_SPENDING),
    "reports_csv": page(Deed.SEE_SPENDING),
    "reports_receipts": page(Deed.SEE_SPENDING),
    "bill": page(Deed.SEE_SPENDING),
    "bill_csv": page(Deed.SEE_SPENDING),
    "prices": page(Deed.SEE),
    "price": form(Deed.MANAGE),
    "price_end": verb(Deed.MANAGE),
    "price_decide": verb(Deed.MANAGE, {"verdict": "allow"}),
    "allowances": page(Deed.SEE),
    "own_cap": form(Deed.GENERATE),
    "topup_new": form(Deed.MANAGE),
    "topup_revoke": verb(Deed.MANAGE, pk="top-up"),
    "allowance_requests": page(Deed.MANAGE),
    "request_decide": verb(Deed.MANAGE, {"decision": "decline"}, pk="request"),
    "request_withdraw": verb(Deed.SEE, pk="own request"),
    "held_withdraw": verb(Deed.GENERATE, pk="own held order"),
    "team": page(Deed.SEE),
    "team_settings": form(Deed.MANAGE),
    "member_add": form(Deed.MANAGE),
    "member_role": verb(Deed.MANAGE, pk="membership"),
    "limits": form(Deed.MANAGE),
    "member_limits": form(Deed.MANAGE, scope="of a member", pk="membership"),
    "member_leave": form(Deed.MANAGE, pk="membership"),
    "invitations": page(Deed.MANAGE),
    "invitation_new": form(Deed.MANAGE),
    "invitation_renew": verb(Deed.MANAGE, pk="invitation"),
    "invitation_revoke": verb(Deed.MANAGE, pk="invitation"),
    "domain_add": verb(Deed.OPEN_DOORS),
    "domain_remove": verb(Deed.OPEN_DOORS, pk="domain"),
    "model_rules": form(Deed.ALLOW_MODELS),
    "loras": form(Deed.BRING_IN),
    "lora_again": verb(Deed.BRING_IN, pk="lora"),
    "lora_remove": verb(Deed.BRING_IN, pk="lora"),
    "own_models": form(Deed.BRING_IN),
    "own_model": form(Deed.BRING_IN, pk="brought in"),
    "own_model_refresh": verb(Deed.BRING_IN, pk="brought in"),
    "own_model_leave": verb(Deed.BRING_IN, pk="brought in"),
    "own_model_switch": verb(Deed.BRING_IN, pk="brought in"),
    "retention": form(Deed.RETAIN),
    "retention_rule": page(Deed.RETAIN, pk="rule"),
    "retention_set": verb(Deed.RETAIN, {"deed": "on"}, pk="rule"),
    "notices": form(Deed.ANNOUNCE),
    "notice_end": verb(Deed.ANNOUNCE, pk="notice"),
    "audit": page(Deed.READ_TRAIL),
    "audit_export": page(Deed.READ_TRAIL),
    "inbox": page(Deed.SETTLE),
    "inbox_release": verb(Deed.SETTLE),
    "inbox_case": page(Deed.SETTLE, pk="lost"),
    "doctor": page(Deed.EXAMINE),
    "doctor_look": verb(Deed.EXAMINE),
    "loss_seen": verb(Deed.SETTLE, pk=HERS),
    "tokens": form(Deed.SEE),
    "token_revoke": verb(Deed.SEE, pk="own token"),
    "team_tokens": form(Deed.MANAGE),
    "machine": form(Deed.MANAGE, pk="service member"),
    "webhooks": form(Deed.SEND_OUT),
    "webhook_log": form(Deed.SEND_OUT, pk="receiver"),
    "webhook_switch": verb(Deed.SEND_OUT, pk="receiver"),
    "webhook_remove": verb(Deed.SEND_OUT, pk="receiver"),
    "webhook_secret": verb(Deed.SEND_OUT, pk="receiver"),
    "webhook_test": verb(Deed.SEND_OUT, pk="receiver"),
    "delivery_resend": verb(Deed.SEND_OUT, pk="delivery"),
    # connections
    "connections": page(Deed.PAUSE),
    "account": page(Deed.PAUSE, pk="connection"),
    "account_ask": verb(Deed.PAUSE, pk="connection"),
    "connection_pause": verb(Deed.PAUSE),
    "connection_resume": verb(Deed.PAUSE),
    "connection_pause_one": verb(Deed.PAUSE, pk="connection"),
    "connection_resume_one": verb(Deed.PAUSE, pk="connection"),
    "connection_add": form(Deed.HOLD_KEYS),
    "connection_key": form(Deed.HOLD_KEYS, pk="connection"),
    "connection_candidate": verb(Deed.HOLD_KEYS, pk="connection"),
    "connection_use": verb(Deed.HOLD_KEYS, pk="connection"),
    "connection_remove": verb(Deed.HOLD_KEYS, pk="connection"),
}

CALLS: dict[str, Line] = {
    "openapi-json": page(Open.ANYBODY),
    "openapi-view": page(Open.ANYBODY),
    "api-root": page(Open.ANYBODY, also=(404,)),
    "me": page(Deed.SEE),
    "usage": page(Deed.SEE),
    "models": page(Deed.SEE),
    "model": page(Deed.SEE),
    "voices": page(Deed.SEE),
    "generate": verb(Deed.GENERATE, {"model": "model", "params": {"prompt": "Rain"}}),
    "generations": page(Deed.SEE),
    "generation": page(Deed.SEE, id=HERS),
    "cancel_generation": verb(Deed.CHANGE_OTHERS, id="waiting"),
    "generation_kept": page(Deed.SEE, id=HERS),
    "generation_trash": verb(Deed.CHANGE_OTHERS, id=HERS),
    "generation_restore": verb(Deed.CHANGE_OTHERS, id=HERS),
    "tags": page(Deed.SEE),
    "collections": page(Deed.SEE),
    "new_collection": verb(Deed.KEEP_ORDER, {"name": "Album"}),
    "collection": page(Deed.SEE, id="collection"),
    "collect": verb(Deed.KEEP_ORDER, {"generations": "generations"}, id="collection"),
    "uncollect": Line(things={"id": "collection", "generation": HERS}),
    "move_item": verb(Deed.KEEP_ORDER, {"generation": HERS}, id="collection"),
    "output_content": page(Deed.SEE, id=HERS),
    "upload": verb(Deed.GENERATE),
    "openai:models": page(Deed.SEE),
    "openai:speech": verb(
        Deed.GENERATE, {"model": "tts-1", "voice": "alloy", "input": "Good morning"}, also=(504,)
    ),
    "batches": page(Deed.SEE),
    "batch_new": verb(Deed.GENERATE, {"model": "model", "items": [{"params": {"prompt": "Rain"}}]}),
    "batch_table": verb(Deed.GENERATE),
    "batch_preview": verb(Deed.GENERATE, {"model": "model", "items": [{"params": {"prompt": "Rain"}}]}),
    "batch_one": page(Deed.SEE, id="batch"),
    "batch_zip": page(Deed.SEE, id="batch"),
    "batch_csv": page(Deed.SEE, id="batch"),
    "members": page(Deed.SEE),
    "member_new": verb(Deed.MANAGE, {"email": "new@example.com", "role": "viewer"}),
    "member_change_role": verb(Deed.MANAGE, {"role": "viewer"}, id="membership"),
    "member_end": verb(Deed.MANAGE, {"stop": True}, id="membership"),
    "invitation_list": page(Deed.MANAGE),
    "invite": verb(Deed.MANAGE, {"role": "viewer"}),
    "invitation_renew": verb(Deed.MANAGE, id="invitation"),
    "invitation_end": verb(Deed.MANAGE, id="invitation"),
    "token_list": page(Deed.SEE),
    "token_end": verb(Deed.SEE, id="own token"),
    "allowance_list": page(Deed.SEE),
    "allowance_set": verb(
        Deed.MANAGE, {"scope": "pool", "measure": "count", "period": "month", "limit": "9"}
    ),
    "topup_list": page(Deed.MANAGE),
    "topup_grant": verb(Deed.MANAGE, {"amount": "2", "reason": "Trailer", "until_at": in_an_hour()}),
    "topup_end": verb(Deed.MANAGE, id="top-up"),
    "request_list": page(Deed.SEE),
    "request_new": verb(
        Deed.GENERATE, {"limit_name": "team_spend_month", "amount": "2", "reason": "Trailer"}
    ),
    "request_decision": verb(Deed.MANAGE, {"decision": "decline"}, id="request"),
    "request_end": verb(Deed.SEE, id="own request"),
    "audit_trail": page(Deed.READ_TRAIL),
    "report": page(Deed.SEE_SPENDING),
    "report_receipts": page(Deed.SEE_SPENDING),
    "price_all": page(Deed.SEE),
    "price_set": verb(Deed.MANAGE, {"amount": "0.5"}),
    "price_verdict": verb(Deed.MANAGE, {"verdict": "allow"}),
    "rule_list": page(Deed.ALLOW_MODELS),
    "rule_set": verb(Deed.ALLOW_MODELS, {"what": ["all:"], "audience": "everyone"}),
    "connection_list": page(Deed.PAUSE),
    "connection_stop": verb(Deed.PAUSE, {"reason": "Rehearsal"}, id="connection"),
    "connection_go": verb(Deed.PAUSE, id="connection"),
    "preset_list": page(Deed.GENERATE),
    "preset_put": verb(Deed.GENERATE, {"model": "model", "name": "Calm"}),
    "preset_drop": verb(Deed.CHANGE_OTHERS, id="preset"),
    "voice_one": page(Deed.SEE, id="voice"),
    "voice_edit": verb(Deed.CHANGE_OTHERS, {"name": "Harbour"}, id="voice"),
    "voice_alive": verb(Deed.GENERATE, id="voice"),
    "told": page(Deed.SEE),
    "told_read": verb(Deed.SEE),
    "changes": page(Deed.SEE),
    "webhooks": page(Deed.SEND_OUT),
    "webhook_new": verb(Deed.SEND_OUT, {"url": "https://example.com/hook", "events": ["voice.expiring"]}),
    "webhook_one": page(Deed.SEND_OUT, id="receiver"),
    "webhook_change": verb(
        Deed.SEND_OUT, {"url": "https://example.com/other", "events": ["voice.expiring"]}, id="receiver"
    ),
    "webhook_enable": verb(Deed.SEND_OUT, id="receiver"),
    "webhook_disable": verb(Deed.SEND_OUT, id="receiver"),
    "webhook_remove": verb(Deed.SEND_OUT, id="receiver"),
    "webhook_secret": verb(Deed.SEND_OUT, id="receiver"),
    "webhook_test": verb(Deed.SEND_OUT, id="receiver"),
    "deliveries": page(Deed.SEND_OUT, id="receiver"),
    "delivery_resend": verb(Deed.SEND_OUT, id="delivery"),
    "import_file": verb(Deed.GENERATE),
    "lora_list": page(Deed.BRING_IN),
    "lora_new": verb(Deed.BRING_IN),
    "lora_one": page(Deed.BRING_IN, id="lora"),
    "lora_anew": verb(Deed.BRING_IN, id="lora"),
    "lora_drop": verb(Deed.BRING_IN, id="lora"),
    "account_one": page(Deed.PAUSE, id="connection"),
    "account_asked": verb(Deed.PAUSE, id="connection"),
    "price_wanted": verb(Deed.GENERATE, {"model": "model", "params": {"prompt": "Rain"}}, also=(409,)),
    "price_told": page(Deed.GENERATE, id="price check"),
    "own_model_list": page(Deed.BRING_IN),
    "own_model_new": verb(Deed.BRING_IN, {"source": "app", "pasted": "1877265245566922753"}),
    "own_model_one": page(Deed.BRING_IN, id="brought in"),
    "own_model_settle": verb(
        Deed.BRING_IN, {"title": "Boats", "kind": "picture", "inputs": []}, id="brought in"
    ),
    "own_model_refetch": verb(Deed.BRING_IN, id="brought in"),
    "own_model_left": verb(Deed.BRING_IN, id="brought in"),
    "own_model_offer": verb(Deed.BRING_IN, {"offered": False}, id="brought in"),
    "upload_one": page(Deed.SEE, id="upload"),
    "upload_bytes": page(Deed.SEE, id="upload"),
    "share_list": page(Deed.SEE),
    "share_one": page(Deed.SHARE, id="own link"),
    "share_made": verb(Deed.SHARE, {"days": "1"}, id=HERS),
    "share_collected": verb(Deed.SHARE, {"days": "1"}, id="collection"),
    "share_change": verb(Deed.SHARE, {"title": "Else"}, id="own link"),
    "share_end": verb(Deed.SHARE, id="own link"),
    "draft_list": page(Deed.GENERATE),
    "draft_one": page(Deed.GENERATE, id="own draft"),
    "draft_new": verb(Deed.GENERATE, {"model": "model", "params": {"prompt": "Rain"}}),
    "draft_drop": verb(Deed.GENERATE, id="own draft"),
    "held_list": page(Deed.GENERATE),
    "held_drop": verb(Deed.GENERATE, id="own held order"),
    "preset_open": verb(Deed.CHANGE_OTHERS, {"on": True}, id="preset"),
    "preset_first": verb(Deed.GENERATE, {"on": True}, id="preset"),
    "told_one_read": verb(Deed.SEE, id="own notification of the team"),
    "team_shown": page(Deed.MANAGE),
    "team_change": verb(Deed.MANAGE, {"name": "Else"}),
    "domain_list": page(Deed.MANAGE),
    "domain_open": verb(Deed.OPEN_DOORS, {"domain": "example.org"}),
    "domain_close": verb(Deed.OPEN_DOORS, id="domain"),
    "notice_list": page(Deed.ANNOUNCE),
    "notice_new": verb(Deed.ANNOUNCE, {"text": "Rehearsal"}),
    "notice_stop": verb(Deed.ANNOUNCE, id="notice"),
    "trash_shown": page(Deed.SEE),
    "trash_out": verb(Deed.SEE, {"generations": "generations"}),
    "trash_emptied": verb(Deed.RETAIN, {"sure": True}),
    "retention_list": page(Deed.RETAIN),
    "retention_one": page(Deed.RETAIN, id="rule"),
    "retention_new": verb(Deed.RETAIN, {"older_than_days": 400}),
    "retention_switch": verb(Deed.RETAIN, {"on": True}, id="rule"),
    "retention_end": verb(Deed.RETAIN, id="rule"),
    "search_list": page(Deed.SEE),
    "search_put": verb(Deed.SEE, {"name": "mine", "query": "q=rain"}),
    "search_drop": verb(Deed.CHANGE_OTHERS, id="saved search"),
    "voice_audience": verb(Deed.CHANGE_OTHERS, {"audience": "owner"}, id="voice"),
    "voice_consent": verb(Deed.CHANGE_OTHERS, {"speaker": "Ada", "consent": True}, id="voice"),
    "voice_owner": verb(Deed.CHANGE_OTHERS, {"member": 1}, id="voice"),
    "voice_favourites": page(Deed.SEE),
    "voice_mark": verb(Deed.SEE, {"voice_id": "built-in voice"}),
    "voice_heard": verb(Deed.GENERATE, {"voice_id": "built-in voice"}),
    "deed_done": verb(Deed.SEE, {"deed": "star", "generations": "generations"}),
    "deed_undone": verb(Deed.SEE, {"undo": "own change"}),
    "generation_take": verb(Deed.CHANGE_OTHERS, {"output": 7}, id=HERS),
    "generation_anew": verb(Deed.GENERATE, id=HERS),
    "batch_more": verb(Deed.GENERATE, id="batch"),
    "bill_month": page(Deed.SEE_SPENDING),
    "audit_table": page(Deed.READ_TRAIL),
    "usage_report": page(Deed.SEE),
    "usage_receipts": page(Deed.SEE),
    "usage_cap": verb(Deed.GENERATE, {"count_day": 5}),
    "connection_new": verb(
        Deed.HOLD_KEYS, {"name": "Ours", "address": "https://www.runninghub.cn", "key": "k" * 32}
    ),
    "connection_rekey": verb(Deed.HOLD_KEYS, {"key": "k" * 32}, id="connection"),
    "connection_trial": verb(Deed.HOLD_KEYS, {"action": "again"}, id="connection"),
    "connection_choice": verb(Deed.HOLD_KEYS, id="connection"),
    "connection_end": verb(Deed.HOLD_KEYS, id="connection"),
    "inbox_list": page(Deed.SETTLE),
    "generation_settle": verb(Deed.SETTLE, {"action": "release"}, id="lost"),
    "generation_loss_seen": verb(Deed.SETTLE, id=HERS),
    "doctor_findings": page(Deed.EXAMINE),
    "doctor_asked": verb(Deed.EXAMINE),
}
"""The REST API, by the names of its addresses."""

USUAL: dict[str, str] = {"model": "model", "slug": "model", "scope": "pool", "index": "first"}

Make = Callable[["Scene", Membership], Any]


class Scene:
    """A team in which Carol made one of everything. `thing` gives what a line names, for whoever knocks."""

    def __init__(self, carol: Membership, make_generation: Any, make_voice: Any) -> None:
        self.carol = carol
        self._made: dict[str, Any] = {}
        self._generation, self._voice = make_generation, make_voice

    def thing(self, name: str, me: Membership) -> Any:
        key = f"{name} of {me.pk}" if name.startswith("own ") else name
        if key not in self._made:
            self._made[key] = THINGS[name](self, me)
        return self._made[key]

    def generation(self, **fields: Any) -> Generation:
        made: Generation = self._generation(self.carol, **fields)
        return made

    def voice(self) -> Voice:
        made: Voice = self._voice(self.carol)
        return made

    def hers(self) -> dict[str, Any]:
        return {"team": self.carol.team, "author": self.carol.user}


def make_receiver(membership: Membership) -> Receiver:
    row = Receiver(
        team=membership.team,
        url="https://example.com/hook",
        events=["generation.finished"],
        made_by=membership.user,
    )
    row.keep(new_secret())
    row.save()
    return row


def make_machine(team: Team) -> int:
    user = User.objects.create_user(f"build@{team.slug}.service.invalid", is_machine=True)
    return Membership.objects.create(team=team, user=user, role=Role.MEMBER).pk


def _upload(scene: Scene, me: Membership) -> uuid.UUID:
    row = Upload(
        **scene.hers(), name="me.wav", kind="audio", content_type="audio/wav", extension="wav",
        bytes=len(tone()), sha256="0" * 64,
    )  # fmt: skip
    row.file.save("uploads/me.wav", ContentFile(tone()))
    return row.pk


def _lost(scene: Scene, me: Membership) -> uuid.UUID:
    return scene.generation(status=State.UNCONFIRMED, submitting_at=timezone.now()).pk


def _batch(scene: Scene, me: Membership) -> uuid.UUID:
    batch = Batch.objects.create(**scene.hers(), model=MODEL, title="Two", asked=1)
    scene.generation(batch=batch, batch_place=1)
    return batch.pk


def _link(scene: Scene, me: Membership) -> uuid.UUID:
    thing = Thing(scene.generation(outputs=1, team=me.team))
    return sharing.make(me, thing, Terms("Rain")).pk


def _price_check(scene: Scene, me: Membership) -> int:
    connection = Connection.of(me.team)
    return PriceCheck.objects.create(
        team=me.team, connection=connection, model=MODEL, digest="0", params={}, wanted_at=None
    ).pk


def _connection(scene: Scene, me: Membership) -> int:
    where = {"base_url": "https://www.runninghub.cn", "name": "Own", "key_digest": "0" * 16}
    return Connection.objects.create(team=scene.carol.team, **where).pk


def _request(whose: Membership) -> uuid.UUID:
    asked = {
        "scope": "member",
        "measure": "spend",
        "period": "week",
        "amount": Decimal(5),
        "reason": "A trailer",
    }
    return AllowanceRequest.objects.create(team=whose.team, membership=whose, **asked).pk


THINGS: dict[str, Make] = {
    "word": lambda scene, me: "abc-def",
    "number": lambda scene, me: 1,
    "first": lambda scene, me: 0,
    "model": lambda scene, me: MODEL,
    "singing model": lambda scene, me: "rhart-audio--suno-v5.5--custom",
    "filter": lambda scene, me: "tag",
    "pool": lambda scene, me: "pool",
    "of a member": lambda scene, me: "member",
    "built-in voice": lambda scene, me: "Wise_Woman",
    "own session": lambda scene, me: (
        UserSession.objects.create(
            user=me.user, ip="127.0.0.1", session_key=f"key-of-{me.pk}", user_agent=""
        ).pk
    ),
    "membership": lambda scene, me: scene.carol.pk,
    "generation": lambda scene, me: scene.generation(outputs=1).pk,
    "waiting": lambda scene, me: scene.generation(status=State.QUEUED).pk,
    "lost": _lost,
    "batch": _batch,
    "collection": lambda scene, me: Collection.objects.create(**scene.hers(), name="Album").pk,
    "own link": _link,
    "upload": _upload,
    "voice": lambda scene, me: scene.voice().pk,
    "generations": lambda scene, me: [str(scene.generation().pk)],
    "rule": lambda scene, me: (
        RetentionRule.objects.create(team=scene.carol.team, older_than_days=90, made_by=scene.carol.user).pk
    ),
    "own change": lambda scene, me: (
        Alteration.objects.create(team=me.team, by=me.user, what="star", rows=[]).pk
    ),
    "saved search": lambda scene, me: (
        SavedSearch.objects.create(
            team=scene.carol.team,
            author=scene.carol.user,
            name=f"hers {uuid.uuid4()}",
            query="q=rain",
            shared=True,
        ).pk
    ),
    "preset": lambda scene, me: (
        Preset.objects.create(**scene.hers(), model=MODEL, name="Calm", params={}, shared=True).pk
    ),
    "own draft": lambda scene, me: (
        Draft.objects.create(team=me.team, author=me.user, model=MODEL, params={"prompt": "Rain"}).pk
    ),
    "price check": _price_check,
    "connection": _connection,
    "invitation": lambda scene, me: (
        Invitation.objects.create(
            team=scene.carol.team,
            role=Role.MEMBER,
            made_by=scene.carol.user,
            digest="0" * 64,
            expires_at=timezone.now() + timedelta(days=7),
        ).pk
    ),
    "domain": lambda scene, me: (
        TeamDomain.objects.create(team=scene.carol.team, domain="example.org", role=Role.VIEWER).pk
    ),
    "top-up": lambda scene, me: (
        TopUp.grant(
            scene.carol.team,
            membership=scene.carol,
            measure=Measure.SPEND,
            amount=Decimal(2),
            from_at=timezone.now(),
            until_at=timezone.now() + timedelta(days=1),
            by=scene.carol.user,
        ).pk
    ),
    "request": lambda scene, me: _request(scene.carol),
    "own request": lambda scene, me: _request(me),
    "own token": lambda scene, me: (
        ApiToken.issue(me) and ApiToken.objects.filter(membership=me).latest("pk").pk
    ),
    "receiver": lambda scene, me: make_receiver(scene.carol).pk,
    "lora": lambda scene, me: (
        Lora.objects.create(
            team=scene.carol.team,
            connection=Connection.of(scene.carol.team),
            name="Sea",
            digest=uuid.uuid4().hex,
            bytes=9,
            state=Lora.State.FAILED,
            file="loras/none.safetensors",
        ).pk
    ),
    "brought in": lambda scene, me: (
        TeamModel.objects.create(
            team=scene.carol.team,
            slug=TeamModel.new_slug("app"),
            source="app",
            upstream=uuid.uuid4().hex,
            asked_by=scene.carol.user,
            added_by=scene.carol.user,
        ).pk
    ),
    "delivery": lambda scene, me: (
        Delivery.objects.create(
            receiver=make_receiver(scene.carol), event="ping", body="{}", state="delivered"
        ).pk
    ),
    "service member": lambda scene, me: make_machine(scene.carol.team),
    "own held order": lambda scene, me: (
        HeldOrder.objects.create(
            team=me.team,
            membership=me,
            model=MODEL,
            params={"prompt": "Rain"},
            due_at=timezone.now() + timedelta(days=1),
        ).pk
    ),
    "notice": lambda scene, me: Notice.objects.create(team=scene.carol.team, text="Rehearsal").pk,
    "portal's notice": lambda scene, me: Notice.objects.create(text="Closed on Sunday").pk,
    "own notification of the team": lambda scene, me: (
        Notification.objects.create(user=me.user, team=me.team, event="granted", title="More").pk
    ),
    "own notification": lambda scene, me: (
        Notification.objects.create(user=me.user, event="granted", title="More").pk
    ),
}
