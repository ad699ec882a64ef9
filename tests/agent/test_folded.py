"""The pieces of a history, each on its own."""

import pytest
from msgspec.structs import replace

from agent.folded import (
    CallState,
    Inquired,
    Progress,
    Spent,
    Summary,
    Turn,
    estimate_tokens,
    seconds_between,
)
from agent.protocol import (
    ApprovalRequired,
    ApprovalResolved,
    Decision,
    PlanUpdated,
    Question,
    QuestionAnswered,
    QuestionAsked,
    ToolCall,
    ToolOutput,
    ToolStarted,
    Usage,
    UserMessage,
)

HEARD = UserMessage("t1", "s1", "Hi.", "ann")
MADE = ToolCall("t1", "c1", "bash", {"command": "ls"}, "execute")
APPROVED = Decision("c1", "approve")
EDITED = Decision("c1", "approve", arguments={"command": "pwd"})
OUTPUT = ToolOutput("t1", "c1", "ok", "", False, 0, 0.0)
USAGE = Usage("m1", 10, 2, 0, 0.25, "main")


@pytest.mark.parametrize(
    ("call", "is_open", "is_waiting"),
    [
        pytest.param(CallState(MADE), True, False, id="made"),
        pytest.param(CallState(MADE, asked=True), True, True, id="asked about"),
        pytest.param(CallState(MADE, asked=True, decision=APPROVED), True, False, id="ruled on"),
        pytest.param(CallState(MADE, started=True), True, False, id="running"),
        pytest.param(CallState(MADE, asked=True, output=OUTPUT), False, False, id="answered"),
    ],
)
def test_a_call_is_open_until_it_is_answered_and_waits_until_it_is_ruled_on(
    call: CallState, is_open: bool, is_waiting: bool
) -> None:
    assert (call.is_open, call.is_waiting) == (is_open, is_waiting)


@pytest.mark.parametrize(
    ("decision", "command"),
    [
        pytest.param(None, "ls", id="as the model wrote it"),
        pytest.param(APPROVED, "ls", id="approved as it is"),
        pytest.param(EDITED, "pwd", id="edited by a human"),
    ],
)
def test_what_runs_is_what_a_human_edited(decision: Decision | None, command: str) -> None:
    assert CallState(MADE, decision=decision).arguments == {"command": command}


def test_a_turn_tells_which_calls_are_open_and_which_wait() -> None:
    calls = {
        "c1": CallState(MADE),
        "c2": CallState(MADE, asked=True),
        "c3": CallState(MADE, output=OUTPUT),
    }
    turn = Turn("t1", "s1", HEARD, 1, 0, calls=calls)
    assert turn.open_calls == (calls["c1"], calls["c2"])
    assert turn.waiting_calls == (calls["c2"],)


def test_a_question_is_open_until_it_is_answered_or_its_call_is_over() -> None:
    asked = QuestionAsked("t1", "c1", "q1", "shop", "Who?")
    answer = QuestionAnswered("t1", "c1", "q1", "cancel", "mooring")
    for inquired, output, open in (
        (Inquired(asked), None, (asked,)),
        (Inquired(asked), OUTPUT, ()),
        (Inquired(asked, answer), None, ()),
    ):
        turn = Turn("t1", "s1", HEARD, 1, 0, calls={"c1": CallState(MADE, output=output)})
        turn.take(asked)
        assert turn.calls["c1"].questions == {"q1": Inquired(asked)}
        if inquired.answer is not None:
            turn.take(inquired.answer)
        assert turn.open_questions == open


@pytest.mark.parametrize(
    ("event", "reached"),
    [
        (
            ApprovalRequired("t1", (Question("c1", "bash", {}, "because"),)),
            CallState(MADE, asked=True),
        ),
        (
            ApprovalResolved("t1", (Decision("c1", "approve"),), "ann", "s"),
            CallState(MADE, decision=Decision("c1", "approve")),
        ),
        (ToolStarted("t1", "c1"), CallState(MADE, started=True)),
        (PlanUpdated("t1", ()), CallState(MADE)),
    ],
)
def test_a_turn_takes_what_brings_its_calls_on(event: Progress, reached: CallState) -> None:
    turn = Turn("t1", "s1", HEARD, 1, 0, calls={"c1": CallState(MADE)})
    turn.take(event)
    assert turn.calls["c1"] == reached


def test_a_turn_is_undone_from_an_event_on() -> None:
    assert not Turn("t1", "s1", HEARD, 1, 0).undone
    assert Turn("t1", "s1", HEARD, 1, 0, undone_at=9).undone


def test_what_was_spent_adds_up() -> None:
    spent = Spent()
    spent.add(USAGE)
    spent.add(USAGE)
    assert spent == Spent(20, 4, 0.5)


def test_a_cost_stays_unknown_once_a_part_of_it_is() -> None:
    spent = Spent()
    for cost in (0.25, None, 0.25):
        spent.add(replace(USAGE, cost_usd=cost))
    assert spent == Spent(30, 6, None)


@pytest.mark.parametrize(
    ("began", "undone_at", "told"),
    [
        pytest.param(5, None, True, id="a turn before the cut is told of"),
        pytest.param(9, None, False, id="a turn behind the cut is not"),
        pytest.param(5, 10, False, id="nor one that was undone before"),
        pytest.param(5, 20, True, id="but one that was undone later is"),
    ],
)
def test_a_summary_tells_of_what_counted_when_it_was_made(
    began: int, undone_at: int | None, told: bool
) -> None:
    turn = Turn("t1", "s1", HEARD, began, 0, undone_at=undone_at)
    assert Summary(12, "They talked.", through=8).tells_of(turn) is told


@pytest.mark.parametrize(("text", "tokens"), [("", 4), ("word" * 10, 14), ("語" * 4, 7)])
def test_a_token_is_about_four_bytes(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


@pytest.mark.parametrize(
    ("earlier", "later", "seconds"),
    [
        ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z", 0.0),
        ("2026-01-01T00:00:59.500Z", "2026-01-01T00:01:01.000Z", 1.5),
        ("2026-01-01T00:01:00.000Z", "2026-01-01T00:00:00.000Z", 0.0),
        ("2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z", 3600.0),
    ],
)
def test_time_passes_forward_and_in_no_leaps(earlier: str, later: str, seconds: float) -> None:
    assert seconds_between(earlier, later) == seconds
    assert seconds_between(earlier, later, measured=0.25) == 0.25


@pytest.mark.parametrize(
    ("decision", "remembered"),
    [
        pytest.param(None, (), id="not ruled on"),
        pytest.param(APPROVED, (), id="allowed once"),
        pytest.param(
            replace(APPROVED, remember="session"), (("bash", "execute"),), id="allowed for good"
        ),
        pytest.param(Decision("c1", "reject", remember="session"), (), id="rejected"),
    ],
)
def test_a_turn_remembers_what_was_allowed_for_the_session(
    decision: Decision | None, remembered: tuple[tuple[str, str], ...]
) -> None:
    turn = Turn("t1", "s1", HEARD, 1, 0, calls={"c1": CallState(MADE, decision=decision)})
    assert turn.remembered == remembered
