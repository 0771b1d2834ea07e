"""A local RunningHub: the contract of API.md over real HTTP, with sound worth hearing."""

from __future__ import annotations

from generations.sandbox.faults import ScriptError
from generations.sandbox.server import Sandbox, SandboxError, pace_from_environment, serve

__all__ = ["Sandbox", "SandboxError", "ScriptError", "pace_from_environment", "serve"]
