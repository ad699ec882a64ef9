"""What of a commit somebody may have to answer for: its rows of the audit log."""

import hashlib
from collections.abc import Callable, Iterator, Sequence

import msgspec

from agent.folded import CallState
from agent.protocol import (
    MOORING,
    AnyEvent,
    ApprovalResolved,
    AutoApproval,
    CallId,
    Decision,
    JsonObject,
    QuestionAnswered,
    SessionUpdated,
    ToolStarted,
)
from server.store.audit import AuditRow

FindCall = Callable[[CallId], CallState | None]


def acts(
    session: str, at: str, events: Sequence[AnyEvent], find_call: FindCall
) -> tuple[AuditRow, ...]:
    """`find_call` knows the calls of the commits before."""
    return tuple(_acts(session, at, events, find_call))


def _acts(
    session: str, at: str, events: Sequence[AnyEvent], find_call: FindCall
) -> Iterator[AuditRow]:
    for event in events:
        match event:
            case ApprovalResolved(decisions=decisions, by=by):
                for ruled in decisions:
                    detail = _ruling(ruled) | _call(find_call(ruled.call), ruled.arguments)
                    yield AuditRow(at, by, "approval", session=session, detail=detail)
            case QuestionAnswered(call=call, by=by, submission=str()):
                detail = _answer(event) | _call(find_call(call), None)
                yield AuditRow(at, by, "answer", session=session, detail=detail)
            case ToolStarted(call=call, unasked=True):
                detail = {"call": call} | _call(find_call(call), None)
                yield AuditRow(at, MOORING, "auto_approved", session=session, detail=detail)
            case SessionUpdated(by=by, auto_approval=AutoApproval() as setting):
                cap = setting.cost_cap_usd
                detail = {"enabled": "true" if setting.enabled else "false"}
                detail |= {} if cap is None else {"cost_cap_usd": str(cap)}
                yield AuditRow(at, by, "auto_approval", session=session, detail=detail)
            case _:
                pass


def _ruling(ruled: Decision) -> dict[str, str]:
    detail = {"call": ruled.call, "decision": ruled.decision}
    if ruled.arguments is not None:
        detail["edited"] = "true"
    if ruled.remember is not None:
        detail["remember"] = ruled.remember
    return detail


def _answer(answered: QuestionAnswered) -> dict[str, str]:
    """What was typed is in the session's log; here is what tells that it was this."""
    detail = {"call": answered.call, "question": answered.question, "action": answered.action}
    if answered.content is not None:
        detail["content"] = hash_of(answered.content)
    return detail


def _call(call: CallState | None, edited: JsonObject | None) -> dict[str, str]:
    """Which tool, with exactly which arguments: those that would run."""
    if call is None:
        return {}
    arguments = call.arguments if edited is None else edited
    return {
        "tool": call.made.tool,
        "effect": call.made.effect,
        "arguments": hash_of(arguments),
    }


def hash_of(arguments: JsonObject) -> str:
    """Of the JSON with sorted names and no spaces: anybody can make it of what the log shows."""
    written = msgspec.json.encode(arguments, order="sorted")
    return f"sha256:{hashlib.sha256(written).hexdigest()}"
