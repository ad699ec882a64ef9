"""A stop that was accepted: who stops what, and what becomes of the queue."""

from msgspec import Struct

from agent.protocol import MOORING, QueueFate, SubmissionId, UserId


class Stop(Struct, frozen=True):
    """Beats what goes on by itself. `submission` is answered when the end is committed."""

    queue: QueueFate = "hold"
    by: UserId = MOORING
    reason: str | None = None
    submission: SubmissionId | None = None
    ends_session: bool = False
