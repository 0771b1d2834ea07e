"""RunningHub's API as a small library: the standard library, requests and websockets, nothing of ours.

``client.Client`` makes the calls, ``replies`` holds what they answer, ``errors`` what can go wrong and
``codes`` what RunningHub's numbers mean. ``API.md`` in docstrings is the project's reference of that API.
"""

from .client import Client

__all__ = ["Client"]
