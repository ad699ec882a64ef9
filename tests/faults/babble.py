"""Models that misbehave at every point of a stream, both adapters; turns end truthfully."""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from itertools import product

from msgspec import Struct

from tests.faults.report import Report
from tests.faults.soak import figures, grown
from tests.faults.talk import AFTERWARDS
from tests.faults.trial import judge_log
from tests.model_server import CallScript, Gate, Reply, Seen, Tokens, Wire, chunk
from tests.oracle import Broken, Frame
from tests.stories.scene import Story, bash

ADAPTERS = {"native": "openai/test-model", "litellm": "hosted_vllm/test-model"}
ARGUMENTS = ("--model", ADAPTERS["litellm"])
"""The other one is found at the same address without being named."""
CONFIG: Frame = {
    "limits": {"running_turns_per_user": 100},
    "retry": {"timeout_seconds": 6, "transient_seconds": [0.02]},
}
"""Some of them never end, and who is only slow has ended by then; three requests of a turn are as
good as more."""
ENDS_WITHIN = 180.0
AT_ONCE = 12
SAID = tuple(
    Reply(text="Well, let me see.", reasoning="Hm, hm.", calls=[bash("echo hi")]).content()
)
"""What they would have said; a place is a number of these chunks, from none to all of them."""
PLACES = range(len(SAID) + 1)
EVERY = len(PLACES)
MIB = 1024 * 1024


class Misbehaviour(Struct, frozen=True):
    """`reply` makes what is said when it goes wrong behind so many chunks."""

    name: str
    reply: Callable[[int], Reply]


def saying(name: str, *strange: Frame | bytes, goes_on: bool = True) -> Misbehaviour:
    """Between what is right something strange."""

    def reply(place: int) -> Reply:
        rest = SAID[place:] if goes_on else ()
        return Reply(raw=[*SAID[:place], *strange, *rest], finish_reason="tool_calls")

    return Misbehaviour(name, reply)


def call(**fields: object) -> Frame:
    return chunk({"tool_calls": [fields]})


def delta(**fields: object) -> Frame:
    return chunk(fields)


def usage(**fields: object) -> Frame:
    return {**chunk({}), "choices": [], "usage": fields}


GARBLED = (
    saying("no JSON", b"data: {not json\n\n"),
    saying("JSON of another kind", b"data: [1, 2]\n\n", b'data: "text"\n\n', b"data: null\n\n"),
    saying("half a character", b'data: {"choices":[{"delta":{"content":"\xe2\x82"}}]}\n\n'),
    saying("half a surrogate", b'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n'),
    saying("zeros and bells", delta(content="a\u0000b\u0007c\u2028d")),
    saying("a huge line", b"data: " + b"x" * (9 * MIB) + b"\n\n"),
    saying("a line without an end", b"data: " + b"y" * (3 * MIB), goes_on=False),
    saying("deep JSON", b"data: " + b"[" * 50_000 + b"\n\n"),
    saying("a page of HTML", b"<html><body>busy</body></html>\n\n"),
    saying("a second status line", b"HTTP/1.1 500 Internal Server Error\r\n\r\n"),
    saying("an error object", {"error": {"message": "boom", "code": 500}}, goes_on=False),
    saying("an error event", b'event: error\ndata: {"message": "overloaded"}\n\n'),
)
SHAPES = (
    saying("no choices", {**chunk({}), "choices": []}, {"id": "x"}, {**chunk({}), "choices": None}),
    saying("choices that are none", {**chunk({}), "choices": "many"}),
    saying("a delta that is a list", {**chunk({}), "choices": [{"index": 0, "delta": [1]}]}),
    saying("content that is a number", delta(content=7)),
    saying("content that is an object", delta(content={"text": "hi"})),
    saying("a call without a name", call(index=5, id="n", function={"arguments": "{}"})),
    saying("a call of nothing", call(), call(index=None, id=None, function=None)),
    saying("an index below zero", call(index=-1, id="m", function={"name": "bash"})),
    saying("an index that is a word", call(index="x", id="w", function={"name": "bash"})),
    saying("an index out of reach", call(index=10**9, id="r", function={"name": "bash"})),
    saying(
        "arguments that are an object",
        call(index=6, id="o", function={"name": "bash", "arguments": {"command": "true"}}),
    ),
    saying("calls that are a word", delta(tool_calls="bash")),
    saying("usage below zero", usage(prompt_tokens=-5, completion_tokens=-1)),
    saying("usage that is a word", usage(prompt_tokens="many", completion_tokens=None)),
    saying("usage without bounds", usage(prompt_tokens=10**30, completion_tokens=2)),
    saying("an unknown reason", chunk({}, "because")),
    saying("a reason twice", chunk({}, "stop"), chunk({}, "stop")),
    saying("words behind the reason", chunk({}, "stop"), delta(content=" And more.")),
    saying("an end mark too early", b"data: [DONE]\n\n"),
    saying("reasoning without an end", *[delta(reasoning_content="Hm. ")] * 100_000, goes_on=False),
)
WHOLE = (
    Misbehaviour("a cut", lambda k: Reply(raw=SAID, cut_after=k)),
    Misbehaviour("a stall", lambda k: Reply(raw=SAID, hold={k: Gate()})),
    Misbehaviour("no finish reason", lambda k: Reply(raw=SAID[:k], tail=False)),
    Misbehaviour(
        "an end without a word", lambda k: Reply(raw=SAID[:k], tail=False, wire=Wire(done=False))
    ),
    Misbehaviour("no usage", lambda k: Reply(raw=SAID[:k], usage=None)),
    Misbehaviour("usage of nothing", lambda k: Reply(raw=SAID[:k], usage=Tokens(0, 0, 0))),
    Misbehaviour("a wrong reason", lambda k: Reply(raw=SAID[:k], finish_reason="content_filter")),
    Misbehaviour(
        "another content type", lambda k: Reply(raw=SAID[:k], headers={"Content-Type": "text/html"})
    ),
    Misbehaviour("no gzip", lambda k: Reply(raw=SAID[:k], headers={"Content-Encoding": "gzip"})),
    Misbehaviour("an empty body", lambda k: Reply(status=(200, 204, 500, 503, 418)[k % 5])),
    Misbehaviour(
        "a redirect in circles",
        lambda k: Reply(status=(301, 302, 303, 307, 308)[k % 5], headers={"Location": "?again"}),
    ),
    Misbehaviour("nothing", lambda k: Reply(hang_up=True)),
    Misbehaviour(
        "the same id for all calls",
        lambda k: Reply(calls=[CallScript("bash", {"command": "true"}, id="same")] * (k + 2)),
    ),
    Misbehaviour(
        "calls of what is not there", lambda k: Reply(calls=[CallScript("rm -rf", "{}")] * (k + 1))
    ),
)
MISBEHAVIOURS = (*GARBLED, *SHAPES, *WHOLE)


