"""The demo: a tour of everything, decided by nothing but the messages."""

from collections.abc import AsyncIterator, Iterable

import msgspec
import pytest

from agent.conversation import CallMade, Message, ToolSchema
from agent.models.demo import DemoModel
from agent.models.demo_script import LABEL, NOTE, next_scene
from agent.models.port import CallFragment, Finished, ModelRequest, Piece, Text, Used
from agent.protocol import PlanItem
from agent.tools.files import ReadArguments, WriteArguments
from agent.tools.plan import PlanArguments
from agent.tools.shell import BashArguments
from tests.agent.models.hearing import hear

ACCEPTED = {
    "bash": BashArguments,
    "plan": PlanArguments,
    "read": ReadArguments,
    "write": WriteArguments,
}

TOOLS = tuple(
    ToolSchema(name, name, {"type": "object"}) for name in ("bash", "read", "write", "plan")
)


async def at_once(seconds: float) -> None:
    pass


def request(*messages: Message, tools: tuple[ToolSchema, ...] = TOOLS) -> ModelRequest:
    return ModelRequest("demo", (Message("system", "You are."), *messages), tools)


async def said(asked: ModelRequest) -> list[Piece]:
    return [piece async for piece in DemoModel(sleep=at_once).stream(asked)]


def text_of(pieces: Iterable[Piece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, Text))


async def conversation(
    first: str, *, rejected: str = "", results: str = "done"
) -> AsyncIterator[tuple[str, list[CallMade]]]:
    """Play a whole turn: each reply's text and calls; a call of `rm` meets `rejected`."""
    messages = [Message("user", first)]
    for turn in range(20):
        scene = next_scene(messages)
        calls = [
            CallMade(f"{turn}-{index}", act.tool, act.arguments)
            for index, act in enumerate(scene.acts)
        ]
        yield scene.text, calls
        if not calls:
            return
        messages.append(Message("assistant", scene.text, tuple(calls)))
        for call in calls:
            refused = rejected and call.arguments.get("command", "").startswith("rm ")
            messages.append(Message("tool", rejected if refused else results, call=call.id))
    raise AssertionError("the demo goes on for ever")


async def tour(**given: str) -> tuple[str, list[CallMade]]:
    texts, calls = [], []
    async for text, made in conversation("hello", **given):
        texts.append(text)
        calls += made
    return "\n".join(texts), calls


async def test_the_tour_says_that_it_is_no_ai() -> None:
    text, _ = await tour()
    assert text.startswith(LABEL)
    assert "no AI" in LABEL


async def test_the_tour_plans_writes_runs_reads_and_asks() -> None:
    _, calls = await tour()
    assert [call.tool for call in calls] == [
        "plan",
        "write",
        "bash",
        "read",
        "plan",
        "bash",
        "plan",
    ]
    assert calls[5].arguments["command"] == "rm tour-1.sh"


async def test_the_tour_closes_every_item_of_its_plan() -> None:
    _, calls = await tour()
    plans = [
        msgspec.convert(call.arguments["items"], list[PlanItem])
        for call in calls
        if call.tool == "plan"
    ]
    assert [sum(item.status == "completed" for item in plan) for plan in plans] == [0, 2, 3]


async def test_the_tour_reads_what_the_tools_printed() -> None:
    text, _ = await tour(results="1 squared is 1\n5 squared is 25\n")
    assert "`5 squared is 25`" in text


async def test_a_tool_that_prints_nothing_is_no_problem() -> None:
    text, _ = await tour(results="")
    assert "`(nothing)`" in text


async def test_a_rejection_is_heard() -> None:
    text, _ = await tour(rejected="Rejected by the user. They said: keep it")
    assert "You said no" in text
    assert "“keep it”" in text


async def test_a_rejection_without_words_is_heard_too() -> None:
    text, _ = await tour(rejected="Rejected by the user.")
    assert "You said no" in text
    assert "what you said" not in text


