"""Who ruled on what, and what ran without a ruling: written down with the commit itself."""

import hashlib

from agent.folded import CallState
from agent.protocol import (
    AnyEvent,
    ApprovalResolved,
    AutoApproval,
    CallId,
    Decision,
    QuestionAnswered,
    SessionUpdated,
    ToolCall,
    ToolStarted,
)
from server.sessions.answerable import acts, hash_of
from server.store.audit import AuditRow

AT = "2026-11-29T08:00:00.000Z"
CALL = ToolCall("t", "k", "publish", {"b": [1], "a": "ü"}, "publish")


def find(call: CallId) -> CallState | None:
    return CallState(CALL) if call == "k" else None


def rows(*events: AnyEvent) -> tuple[AuditRow, ...]:
    return acts("s_1", AT, events, find)


def test_a_ruling_names_the_call_and_the_exact_arguments() -> None:
    (row,) = rows(ApprovalResolved("t", (Decision("k", "approve"),), "bob", "c1"))
    assert (row.at, row.who, row.what, row.session) == (AT, "bob", "approval", "s_1")
    assert row.detail == {
        "call": "k",
        "decision": "approve",
        "tool": "publish",
        "effect": "publish",
        "arguments": hash_of({"a": "ü", "b": [1]}),
    }


def test_edited_arguments_are_the_ones_that_count() -> None:
    edited = Decision("k", "approve", arguments={"a": 2}, remember="session")
    (row,) = rows(ApprovalResolved("t", (edited,), "bob", "c1"))
    assert row.detail["arguments"] == hash_of({"a": 2})
    assert (row.detail["edited"], row.detail["remember"]) == ("true", "session")


def test_each_ruling_of_a_frame_has_its_row_also_of_a_call_that_nobody_knows() -> None:
    ruled = (Decision("k", "reject"), Decision("k9", "reject"))
    first, second = rows(ApprovalResolved("t", ruled, "ada", "c1"))
    assert first.detail["tool"] == "publish"
    assert second.detail == {"call": "k9", "decision": "reject"}


def test_an_answer_names_the_question_the_tool_and_the_hash_of_what_was_said() -> None:
    (row,) = rows(QuestionAnswered("t", "k", "q", "accept", "bob", "c1", {"b": 1, "a": "ü"}))
    assert (row.at, row.who, row.what, row.session) == (AT, "bob", "answer", "s_1")
    assert row.detail == {
        "call": "k",
        "question": "q",
        "action": "accept",
        "content": hash_of({"a": "ü", "b": 1}),
        "tool": "publish",
        "effect": "publish",
        "arguments": hash_of(CALL.arguments),
    }
    (declined,) = rows(QuestionAnswered("t", "k9", "q", "decline", "ada", "c2"))
    assert declined.detail == {"call": "k9", "question": "q", "action": "decline"}


def test_a_question_that_was_taken_back_was_answered_by_nobody() -> None:
    assert rows(QuestionAnswered("t", "k", "q", "cancel", "mooring")) == ()


def test_what_runs_unasked_is_written_down_and_what_was_asked_is_not_twice() -> None:
    (row,) = rows(ToolStarted("t", "k", unasked=True), ToolStarted("t", "k"))
    assert (row.who, row.what) == ("mooring", "auto_approved")
    assert row.detail["arguments"] == hash_of(CALL.arguments)


def test_switching_auto_approval_is_written_down_with_its_cap() -> None:
    on = SessionUpdated("ada", auto_approval=AutoApproval(True, 2.5))
    off = SessionUpdated("bob", auto_approval=AutoApproval(False))
    titled = SessionUpdated("bob", title="x")
    first, second = rows(on, off, titled)
    assert (first.who, first.detail) == ("ada", {"enabled": "true", "cost_cap_usd": "2.5"})
    assert (second.who, second.detail) == ("bob", {"enabled": "false"})


def test_the_hash_is_of_the_json_with_sorted_names_and_no_spaces() -> None:
    written = '{"a":"ü","b":[1]}'.encode()
    assert hash_of(CALL.arguments) == f"sha256:{hashlib.sha256(written).hexdigest()}"
