"""One client frame, from bytes to its answer: the same over a socket and over HTTP."""

from collections.abc import Callable

import msgspec
from aiohttp import web

from agent.errors import Problem, Refused
from agent.protocol import AnySubmission, Ping, decode_submission
from agent.protocol.words import snake
from server.access import ACTION_OF, allows, why_not
from server.audit import Audit
from server.errors import LogDamaged, NoSuchSession
from server.identity.sharing import Standing
from server.sessions.manager import SessionManager
from server.wire import Accepted, Answer, Pong
from server.wire import Refused as RefusedFrame

DESK: web.AppKey["Desk"] = web.AppKey("desk")
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


class Desk:
    """Where the frames of all connections are judged by the one rule, then by the session."""

    def __init__(
        self, sessions: SessionManager, audit: Audit, timestamp: Callable[[], str]
    ) -> None:
        self._sessions = sessions
        self._audit = audit
        self._timestamp = timestamp

    async def answer(self, standing: Standing, submission: AnySubmission) -> Answer:
        """Raises NoSuchSession when the session was deleted meanwhile."""
        user, relation, action = standing.user, standing.relation, ACTION_OF[type(submission)]
        if not allows(user.role, relation, "read"):
            raise NoSuchSession
        if not allows(user.role, relation, action):
            return RefusedFrame(submission.id, "forbidden", why_not(action))
        if isinstance(submission, Ping):
            return Pong(submission.id, self._timestamp())
        answer = await _answer(self._sessions, standing, submission)
        if relation == "none" and isinstance(answer, Accepted) and not answer.duplicate:
            row, what = standing.session, snake(type(submission).__name__)
            self._audit.record("session_stopped", user.id, session=row.id, owner=row.owner, by=what)
        return answer


async def _answer(
    sessions: SessionManager, standing: Standing, submission: AnySubmission
) -> Answer:
    try:
        accepted = await sessions.submit(standing.session.id, standing.user, submission)
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
