"""A reply as it comes in, and the events it is made into."""

import pytest

from agent.approval import Rule, Rules
from agent.conversation import Message
from agent.history import History
from agent.journal import GrowthKind
from agent.models.port import CallFragment, Finished, Piece, Reasoning, Text, Used
from agent.nesting import DEEPEST
from agent.protocol import (
    AnyEvent,
    ApprovalRequired,
    AssistantMessage,
    JsonObject,
    Notice,
    ToolCall,
    Usage,
)
from agent.reply import Reply, reply_events
from agent.tools.port import Stakes
from tests.agent.doubles import Ids
from tests.agent.logs import Log, rules
from tests.agent.memory_journal import GrowingText

USAGE = Usage("m1", 10, 2, 0, None, "main", "t1")
ASKED = (Message("system", "x" * 40), Message("user", "y" * 80))
"""14 and 24 tokens, as they are estimated."""
HISTORY = Log().begin("t1").history


class Screen:
    """What viewers see."""

    def __init__(self) -> None:
        self.texts: dict[tuple[GrowthKind, str], GrowingText] = {}

    def open(self, kind: GrowthKind, item: str) -> GrowingText:
        assert (kind, item) not in self.texts
        self.texts[kind, item] = GrowingText("t1")
        return self.texts[kind, item]

    @property
    def shown(self) -> dict[tuple[GrowthKind, str], str]:
        return {key: text.shown for key, text in self.texts.items()}


def taken(*pieces: Piece, screen: Screen | None = None) -> Reply:
    reply = Reply("i1", (screen or Screen()).open)
    for piece in pieces:
        reply.take(piece)
    return reply


def stakes_of(tool: str, arguments: JsonObject) -> Stakes:
    return Stakes("publish", 0.5) if tool == "publish" else Stakes("read")


def events(reply: Reply, history: History = HISTORY, by: Rules | None = None) -> list[AnyEvent]:
    made = reply_events(
        reply,
        history,
        by or rules(),
        usage=USAGE,
        turn="t1",
        new_id=Ids(),
        stakes_of=stakes_of,
    )
    return list(made)


def made_of(text: str) -> ToolCall:
    """The call whose arguments were written as this text."""
    call = events(taken(CallFragment(0, "echo", text), Finished()))[2]
    assert isinstance(call, ToolCall)
    return call


def test_text_and_reasoning_are_shown_as_they_come_and_opened_once() -> None:
    screen = Screen()
    taken(Reasoning("Hm"), Text("One "), Reasoning("."), Text("two."), screen=screen)
    assert screen.shown == {("reasoning", "i1"): "Hm.", ("text", "i1"): "One two."}


def test_nothing_is_opened_before_there_is_something_to_show() -> None:
    screen = Screen()
    reply = taken(CallFragment(0, "echo", "{}"), Used(1, 1), Finished(), screen=screen)
    assert screen.shown == {}
    assert not reply.was_shown


@pytest.mark.parametrize("piece", [Text("Half a "), Reasoning("Hm")])
def test_a_reply_was_shown_once_a_piece_of_it_was(piece: Piece) -> None:
    assert taken(piece).was_shown


def test_half_a_reply_is_a_message_cut_short() -> None:
    reply = taken(Reasoning("Hm."), Text("Half a "))
    assert reply.message("t1", partial=True) == AssistantMessage("t1", "i1", "Half a ", "Hm.", True)


def test_a_whole_reply_is_one_commit() -> None:
    reply = taken(Text("Done."), Used(10, 2), Finished())
    assert events(reply) == [AssistantMessage("t1", "i1", "Done."), USAGE]


def test_calls_are_put_together_by_their_index_and_come_in_its_order() -> None:
    reply = taken(
        CallFragment(1, "second", '{"b"'),
        CallFragment(0, "first", '{"a": 1}'),
        CallFragment(1, "", ": 2}"),
        Finished(),
    )
    message, usage, *made = events(reply)
    assert (message, usage) == (AssistantMessage("t1", "i1", ""), USAGE)
    assert made == [
        ToolCall("t1", "call1", "first", {"a": 1}, "read"),
        ToolCall("t1", "call2", "second", {"b": 2}, "read"),
    ]


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("", {}),
        (" \n", {}),
        ("{}", {}),
        ('{"n": 123456789012345678901234567890}', {"n": 123456789012345678901234567890}),
        ('{"text": "\\u00e9\\n"}', {"text": "é\n"}),
    ],
)
def test_arguments_are_an_object(text: str, arguments: JsonObject) -> None:
    assert (made_of(text).arguments, made_of(text).malformed) == (arguments, None)


@pytest.mark.parametrize(
    "text",
    [
        "[1]",
        "null",
        '"a"',
        "{",
        '{"a": 1} and more',
        '{"a": NaN}',
        '{"a": "\\ud800"}',
        '{"a": "\ud800"}',
        '{"a": ' + "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1) + "}",
        '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}",
    ],
    ids=[
        "a list",
        "null",
        "a string",
        "cut off",
        "words behind it",
        "no number",
        "half a character",
        "half a character, raw",
        "too deep",
        "far too deep",
    ],
)
def test_what_is_no_object_is_kept_as_the_model_wrote_it(text: str) -> None:
    assert (made_of(text).arguments, made_of(text).malformed) == ({}, text)


def test_a_question_is_in_the_commit_of_the_reply() -> None:
    reply = taken(
        CallFragment(0, "publish", '{"to": "all"}'), CallFragment(1, "echo", "{}"), Finished()
    )
    required = events(reply)[-1]
    assert isinstance(required, ApprovalRequired)
    (question,) = required.calls
    assert (question.call, question.tool, question.arguments) == (
        "call1",
        "publish",
        {"to": "all"},
    )
    assert question.reason
    assert question.estimated_cost_usd == 0.5


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("nosuch", "{}"), ("publish", "["), ("publish", '{"bad": 1}'), ("deny", "{}")],
)
def test_what_would_be_refused_is_not_asked(name: str, arguments: str) -> None:
    reply = taken(CallFragment(0, name, arguments), Finished())
    found = events(reply, by=rules(Rule("deny", "deny")))
    assert [type(e) for e in found] == [AssistantMessage, Usage, ToolCall]


def test_calls_of_a_reply_that_was_truncated_are_dropped_with_a_note() -> None:
    reply = taken(Text("I wr"), CallFragment(0, "echo", '{"te'), Finished(truncated=True))
    message, usage, note = events(reply)
    assert (message, usage) == (AssistantMessage("t1", "i1", "I wr", partial=True), USAGE)
    assert isinstance(note, Notice)
    assert (note.code, note.turn) == ("truncated_output", "t1")


def test_a_truncated_reply_without_calls_needs_no_note() -> None:
    reply = taken(Text("I wr"), Finished(truncated=True))
    assert events(reply) == [AssistantMessage("t1", "i1", "I wr", partial=True), USAGE]


def test_what_was_used_is_what_the_provider_counted_or_an_estimate_of_unknown_cost() -> None:
    reply = taken(Text("Word " * 8), Reasoning("Hm. "), CallFragment(0, "echo", '{"a": 1}'))
    guess = reply.used(ASKED)
    assert (guess.input_tokens, guess.output_tokens, guess.cost_usd) == (38, 17, None)
    reply.take(Used(7, 3, 1, 0.5))
    assert reply.used(ASKED) == Used(7, 3, 1, 0.5)
