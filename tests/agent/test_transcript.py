"""The messages that a model is shown: every call with its result, nothing that was undone."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.conversation import Message
from agent.history import History, Summary, estimate_tokens
from agent.protocol import AssistantMessage, UserMessage
from agent.transcript import LONGEST_MESSAGE, Transcript, blocks, clip, messages, size_of
from tests.agent.logs import Log, call
from tests.agent.play import MARK, Play, plays

TWO_CALLS = Log().begin().reply("Look.", call("c1"), call("c2")).start("c1", "c2")
THREE_TALKS = (
    Log().talk("t1", "First.", "One.").talk("t2", "Second.", "Two.").talk("t3", "Third.", "Three.")
)


def said(log: Log) -> list[tuple[str, str]]:
    """(role, text) of what follows the system prompt."""
    shown = messages(log.history, "You are kind.")
    assert shown[0] == Message("system", "You are kind.")
    return [(m.role, m.text) for m in shown[1:]]


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        pytest.param(Log(), [], id="nothing was said"),
        pytest.param(
            Log().talk("t1", "Hi.", "Hello."), [("user", "Hi."), ("assistant", "Hello.")],
            id="a question and its answer",
        ),
        pytest.param(
            Log().begin(text="Hi.").queue("q1", "steer").join("q1", "Quick!"),
            [("user", "Hi.\n\nQuick!")], id="what people say in a row is one message",
        ),
        pytest.param(
            Log().begin(text="Hi.").reply("Wait").note("plan_open", "Go on."),
            [("user", "Hi."), ("assistant", "Wait"), ("user", "[Note from Mooring] Go on.")],
            id="a note comes after the reply",
        ),
        pytest.param(
            Log().begin(text="Hi.").reply("").reply("Done."),
            [("user", "Hi."), ("assistant", "Done.")],
            id="a reply of reasoning alone is left out",
        ),
        pytest.param(
            Log().talk("t1", "Hi.", "Hello.").talk("t2").undo("t2"),
            [("user", "Hi."), ("assistant", "Hello.")], id="what was undone is left out",
        ),
        pytest.param(
            TWO_CALLS.output("c2", "second").output("c1", "first"),
            [("user", "Do it."), ("assistant", "Look."), ("tool", "first"), ("tool", "second")],
            id="results in the order of the calls, however they came",
        ),
        pytest.param(
            TWO_CALLS.output("c1").note("repetition", "Stop.").output("c2"),
            [("user", "Do it."), ("assistant", "Look."), ("tool", "done"), ("tool", "done"),
             ("user", "[Note from Mooring] Stop.")],
            id="nothing parts a reply from its results",
        ),
        pytest.param(
            TWO_CALLS,
            [("user", "Do it."), ("assistant", "Look."), ("tool", "(no result)"),
             ("tool", "(no result)")],
            id="a call without a result still has a message",
        ),
        pytest.param(
            THREE_TALKS.compact(9, "Both."),
            [("user", "First.\n\n[Summary of the conversation so far]\nBoth.\n\nThird."),
             ("assistant", "Three.")],
            id="a summary stands behind the first message",
        ),
        pytest.param(
            Log().talk("t1", "First.").begin("t2", "Second.").run(call(), text="Look.")
            .compact(13, "All."),
            [("user", "First.\n\n[Summary of the conversation so far]\nAll.\n\nSecond.")],
            id="the message that is being answered is told again",
        ),
        pytest.param(
            Log().talk("t1", "First.").job("ada/j1", "c1").over().woken().reply("It is over."),
            [("user", "First."), ("assistant", "Done."),
             ("user", "[Note from Mooring] ada/j1 has ended."), ("assistant", "It is over.")],
            id="a job's end stands where a person might have spoken",
        ),
        pytest.param(
            Log().talk("t1", "First.").job("ada/j1", "c1").over().woken().run(call())
            .compact(14, "A."),
            [("user", "First.\n\n[Summary of the conversation so far]\nA."
              "\n\n[Note from Mooring] ada/j1 has ended.")],
            id="the end that is being answered is told again",
        ),
        pytest.param(
            Log().begin(text="First.").run(call()).compact(7, "All."),
            [("user", "First.\n\n[Summary of the conversation so far]\nAll.")],
            id="the first is not told twice",
        ),
    ],
)  # fmt: skip
def test_the_model_is_shown(log: Log, shown: list[tuple[str, str]]) -> None:
    assert said(log) == shown


def test_a_call_is_shown_as_it_ran() -> None:
    edited = {"decision": "approve", "arguments": {"command": "pwd"}}
    log = Log().begin().reply("", call("c1", arguments={"command": "rm"})).ask("c1")
    made = messages(log.rule(c1=edited).history, "")[2].calls
    assert [(c.id, c.arguments) for c in made] == [("c1", {"command": "pwd"})]


def test_attached_files_are_named() -> None:
    said = UserMessage("t1", "s1", "Read it.", "ann", attachments=("a.csv", "b.csv"))
    text = messages(Log().add(said).history, "")[1].text
    assert text == "Read it.\n\n[Attached files in the workspace: a.csv, b.csv]"


def test_a_summary_can_be_tried_before_it_is_recorded() -> None:
    history = THREE_TALKS.history
    shown = messages(history, "", Summary(history.head + 1, "Both.", through=9))
    assert shown == messages(THREE_TALKS.compact(9, "Both.").history, "")


LONG = "word" * (LONGEST_MESSAGE + 100)


@pytest.mark.parametrize(
    "log",
    [
        pytest.param(Log().begin(text=LONG), id="of a person"),
        pytest.param(Log().begin().reply(LONG), id="of the model"),
        pytest.param(Log().begin().run(call(), output=LONG), id="of a tool"),
        pytest.param(Log().begin().run(call(arguments={"content": LONG, "n": 1})), id="to a tool"),
    ],
)
def test_a_long_message_is_cut(log: Log) -> None:
    assert LONGEST_MESSAGE - 50 < size_of(messages(log.history, "")) <= LONGEST_MESSAGE + 50


def test_a_text_that_is_cut_says_how_much_is_missing() -> None:
    cut = clip("a" * 1000 + "b" * 3000, 140)
    head, note, tail = cut.split("\n")
    assert (head, tail) == ("a" * 100, "b" * 300)
    assert note.startswith("[... 3600 characters left out here")


def test_a_short_text_is_left_alone() -> None:
    assert clip("short", 40) == "short"


@given(st.text(st.characters(codec=None), max_size=400).map(lambda t: t * 5), st.integers(40, 400))
def test_a_text_is_cut_to_the_tokens_it_may_take(text: str, tokens: int) -> None:
    assert estimate_tokens(clip(text, tokens)) <= tokens


def test_the_size_counts_what_is_said_and_what_tools_are_told() -> None:
    history = Log().begin(text="word" * 6).reply("", call(arguments={"a": "b"})).history
    system, heard, asked = size_of(messages(history, "")[:1]), 10, 4 + estimate_tokens("{'a': 'b'}")
    assert size_of(messages(history, "")) == system + heard + asked + estimate_tokens("(no result)")


@given(plays())
def test_every_call_has_one_result_behind_its_reply_in_the_order_of_the_calls(play: Play) -> None:
    shown = list(messages(play.history, "You are kind."))
    while shown:
        message = shown.pop(0)
        results = [shown.pop(0) for _ in message.calls]
        assert [r.call for r in results] == [c.id for c in message.calls]
        assert all(r.role == "tool" for r in results)
        assert message.role != "tool"


@given(plays())
def test_people_and_model_take_turns(play: Play) -> None:
    roles = [m.role for m in messages(play.history, "")]
    assert not any(a == b == "user" for a, b in pairwise(roles))
    assert roles.count("system") == 1


@given(plays())
def test_the_model_knows_of_all_that_counts_and_of_nothing_else(play: Play) -> None:
    """A summary here repeats every mark it was shown, so what it tells of can be traced."""
    shown = marks(m.text for m in messages(play.history, ""))
    counting = marks(
        text
        for turn in play.history.counting
        for entry in turn.entries
        for text in (getattr(entry.event, "text", ""), getattr(entry.event, "output", ""))
    )
    assert shown == counting


@given(plays(), st.integers(1, 9))
def test_a_transcript_that_grows_with_its_history_says_what_a_new_one_says(
    play: Play, asked_each: int
) -> None:
    history = History()
    transcript = Transcript(history)
    for entry in play.entries:
        history.apply(entry)
        if entry.seq % asked_each == 0:
            assert transcript.messages("") == messages(history, "")
    assert transcript.messages("") == messages(history, "")


def test_what_is_behind_is_told_once() -> None:
    log = THREE_TALKS.begin("t4").reply("Look.", call("c1")).start("c1").output("c1").reply("Now.")
    transcript = Transcript(log.history)
    before, after = transcript.messages(""), transcript.messages("")
    assert before == after
    new = [b for a, b in zip(before, after, strict=True) if a is not b]
    assert [m.text for m in new] == ["", "Now."]  # the system prompt and what may still change


@given(plays())
def test_blocks_hold_everything_once_and_begin_with_who_spoke(play: Play) -> None:
    entries = list(play.history.shown())
    found = list(blocks(entries))
    assert [e for block in found for e in block] == entries
    assert all(isinstance(b[0].event, UserMessage | AssistantMessage) for b in found)
    assert not any(
        isinstance(e.event, UserMessage | AssistantMessage) for block in found for e in block[1:]
    )


def marks(texts: Iterable[str]) -> set[str]:
    return {mark for text in texts for mark in MARK.findall(text)}
