"""A session's row in its three shapes: in the store, in lists, in the status line."""

from msgspec import UNSET, UnsetType

from agent.history import Digest
from agent.protocol import TurnEnded
from server.store.port import Indexed, SessionRow
from server.wire import Access, Activity, Context, LastTurn, Queued, Session, Spent, Status


def indexed(digest: Digest) -> Indexed:
    """What the store keeps of a digest."""
    return Indexed(
        title=digest.title,
        model=digest.model,
        state=digest.state,
        turn=digest.turn,
        queue=len(digest.queue),
        held=digest.held,
        pending_approvals=digest.pending_approvals,
        input_tokens=digest.spent_input,
        output_tokens=digest.spent_output,
        cost_usd=digest.cost_usd,
        context_used=digest.context_used,
        context_limit=digest.context_limit,
        jobs=digest.jobs,
        last_status=digest.last.status if digest.last else "",
        last_reason=_why(digest.last) if digest.last else "",
    )


def _why(end: TurnEnded) -> str:
    return (end.error.code if end.error else end.reason) or ""


def queued(digest: Digest) -> tuple[Queued, ...]:
    return tuple(
        Queued(q.submission, q.text, q.delivery, q.author, q.attachments) for q in digest.queue
    )


def session_of(row: SessionRow, access: Access | UnsetType = UNSET) -> Session:
    """The row as lists and `hello` show it to somebody with that access."""
    kept = row.indexed
    return Session(
        id=row.id,
        title=kept.title,
        owner=row.owner,
        model=kept.model,
        state=kept.state,
        created_at=row.created_at,
        active_at=row.active_at,
        head=row.head,
        queue=kept.queue,
        pending_approvals=kept.pending_approvals,
        pending_questions=row.questions,
        usage=Spent(kept.input_tokens, kept.output_tokens, kept.cost_usd),
        last_turn=LastTurn(kept.last_status, kept.last_reason) if kept.last_status else None,
        access=access,
    )


def status_of(row: SessionRow, queue: tuple[Queued, ...], activity: Activity | None) -> Status:
    """The status line; the broadcaster fills in the viewers."""
    kept = row.indexed
    return Status(
        state=kept.state,
        queue=queue,
        held=kept.held,
        context=Context(kept.context_used, kept.context_limit),
        viewers=0,
        turn=kept.turn,
        activity=activity,
    )
