"""Starting, stopping, and what a folder keeps."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from generations.sandbox import Sandbox, SandboxError, pace_from_environment, serve
from tests.generations.sandbox.conftest import CLONE, SPEECH, SPOKEN, Api, tone, until
from tests.generations.sandbox.test_voices import clone_body


@pytest.mark.thorough
def test_tasks_results_balances_and_clones_survive_a_restart_in_a_folder(tmp_path: Path) -> None:
    with Sandbox(pace=0, quick=True, state_dir=tmp_path) as first:
        api = Api(first)
        upload = api.upload(tone())["data"]["download_url"]
        done = api.finished(api.submit(CLONE, clone_body(upload))["taskId"])
        first.script("submit", {"seconds": 0.5})
        running = api.submit()["taskId"]
        money = api.post("/uc/openapi/accountStatus", {"apikey": first.key}).json()["data"]["remainMoney"]
        sound = requests.get(done["results"][0]["url"], timeout=5).content
    with Sandbox(pace=0, quick=True, state_dir=tmp_path) as second:
        api = Api(second)
        again = api.query(done["taskId"])
        assert again["status"] == "SUCCESS"
        assert requests.get(again["results"][0]["url"], timeout=5).content == sound
        assert api.finished(running)["status"] == "SUCCESS"
        assert (
            api.post("/uc/openapi/accountStatus", {"apikey": second.key}).json()["data"]["remainMoney"]
            < money
        )
        assert (
            api.finished(api.submit(SPEECH, {**SPOKEN, "voice_id": "Harbour2026"})["taskId"])["status"]
            == "SUCCESS"
        )


def test_without_a_folder_a_restart_forgets(sandbox: Sandbox, api: Api) -> None:
    task_id = api.submit()["taskId"]
    with Sandbox(pace=0, quick=True) as other:
        assert Api(other).query(task_id)["errorCode"] == "1004"


def test_stopping_cuts_open_connections_and_frees_the_port() -> None:
    sandbox = Sandbox(pace=0, quick=True).start()
    api, port = Api(sandbox), int(sandbox.url.rpartition(":")[2])
    assert api.get("/sandbox/health").json() == {"ok": True}
    sandbox.stop()
    sandbox.stop()
    with pytest.raises(requests.ConnectionError):
        api.get("/sandbox/health")
    with Sandbox(port=port, pace=0, quick=True) as next_one:
        assert Api(next_one).get("/sandbox/health").ok


def test_a_taken_port_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SandboxError, match=f"cannot listen on 127.0.0.1:{port}"):
            serve("127.0.0.1", port)


@pytest.mark.parametrize("text", ["fast", "-1", "nan", "1000"])
def test_a_pace_that_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("RHWEB_SANDBOX_PACE", text)
    with pytest.raises(SandboxError, match="RHWEB_SANDBOX_PACE"):
        pace_from_environment()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.thorough
def test_the_command_runs_until_it_is_asked_to_stop(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "generations.sandbox", "--port", "0", "--pace", "0", "--quick"]
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split("listens on ")[1].split(";")[0].strip()
        assert requests.get(f"{address}/sandbox/health", timeout=5).json() == {"ok": True}
        process.send_signal(number)
        out, err = process.communicate(timeout=15)
    assert process.returncode == 0
    assert out.strip() == "The sandbox has stopped."
    assert err == ""


def test_many_clients_at_once_are_all_served(sandbox: Sandbox) -> None:
    connections = [
        socket.create_connection(("127.0.0.1", int(sandbox.url.rpartition(":")[2]))) for _ in range(150)
    ]
    for connection in connections:
        connection.sendall(b"GET /sandbox/health HTTP/1.1\r\nHost: x\r\n\r\n")
    try:
        assert all(until(lambda c=c: c.recv(15)).startswith(b"HTTP/1.1 200") for c in connections)
    finally:
        for connection in connections:
            connection.close()
