"""The API pages of RunningHub's documentation by the names of its navigation, each with the test that uses it.

The models have their table in `test_leaves.py` and `test_sounds.py`.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGES = {
    11: ("Check Task Status", "/task/openapi/status", "sandbox/test_contract.py", "older_status_and_outputs"),
    12: (
        "Check Task Output",
        "/task/openapi/outputs",
        "sandbox/test_contract.py",
        "older_status_and_outputs",
    ),
    13: ("Get Webhook Event Details", "getWebhookDetail", "sandbox/test_webhooks.py", "repeated_three_times"),
    14: ("Resend Specific Webhook Event", "retryWebhook", "sandbox/test_webhooks.py", "repeated_three_times"),
    15: (
        "Query generation result (V2)",
        "/openapi/v2/query",
        "runninghub/test_query.py",
        "finished_task_is_read",
    ),
    16: (
        "Start ComfyUI Task 1 - Basic",
        "/task/openapi/create",
        "test_own_models_live.py",
        "starts_as_it_is",
    ),
    17: (
        "Start ComfyUI Task 2 - Advanced",
        "/task/openapi/create",
        "test_own_models_live.py",
        "workflow_becomes_a_model",
    ),
    18: ("Get Workflow JSON", "getJsonApiFormat", "runninghub/test_apps.py", "graph_of_a_workflow_is_read"),
    20: ("Start AI App Task", "ai-app/run", "test_own_models_live.py", "app_becomes_a_model"),
    21: (
        "Get API call examples for AI application",
        "apiCallDemo",
        "runninghub/test_apps.py",
        "form_of_an_app_is_asked",
    ),
    19: (
        "Cancel ComfyUI Task",
        "/task/openapi/cancel",
        "runninghub/test_account.py",
        "cancelled_task_is_true",
    ),
    22: (
        "File upload (new)",
        "/openapi/v2/media/upload/binary",
        "runninghub/test_upload.py",
        "arrives_whole",
    ),
    23: ("Upload Resource", "/task/openapi/upload", "sandbox/test_files.py", "older_upload_has_a_limit"),
    24: ("Upload Lora", "getLoraUploadUrl", "runninghub/test_apps.py", "lora_is_sent"),
    289: ("Get Account Information", "accountStatus", "runninghub/test_account.py", "account_is_read"),
}
"""Row -> name in the navigation, address, file, and words of the test's name."""
CLIENT = (TESTS.parents[1] / "generations/runninghub/client.py").read_text(encoding="utf-8")


def test_all_fifteen_pages_are_named() -> None:
    assert len(PAGES) == 15


@pytest.mark.parametrize("row", PAGES)
def test_the_page_has_a_test_that_uses_its_address(row: int) -> None:
    name, address, file, words = PAGES[row]
    text = (TESTS / file).read_text(encoding="utf-8")
    tests = [node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    assert [test for test in tests if test.startswith("test_") and words in test], name
    assert address.rpartition("/")[2] in text or address.rpartition("/")[2] in CLIENT, name