@pytest.mark.parametrize("word", ["approve", "Delete something, please", "APPROVAL!"])
async def test_the_approval_path_asks_to_delete(word: str) -> None:
    calls = [call async for _, made in conversation(word) for call in made]
    assert [call.tool for call in calls] == ["write", "bash"]
    assert calls[1].arguments["command"] == "rm precious-1.txt"


async def test_there_is_something_to_stop() -> None:
    calls = [call async for _, made in conversation("stop") for call in made]
    assert [call.arguments["timeout"] for call in calls] == [90]


@pytest.mark.parametrize(
    ("word", "expected"), [("markdown", "| Step | Takes |"), ("long", "120. "), ("slow", "120. ")]
)
async def test_single_replies(word: str, expected: str) -> None:
    pieces = await said(request(Message("user", word)))
    assert expected in text_of(pieces)
    assert isinstance(pieces[-1], Finished)


async def test_an_error_comes_when_asked_for_after_some_text() -> None:
    heard = await hear(DemoModel(sleep=at_once), request(Message("user", "error")))
    assert heard.text.startswith(LABEL)
    assert heard.error is not None
    assert heard.error.retryable is False


async def test_a_note_is_no_message_of_a_person() -> None:
    messages = [
        Message("user", "approve"),
        Message("assistant", "", (CallMade("1", "write", {}),)),
        Message("tool", "done", call="1"),
        Message("user", f"{NOTE} Your plan has open items."),
    ]
    assert next_scene(messages).acts[0].arguments == {
        "command": "rm precious-1.txt",
        "description": "Delete precious-1.txt",
    }


@pytest.mark.parametrize("word", ["hello", "approve", "stop"])
async def test_the_tools_accept_what_they_are_given(word: str) -> None:
    calls = [call async for _, made in conversation(word) for call in made]
    for call in calls:
        assert msgspec.convert(call.arguments, ACCEPTED[call.tool])


async def test_the_next_visit_uses_other_files() -> None:
    messages = [Message("user", "hello"), Message("assistant", "Hi."), Message("user", "approve")]
    assert next_scene(messages).acts[0].arguments["path"] == "precious-2.txt"


async def test_without_any_message_the_tour_begins() -> None:
    assert next_scene(()).acts[0].tool == "plan"


async def test_the_streamed_call_is_the_scripted_call() -> None:
    asked = request(Message("user", "stop"))
    fragments = [piece for piece in await said(asked) if isinstance(piece, CallFragment)]
    assert fragments[0] == CallFragment(0, "bash")
    arguments = msgspec.json.decode("".join(fragment.arguments for fragment in fragments))
    assert arguments == next_scene(asked.messages).acts[0].arguments


async def test_the_text_comes_in_small_pieces_with_pauses_between() -> None:
    pauses: list[float] = []

    async def note(seconds: float) -> None:
        pauses.append(seconds)

    asked = request(Message("user", "markdown"))
    pieces = [piece async for piece in DemoModel(pause=0.5, sleep=note).stream(asked)]
    texts = [piece.text for piece in pieces if isinstance(piece, Text)]
    assert "".join(texts) == next_scene(asked.messages).text
    assert pauses == [0.5] * len(texts)
    assert max(map(len, texts)) < 50


async def test_a_request_without_tools_gets_a_short_title() -> None:
    pieces = await said(request(Message("user", "hello"), tools=()))
    assert 0 < len(text_of(pieces)) < 40
    assert not any(isinstance(piece, CallFragment) for piece in pieces)


async def test_it_costs_nothing_and_says_so() -> None:
    used = next(p for p in await said(request(Message("user", "hello"))) if isinstance(p, Used))
    assert used.cost_usd == 0.0
    assert used.output_tokens > 10


async def test_the_same_messages_get_the_same_reply() -> None:
    asked = request(Message("user", "hello"))
    assert await said(asked) == await said(asked)


async def test_it_warms_and_closes() -> None:
    model = DemoModel()
    await model.warm()
    await model.close()
    assert await said(request(Message("user", "long")))
