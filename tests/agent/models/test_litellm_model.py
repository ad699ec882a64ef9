"""What litellm brings along: prices, its import, its manners."""

import asyncio
import json
import subprocess
import sys
from contextlib import aclosing
from typing import Any

import msgspec
import pytest
from aiohttp import web

from agent.conversation import CallMade, Message
from agent.models.litellm_model import CHUNKS_ON_END, LiteLLM
from agent.models.port import ModelRequest, Text
from tests.agent.models.conftest import AS_LITELLM_IS, KEY
from tests.agent.models.hearing import BASH, asking, hear
from tests.fakes.web import Web
from tests.model_server import Gate, ModelServer, Reply, Tokens, chunk

pytestmark = AS_LITELLM_IS


@pytest.mark.parametrize(
    ("model", "known"), [("openai/gpt-4o-mini", True), ("openai/nobody-knows-me", False)]
)
async def test_a_cost_is_known_or_none_but_never_made_up(
    server: ModelServer, model: str, known: bool
) -> None:
    server.play(Reply(text="hi", usage=Tokens(1000, 100)))
    adapter = LiteLLM(api_base=server.url, key=lambda: KEY)
    heard = await hear(adapter, asking(model=model))
    await adapter.close()
    assert heard.used is not None
    assert (heard.used.input_tokens, heard.used.output_tokens) == (1000, 100)
    assert (heard.used.cost_usd is not None) is known
    assert heard.used.cost_usd != 0


@pytest.mark.parametrize("place", ["start", 1])
@pytest.mark.parametrize("limit", ["request_seconds", "silence_seconds"])
async def test_a_stalled_server_times_out(server: ModelServer, place: int, limit: str) -> None:
    # Generous, because the first request of a process is slow in litellm itself.
    adapter = LiteLLM(api_base=server.url, key=lambda: KEY)
    await hear(adapter)
    server.play(Reply(text="one two three", hold={place: Gate()}))
    hasty = LiteLLM(api_base=server.url, key=lambda: KEY, **{limit: 1.5})  # type: ignore[arg-type]
    heard = await hear(hasty)
    assert heard.code == "timed_out"
    await server.client_left()
    await adapter.close()
    await hasty.close()


async def test_a_reply_without_an_end_times_out(server: ModelServer) -> None:
    adapter = LiteLLM(api_base=server.url, key=lambda: KEY)
    await hear(adapter)
    server.play(Reply(raw=[chunk({"reasoning_content": "Hm. "})] * 40_000))
    hasty = LiteLLM(api_base=server.url, key=lambda: KEY, request_seconds=0.5)
    assert (await hear(hasty)).code == "timed_out"
    await server.client_left()
    await adapter.close()
    await hasty.close()


async def test_usage_that_never_comes_is_not_awaited_for_long(server: ModelServer) -> None:
    adapter = LiteLLM(api_base=server.url, key=lambda: KEY, tail_seconds=0.05)
    said = [chunk({"content": "hi"}), chunk({}, "stop")]
    server.play(Reply(raw=said, tail=False, hold={2: Gate()}))
    heard = await hear(adapter)
    await adapter.close()
    assert (heard.code, heard.text, heard.used) == ("", "hi", None)
    assert heard.finished is not None


async def test_others_have_their_turn_while_a_whole_reply_comes_in_one_read(
    server: ModelServer,
) -> None:
    chunks = 200
    events = (msgspec.json.encode(chunk({"content": f"{n} "})) for n in range(chunks))
    server.play(Reply(raw=[b"".join(b"data: %s\n\n" % event for event in events)]))
    adapter = LiteLLM(api_base=server.url, key=lambda: KEY)
    turns = 0

    async def somebody_else() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.create_task(somebody_else())
    async with aclosing(adapter.stream(asking())) as stream:
        await anext(stream)
        before = turns
        async for piece in stream:
            if isinstance(piece, Text) and piece.text == f"{chunks - 1} ":
                break
    other.cancel()
    await adapter.close()
    assert turns - before >= chunks // CHUNKS_ON_END - 1


async def test_a_model_may_say_the_same_a_hundred_times(server: ModelServer) -> None:
    server.play(Reply(pieces=["ha "] * 150))
    adapter = LiteLLM(api_base=server.url, key=lambda: KEY)
    heard = await hear(adapter)
    await adapter.close()
    assert (heard.code, heard.text) == ("", "ha " * 150)


async def test_half_an_emoji_breaks_a_reply_cleanly(
    server: ModelServer,
) -> None:
    half = b'{"choices":[{"index":0,"delta":{"content":"so \\ud83d!"}}]}'
    stop = b'{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'
    server.play(Reply(raw=[half, stop]))
    adapter = LiteLLM(api_base=server.url, key=lambda: KEY)
    heard = await hear(adapter)
    await adapter.close()
    assert (heard.code, heard.text) == ("stream_cut", "")


async def test_an_id_that_names_no_provider_is_no_model() -> None:
    adapter = LiteLLM()
    heard = await hear(adapter, asking(model="no-such-provider/x"))
    await adapter.close()
    assert heard.code == "model_not_found"


async def test_a_provider_without_its_key_is_unauthorized() -> None:
    adapter = LiteLLM()
    heard = await hear(adapter, asking(model="anthropic/claude-sonnet-4-5"))
    await adapter.close()
    assert heard.code == "unauthorized"


async def test_it_can_be_closed_twice_and_used_again(server: ModelServer) -> None:
    adapter = LiteLLM(api_base=server.url, key=lambda: KEY)
    await adapter.close()
    assert (await hear(adapter)).error is None
    await adapter.close()
    await adapter.close()


def test_warming_up_stays_on_this_host_and_prints_nothing() -> None:
    program = """
import asyncio, gc, sys

seen = set()

def note(name, given):
    if name == "socket.connect" and isinstance(given[1], tuple):
        seen.add(given[1][0])

sys.addaudithook(note)
from agent.models.litellm_model import LiteLLM

async def main():
    model = LiteLLM()
    await model.warm()
    await model.close()

asyncio.run(main())
assert "litellm" in sys.modules
assert seen <= {"127.0.0.1"}, seen
assert gc.get_freeze_count() > 100_000
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


ROUND = (
    Message("system", "Be kind."),
    Message("user", "Go"),
    Message("assistant", "I look.", calls=(CallMade("c1", "bash", {"command": "ls"}),)),
    Message("tool", "a.txt", call="c1"),
)
MARK = {"type": "ephemeral"}


@pytest.mark.parametrize("said", [2, 4], ids=["a question", "a result"])
async def test_anthropic_is_told_what_it_may_keep(said: int) -> None:
    bodies: list[Any] = []

    async def messages(request: web.Request) -> web.StreamResponse:
        bodies.append(await request.json())
        return web.json_response({"error": {"type": "overloaded_error"}}, status=529)

    async with Web("127.0.0.1") as anthropic:
        anthropic.serve("/v1/messages", messages)
        model = LiteLLM(api_base=anthropic.url().rstrip("/"), key=lambda: KEY)
        request = ModelRequest("anthropic/claude-x", ROUND[:said], (BASH,))
        heard = await hear(model, request)
        await model.close()
    assert heard.error is not None
    (block,) = bodies[0]["messages"][-1]["content"]
    assert block["type"] == ("text" if said == 2 else "tool_result")
    assert block["cache_control"] == MARK
    assert bodies[0]["system"][-1]["cache_control"] == MARK
    marks = json.dumps(bodies[0]).count("cache_control")
    assert marks == 2, "Anthropic takes four at most"
