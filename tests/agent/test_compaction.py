"""Where a long conversation is cut, and what the model is asked to sum up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.compaction import INSTRUCTION, REQUEST_PART, cut_point, summary_request
from agent.history import History, Summary
from agent.protocol import AssistantMessage, ToolCall, ToolOutput
from agent.transcript import messages, size_of
from tests.agent.logs import Log, call, numbered
from tests.agent.play import Play, plays

ROOM = 10_000
FOUR_TALKS = Log().talk("t1").talk("t2").talk("t3").talk("t4")
"""Turns of five events from seq 2 on: their messages are at 2, 7, 12, 17, replies 2 later."""
WORKING = Log().begin().run(call("c1")).run(call("c2")).run(call("c3")).run(call("c4"))
"""One turn of a message (2) and replies at 4, 9, 14, 19, each answered 4 later."""
LONG = "word" * 2_000


@pytest.mark.parametrize(
    ("log", "through"),
    [
        pytest.param(Log(), None, id="nothing was said"),
        pytest.param(Log().begin(), None, id="nothing was answered"),
        pytest.param(Log().talk("t1"), 4, id="one talk is summed up whole"),
        pytest.param(Log().talk("t1").talk("t2"), 4, id="of two talks the second stays"),
        pytest.param(FOUR_TALKS, 4, id="five messages stay, back to one of a person"),
        pytest.param(FOUR_TALKS.talk("t5"), 9, id="and not more"),
        pytest.param(WORKING, 8, id="within a turn a reply stays with its result"),
        pytest.param(WORKING.run(call("c5")).run(call("c6")), 8, id="and five replies stay"),
        pytest.param(FOUR_TALKS.undo("t4"), 4, id="what was undone is no message"),
        pytest.param(FOUR_TALKS.compact(9), 14, id="what is summed up already is not again"),
        pytest.param(FOUR_TALKS.compact(19), None, id="nothing came after the last summary"),
        pytest.param(
            Log().talk("t1").talk("t2", answer=LONG).talk("t3", answer=LONG)
            .talk("t4", answer=LONG),
            9, id="fewer stay where they would fill half of the window",
        ),
        pytest.param(
            Log().talk("t1").begin("t2").run(call(), output=LONG * 4), 13,
            id="nothing stays where even the last would",
        ),
    ],
)  # fmt: skip
def test_a_conversation_is_cut(log: Log, through: int | None) -> None:
    assert cut_point(log.history, ROOM) == through


def test_the_model_is_asked_to_sum_up_what_is_cut_off() -> None:
    log = (
        Log().begin(text="Find it.").run(call(arguments={"command": "ls"}), text="Look.")
        .note("repetition", "Stop.").reply("Found.")
    )  # fmt: skip
    asked = summary_request(log.history, 100, ROOM)
    assert [(m.role, m.text) for m in asked] == [
        ("system", INSTRUCTION),
        (
            "user",
            "User: Find it.\n\nAssistant: Look.\n\nCall of bash: {'command': 'ls'}\n\n"
            "Result (ok): done\n\nNote: Stop.\n\nAssistant: Found.",
        ),
    ]


def test_an_earlier_summary_is_summed_up_with_what_followed() -> None:
    log = Log().talk("t1").talk("t2", "Second.", "Two.").talk("t3").compact(6, "One.")
    text = summary_request(log.history, 11, ROOM)[1].text
    assert text == "[Earlier summary]\nOne.\n\nUser: Second.\n\nAssistant: Two."


@given(plays(), st.sampled_from([500, 2_000, 100_000]))
def test_a_cut_never_parts_a_call_from_its_result(play: Play, limit: int) -> None:
    through = cut_point(play.history, limit) or 0
    events = [e.event for e in play.entries]
    made = {e.call for e in events[:through] if isinstance(e, ToolCall)}
    answered = {e.call for e in events[:through] if isinstance(e, ToolOutput)}
    later = {e.call for e in events[through:] if isinstance(e, ToolOutput)}
    assert answered <= made
    assert not made & later


@given(plays(), st.sampled_from([500, 2_000, 100_000]))
def test_what_stays_fits_unless_nothing_stays(play: Play, limit: int) -> None:
    history = play.history
    if (through := cut_point(history, limit)) is not None:
        stays = size_of(messages(history, "", Summary(history.head + 1, "", through)))
        assert stays <= limit // 2 or through == max(e.seq for e in history.shown())


@given(plays(), st.sampled_from([500, 2_000, 100_000]))
def test_the_request_for_a_summary_fits_into_the_window(play: Play, limit: int) -> None:
    asked = summary_request(play.history, play.history.head, limit)
    assert size_of(asked[1:]) <= limit * REQUEST_PART


@given(plays())
def test_summing_up_comes_to_an_end(play: Play) -> None:
    """Each summary takes in a reply that the one before did not; then there is nothing to win."""
    entries = list(play.entries)
    replies = sum(isinstance(e.event, AssistantMessage) for e in entries)
    for _ in range(replies + 1):
        through = cut_point(History(entries), ROOM)
        if through is None:
            break
        entries += numbered(Log(()).compact(through).events, len(entries))
    assert cut_point(History(entries), ROOM) is None
