"""What is appended to a log that ends in the middle of something."""

from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.edges import UNKNOWN
from agent.history import History
from agent.protocol import (
    AnyEvent,
    AssistantMessage,
    Notice,
    SessionEnded,
    ToolOutput,
    TurnEnded,
    TurnError,
    TurnStarted,
    UserInput,
    UserMessage,
)
from agent.recovery import CUT_SHORT, Draft, Interruption, recover
from tests.agent import naive
from tests.agent.logs import Log, call, numbered
from tests.agent.play import Play, plays

LOST = TurnError("store_failed", "The disk is full.", retryable=True)
RESTARTED = TurnEnded("t1", "interrupted", "server_restart")
CALLING = Log().begin().reply("", call("c1"), call("c2"))


def recovered(log: Log, *drafts: Draft, why: Interruption | None = None) -> tuple[AnyEvent, ...]:
    numbers = count(100)
    return recover(log.history, drafts, lambda p: f"{p}{next(numbers)}", why or Interruption())


def unstarted(call: str) -> ToolOutput:
    return ToolOutput("t1", call, "cancelled", CUT_SHORT, False, len(CUT_SHORT), 0.0)


def unknown(call: str) -> ToolOutput:
    return ToolOutput("t1", call, "unknown", UNKNOWN, False, len(UNKNOWN), 0.0)


@pytest.mark.parametrize(
    ("log", "appended"),
    [
        pytest.param(Log(), (), id="a new session lacks nothing"),
        pytest.param(Log().talk("t1"), (), id="nor does one at rest"),
        pytest.param(CALLING.ask("c1"), (), id="a question stays asked"),
        pytest.param(
            CALLING.ask("c1", "c2").rule(c1="approve"), (), id="also when half of it is ruled on"
        ),
        pytest.param(
            Log().begin().add(SessionEnded("shutdown")), (), id="what ended is left alone"
        ),
        pytest.param(Log().begin(), (RESTARTED,), id="an open turn ends"),
        pytest.param(
            CALLING, (unstarted("c1"), unstarted("c2"), RESTARTED), id="calls that had not started"
        ),
        pytest.param(
            CALLING.ask("c1").rule(c1="approve"), (unstarted("c1"), unstarted("c2"), RESTARTED),
            id="approved ones too, are cancelled",
        ),
        pytest.param(
            CALLING.start("c1", "c2"), (unknown("c1"), unknown("c2"), RESTARTED),
            id="of started ones nobody knows",
        ),
        pytest.param(
            CALLING.start("c1", "c2").output("c1"), (unknown("c2"), RESTARTED),
            id="an answer stands",
        ),
        pytest.param(
            Log().add(UserMessage("t1", "s1", "Hi.", "ann")),
            (TurnStarted("t1", "s1", "m1"), RESTARTED), id="a turn starts before it ends",
        ),
        pytest.param(
            Log().queue("q1"),
            (Notice("compaction_stopped", "The compaction was cut short; nothing was compacted."),),
            id="input that waited for a compaction is held",
        ),
        pytest.param(
            Log().begin().queue("q1").end("failed"), (), id="input is not held twice"
        ),
    ],
)  # fmt: skip
def test_a_log_that_ends_anywhere_is_mended(log: Log, appended: tuple[AnyEvent, ...]) -> None:
    assert recovered(log) == appended


def test_a_turn_fails_where_the_store_did() -> None:
    assert recovered(Log().begin(), why=Interruption(error=LOST)) == (
        TurnEnded("t1", "failed", None, LOST),
    )


def test_a_half_said_sentence_is_kept() -> None:
    assert recovered(
        Log().begin(),
        Draft("t1", "i9", "reasoning", "They want"),
        Draft("t1", "i9", "text", "I wi"),
    ) == (AssistantMessage("t1", "i9", "I wi", "They want", partial=True), RESTARTED)


@pytest.mark.parametrize(
    "draft",
    [
        pytest.param(Draft("t0", "i0", "text", "Old."), id="of another turn"),
        pytest.param(Draft("t1", "i3", "text", "Lo"), id="of a sentence that was finished"),
    ],
)
def test_a_draft_is_left_out(draft: Draft) -> None:
    log = Log().begin().reply("Look.")
    assert next(e for e in log.events if isinstance(e, AssistantMessage)).item == "i3"
    assert recovered(log, draft) == (RESTARTED,)


