"""What can go wrong between us and RunningHub: one tree, a class per set of consequences.

Every error has ``code`` (RunningHub's, or a word of ours such as "unreachable"), ``detail`` (the other side's
own words, without the key, at most a few hundred characters, for managers and logs) and ``member_text``
(sentences for members). That a generation *failed* is not an error: it is a reply (replies.TaskReply).
"""

from __future__ import annotations

from . import codes


class UpstreamError(Exception):
    """RunningHub did not do what was asked."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    @property
    def member_text(self) -> str:
        return codes.sentence(self.code)

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.code}: {self.detail or self.member_text}"


class _Judged(UpstreamError):
    """An answer whose reason is known."""

    def __init__(
        self, code: str, detail: str = "", reason: str = "other", retry_after: float | None = None
    ) -> None:
        super().__init__(code, detail)
        self.args = (code, detail, reason, retry_after)
        self.reason = reason
        self.retry_after = retry_after

    @property
    def pauses(self) -> bool:
        """Whether every further submit over this connection would meet the same (no funds, bad key)."""
        return self.reason in ("funds", "key")


# A submit or an upload.


class NotAccepted(_Judged):
    """Certainly nothing was created and nothing charged; the same request may be sent again later.

    ``retry_after``: seconds the other side asked us to wait, None when it did not say.
    """

    @property
    def member_text(self) -> str:
        return f"{super().member_text} Nothing was started and nothing was charged; it will be tried again."


class Refused(_Judged):
    """Certainly nothing was created and nothing charged; sending the same again is pointless.

    ``reason``: "params", "moderation", "funds", "key" or "other". ``pauses``: a manager must act first.
    """

    @property
    def member_text(self) -> str:
        return f"{super().member_text} Nothing was started and nothing was charged."


class Unclear(UpstreamError):
    """Bytes of a submit left and no usable answer came: it may run and may be charged. Never sent again."""

    @property
    def member_text(self) -> str:
        return (
            "RunningHub may have started this, but its answer did not arrive, so it may be charged. "
            "It is not sent again by itself; a manager can clear it up."
        )


# Reads. All of them may be repeated and none of them is a verdict about a generation.


class Unreachable(UpstreamError):
    """No usable answer to a read: no connection, a lost answer, a server fault, a senseless body."""

    @property
    def member_text(self) -> str:
        return "RunningHub cannot be reached at the moment."


class ReadRefused(_Judged):
    """RunningHub answered a read with an error code (bad key, too many requests, unknown id ...)."""


# Downloads. All but BlockedAddress may be repeated.


class DownloadFailed(UpstreamError):
    """A result could not be copied."""

    @property
    def member_text(self) -> str:
        return "The result could not be copied from RunningHub."


class TooLarge(DownloadFailed):
    """More bytes than allowed; reading stopped there."""

    @property
    def member_text(self) -> str:
        return "The result is larger than this portal stores."


class TooSlow(DownloadFailed):
    """Not finished within the time allowed."""

    @property
    def member_text(self) -> str:
        return "Copying the result from RunningHub took too long."


class Gone(DownloadFailed):
    """The file host answered 403, 404 or 410: the address has expired or never worked."""

    @property
    def member_text(self) -> str:
        return "RunningHub no longer offers the file of this result."


class BlockedAddress(DownloadFailed):
    """The address is not http(s), or leads into a private network; nothing was sent to it."""

    @property
    def member_text(self) -> str:
        return "The address of the result is not one this portal may open."


class Cut(DownloadFailed):
    """The connection ended before the whole file had arrived."""
