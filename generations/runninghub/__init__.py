"""RunningHub's API as a small library: standard library and requests, nothing of this project.

``client.Client`` makes the calls, ``replies`` holds what they answer, ``errors`` what can go wrong and
``codes`` what RunningHub's numbers mean. ``API.md`` in docstrings is the project's reference of that API.
"""

from .client import Client

__all__ = ["Client"]
