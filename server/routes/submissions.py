"""One client frame, from bytes to its answer: the same over a socket and over HTTP."""

from collections.abc import Callable

import msgspec

from agent.errors import Problem, Refused
from agent.protocol import AnySubmission, Ping, decode_submission
from server.errors import LogDamaged, NoSuchSession
from server.people import User
from server.sessions.manager import SessionManager
from server.wire import Accepted, Answer, Pong
from server.wire import Refused as RefusedFrame

LONGEST_FRAME = 1024 * 1024
"""Bytes."""


class Malformed(Problem):
    """A frame that cannot be read; `id` where that could be."""

    def __init__(self, id: str | None, message: str) -> None:
        super().__init__("malformed", message)
        self.id = id


class _Named(msgspec.Struct):
    id: str


def read(content: bytes | str) -> AnySubmission:
    """Raises Malformed, naming the field at fault."""
    try:
        submission: AnySubmission = decode_submission(content)
        return submission
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Malformed(_id_of(content), f"The frame cannot be read: {error}.") from None


def malformed(problem: Malformed) -> RefusedFrame:
    return RefusedFrame(problem.id, problem.code, problem.message)


async def answer(
    sessions: SessionManager,
    session: str,
    user: User,
    submission: AnySubmission,
    timestamp: Callable[[], str],
) -> Answer:
    """Raises NoSuchSession when the session was deleted meanwhile."""
    if isinstance(submission, Ping):
        return Pong(submission.id, timestamp())
    try:
        accepted = await sessions.submit(session, user, submission)
    except NoSuchSession:
        raise
    except Refused as refused:
        return RefusedFrame(submission.id, refused.code, refused.message, refused.retry_after)
    except LogDamaged as problem:
        return RefusedFrame(submission.id, "unavailable", problem.message)
    except Problem as problem:
        return RefusedFrame(submission.id, "unavailable", problem.message, 1)
    return Accepted(submission.id, accepted.seq, accepted.duplicate)


def _id_of(content: bytes | str) -> str | None:
    """The id of a frame that is wrong elsewhere."""
    try:
        id = msgspec.json.decode(content, type=_Named).id
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return id if 1 <= len(id) <= 64 else None