def test_what_a_call_printed_is_kept() -> None:
    answers = recovered(CALLING.start("c1"), Draft("t1", "c1", "tool_log", "step 1"))
    text = f"step 1\n{UNKNOWN}"
    assert answers[0] == ToolOutput("t1", "c1", "unknown", text, False, len(text), 0.0)


def test_what_a_call_printed_is_cut_like_any_output() -> None:
    printed = "x" * 200_000
    output = recovered(CALLING.start("c1"), Draft("t1", "c1", "tool_log", printed))[0]
    assert isinstance(output, ToolOutput)
    assert (output.truncated, output.size) == (True, len(printed) + 1 + len(UNKNOWN))
    assert len(output.output) <= 25_000
    assert output.output.endswith(UNKNOWN)


# ---- laws: of every log that chance plays, cut anywhere ------------------------------------------


@st.composite
def crashes(draw: st.DrawFn) -> tuple[Play, int, list[Draft]]:
    """A session that was played, where its log ends, and what was kept of its open texts."""
    play = draw(plays())
    at = draw(st.integers(1, len(play.entries)))
    turn = History(play.entries[:at]).open_turn
    drafts = []
    if turn is not None:
        running = [Draft(turn.id, c, "tool_log", "Half.") for c in turn.calls]
        drafts = draw(st.lists(st.sampled_from(running), unique=True)) if running else []
        drafts += draw(st.sampled_from([[], [Draft(turn.id, "i-open", "text", "Half")]]))
    return play, at, drafts


def mended(play: Play, at: int, drafts: Sequence[Draft]) -> list[AnyEvent]:
    prefix = play.entries[:at]
    return [
        *(e.event for e in prefix),
        *recover(History(prefix), drafts, play.new_id, Interruption()),
    ]


@given(crashes())
def test_what_was_in_the_log_stays_and_every_promise_holds(
    crash: tuple[Play, int, list[Draft]],
) -> None:
    play, at, drafts = crash
    events = mended(play, at, drafts)
    assert events[:at] == [e.event for e in play.entries[:at]]
    assert naive.complaints(events) == []
    assert naive.state(events) in ("idle", "awaiting_approval", "ended")


@given(crashes())
def test_recovering_twice_adds_nothing(crash: tuple[Play, int, list[Draft]]) -> None:
    history = History(numbered(tuple(mended(*crash))))
    assert recover(history, crash[2], crash[0].new_id) == ()


@given(crashes())
def test_nothing_that_waits_is_lost_and_nothing_begins_by_itself(
    crash: tuple[Play, int, list[Draft]],
) -> None:
    play, at, drafts = crash
    before, after = History(play.entries[:at]), History(numbered(tuple(mended(play, at, drafts))))
    assert list(after.queue) == list(before.queue)
    assert list(after.turns) == list(before.turns)
    assert after.held == bool(after.queue) or after.state != "idle"


@given(crashes())
def test_no_call_is_started_and_what_may_have_run_is_unknown(
    crash: tuple[Play, int, list[Draft]],
) -> None:
    play, at, drafts = crash
    before = History(play.entries[:at])
    for event in mended(play, at, drafts)[at:]:
        assert isinstance(event, TurnStarted | AssistantMessage | ToolOutput | TurnEnded | Notice)
        if isinstance(event, ToolOutput):
            call = before.find_call(event.call)
            assert call is not None
            assert event.status == ("unknown" if call.started else "cancelled")


@given(crashes())
def test_a_session_that_was_mended_goes_on(crash: tuple[Play, int, list[Draft]]) -> None:
    play, at, drafts = crash
    again = Play(lambda limit: 0)
    again.commit(*mended(play, at, drafts)[1:])
    heard = again.submit(UserInput("after", "Are you there?"))
    assert heard or again.history.ended
    assert again.history.state in ("running", "ended")
    assert naive.complaints([e.event for e in again.entries]) == []
