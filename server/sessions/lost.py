"""Answering a submission whose commit failed, or seemed to: the receipt knows what became of it."""

from agent.errors import Problem, Refused
from agent.fingerprint import fingerprint
from agent.protocol import AnySubmission
from agent.receipts import Accepted
from server.errors import NoSuchSession
from server.store.port import Store


async def answer_lost(
    store: Store, session: str, submission: AnySubmission, why: Problem
) -> Accepted:
    """Call when nothing of the actor is on its way any more. Raises NoSuchSession, or Refused
    `unavailable` where it did not happen or nobody can tell yet."""
    refused = Refused("unavailable", why.message, retry_after=1)
    try:
        if await store.row(session) is None:
            raise NoSuchSession
        receipts = await store.receipts(session)
    except NoSuchSession:
        raise
    except Problem:
        raise refused from None
    mark = fingerprint(submission)
    for receipt in receipts:
        if receipt.id == submission.id and receipt.fingerprint == mark:
            return Accepted(receipt.seq)
    raise refused
