"""RunningHub's codes as the sandbox uses them (API.md 10), and the shapes a refusal comes in (API.md 2)."""

from __future__ import annotations

from typing import Any

TEXTS: dict[int, str] = {
    1: "webhook event not exists",
    301: "PARAMS_INVALID",
    380: "WORKFLOW_NOT_EXISTS",
    401: "ApiKey verification failed: the key is not valid",
    412: "TOKEN_INVALID",
    415: "TASK_INSTANCE_MAXED",
    416: "TASK_CREATE_FAILED_BY_NOT_ENOUGH_WALLET",
    421: "TASK_QUEUE_MAXED: the concurrency limit of this key is reached",
    423: "TASK_NOT_FOUNED",
    500: "UNKNOWN_ERROR",
    801: "APIKEY_UNSUPPORTED_FREE_USER",
    802: "APIKEY_UNAUTHORIZED: the key is wrong, expired or of the other site",
    803: "APIKEY_INVALID_NODE_INFO",
    804: "APIKEY_TASK_IS_RUNNING",
    805: "APIKEY_TASK_STATUS_ERROR",
    807: "APIKEY_TASK_NOT_FOUND",
    808: "APIKEY_UPLOAD_FAILED",
    809: "APIKEY_FILE_SIZE_EXCEEDED",
    811: "CORPAPIKEY_INVALID",
    812: "CORPAPIKEY_INSUFFICIENT_FUNDS: the balance does not cover this call",
    813: "APIKEY_TASK_IS_QUEUED",
    814: "PERSONAL_QUEUE_COUNT_LIMIT",
    901: "WEBAPP_NOT_EXISTS",
    1000: "unknown error",
    1003: "too many requests",
    1004: "task not found or expired",
    1005: "internal error",
    1006: "execution timed out",
    1007: "invalid parameters",
    1008: "file too large",
    1009: "method not allowed",
    1010: "service unavailable",
    1011: "system busy, the queue of the model is full",
    1012: "upstream error",
    1013: "file processing failed",
    1014: "standard models need an enterprise-shared key",
    1015: "generation failed",
    1501: "content refused by moderation",
    1504: "model timed out",
    1505: "real people are not allowed",
    1520: "TASK_USER_CONCURRENT_LIMIT",
}


class Refusal(Exception):
    """The request is turned down and nothing was created. ``code`` is RunningHub's number."""

    def __init__(self, code: int, text: str = "") -> None:
        self.code = code
        self.text = text or TEXTS.get(code, "refused")
        super().__init__(self.text)


def flat(refusal: Refusal, task_id: str = "") -> dict[str, Any]:
    """The shape of the model API: HTTP 200, codes as strings, an empty task id."""
    return {
        "taskId": task_id,
        "status": "",
        "errorCode": str(refusal.code),
        "errorMessage": refusal.text,
        "results": None,
        "clientId": "",
        "promptTips": "",
    }


def wrapped(refusal: Refusal, *, word: str = "msg") -> dict[str, Any]:
    """The shape of the gateway and the older calls: the code as a number."""
    return {"code": refusal.code, word: refusal.text, "data": None}


def success(data: Any, *, word: str = "msg", text: str = "success") -> dict[str, Any]:
    return {"code": 0, word: text, "data": data}