def cases(
    some: Sequence[Misbehaviour], places: int, chance: random.Random
) -> Iterator[tuple[Misbehaviour, int, str]]:
    """Each misbehaviour with every adapter, at so many places that chance gives, or at all."""
    for misbehaviour, adapter in product(some, ADAPTERS):
        for place in chance.sample(PLACES, places):
            yield misbehaviour, place, adapter


async def babble(
    story: Story,
    chance: random.Random,
    report: Report,
    places: int = EVERY,
    some: Sequence[Misbehaviour] = MISBEHAVIOURS,
) -> None:
    """All of it, several at once; behind it the server is as it was."""
    story.model.fresh()
    table = list(cases(some, places, chance))

    def answer(seen: Seen) -> Reply | None:
        last = seen.messages[-1]
        if last["role"] != "user" or not seen.body.get("tools"):
            return None
        words = str(last["content"]).split()
        if AFTERWARDS in str(last["content"]) or words[:1] != ["Case"]:
            return None
        misbehaviour, place, _ = table[int(words[1])]
        return misbehaviour.reply(place)

    story.model.answer = answer
    for model in ADAPTERS.values():  # what is loaded and kept at hand is there when it is measured
        await _go_on(story, model)
        await asyncio.gather(*(_go_on(story, model) for _ in range(AT_ONCE)))
    before = await figures(story, 0)
    turnstile = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with turnstile:
            try:
                async with AsyncExitStack() as stack:
                    mine = Story(story.server, story.model, stack)
                    await mine.connect()
                    await _case(mine, number, *table[number], report)
            except Broken as broken:
                misbehaviour, place, adapter = table[number]
                report.find("broken", f"{misbehaviour.name} behind {place}, {adapter}: {broken}")

    async with asyncio.TaskGroup() as group:
        for number in range(len(table)):
            group.create_task(one(number))
    async with asyncio.timeout(ENDS_WITHIN):
        await story.model.quiet()
    for growth in await grown(story, before):
        report.find("leaked", growth)


async def _go_on(story: Story, model: str) -> None:
    session = await story.api.session(model=model)
    viewer = await story.join(session)
    assert (await story.turn(viewer, AFTERWARDS))["status"] == "completed"
    await viewer.leave()


async def _case(
    story: Story, number: int, misbehaviour: Misbehaviour, place: int, adapter: str, report: Report
) -> None:
    report.tried[f"models that misbehave, {adapter}"] += 1
    what = f"{misbehaviour.name} behind {place}, {adapter}"
    session = await story.api.session(model=ADAPTERS[adapter])
    viewer = await story.join(session)
    viewer.connection.lagged = misbehaviour.name == "reasoning without an end"
    answer = await viewer.say(f"Case {number}")
    started = await viewer.until("turn_started", submission=answer["id"])
    ended = await viewer.until("turn_ended", turn=started["turn"], within=ENDS_WITHIN)
    if ended["status"] not in ("completed", "failed", "limit"):
        report.find("untrue", f"{what}: {ended}")
    told = str(ended.get("error", {}).get("message", "a message"))
    if not told or "Traceback" in told or ended.get("error", {}).get("code") == "internal_error":
        report.find("untrue", f"{what}: {ended}")
    if (again := await story.turn(viewer, AFTERWARDS))["status"] != "completed":
        report.find("stuck", f"{what}: {again}")
    stored = await story.api.events(session)
    judge_log(report, stored)
    report.seen(viewer.events, stored, whole=True)
    report.checked["sessions that went on"] += 1
