"""Whether a failed model request is tried again, and after how long."""

from msgspec import Struct

from agent.models.port import ModelError


class Retries(Struct, frozen=True):
    """Waits in seconds before the second, third, ... attempt; when they run out, it is given up.

    A provider's own Retry-After is followed up to `longest_seconds`.
    """

    transient_seconds: tuple[float, ...] = (5, 15)
    rate_limit_seconds: tuple[float, ...] = (30, 60)
    longest_seconds: float = 600

    def attempts(self, error: ModelError) -> int:
        """How often a request that fails like this is tried in all."""
        return 1 + len(self._waits(error))

    def wait(self, attempt: int, error: ModelError, *, shown: bool) -> float | None:
        """Seconds until the next try; None gives up. `attempt`, from 1, is the one that failed.

        Once anything of a reply was `shown`, a second reply would contradict it: no retry.
        """
        waits = self._waits(error)
        if shown or attempt > len(waits):
            return None
        asked = error.retry_after
        return waits[attempt - 1] if asked is None else min(max(asked, 0.0), self.longest_seconds)

    def _waits(self, error: ModelError) -> tuple[float, ...]:
        if not error.retryable:
            return ()
        limited = error.code == "rate_limited"
        return self.rate_limit_seconds if limited else self.transient_seconds
