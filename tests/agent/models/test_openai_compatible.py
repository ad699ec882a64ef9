"""The native adapter where the contract ends: limits, time-outs, connections, addresses."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import encode_basic_auth

from agent.errors import ConfigProblem
from agent.models.openai_compatible import Limits, OpenAICompatible
from agent.models.port import Finished, Used
from tests.agent.models.conftest import KEY
from tests.agent.models.hearing import asking, hear
from tests.model_server import Gate, ModelServer, Reply, Tokens, Wire, chunk

STOP = chunk({}, "stop")


@asynccontextmanager
async def adapter(
    server: ModelServer,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    key: Callable[[], str | None] = lambda: None,
    clock: Callable[[], float] = lambda: 0.0,
) -> AsyncIterator[OpenAICompatible]:
    model = OpenAICompatible("vllm", server.url, key, limits=limits, clock=clock)
    await model.warm()
    try:
        yield model
    finally:
        await model.close()


@pytest.mark.parametrize("place", ["start", 0, 1])
@pytest.mark.parametrize("limits", [Limits(silence_seconds=0.5), Limits(request_seconds=0.5)])
async def test_a_stalled_server_times_out(server: ModelServer, place: int, limits: Limits) -> None:
    server.play(Reply(text="one two three", hold={place: Gate()}))
    async with adapter(server, limits) as model:
        heard = await hear(model)
    assert heard.code == "timed_out"
    await server.client_left()


async def test_a_host_that_does_not_accept_is_unreachable() -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen(0)
        address = door.getsockname()
        with socket.create_connection(address):
            model = OpenAICompatible(
                "vllm",
                f"http://127.0.0.1:{address[1]}/v1",
                lambda: None,
                limits=Limits(connect_seconds=0.05),
            )
            heard = await hear(model)
            await model.close()
    assert heard.code == "unreachable"


async def test_something_that_speaks_no_http_is_garbled() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail.example ESMTP\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1") as listening:
        port = listening.sockets[0].getsockname()[1]
        model = OpenAICompatible("vllm", f"http://127.0.0.1:{port}/v1", lambda: None)
        heard = await hear(model)
        await model.close()
    assert heard.code == "garbled"


async def test_usage_is_awaited_after_the_reason_but_not_for_long(server: ModelServer) -> None:
    server.play(Reply(raw=[chunk({"content": "hi"}), STOP], hold={2: Gate()}))
    async with adapter(server, Limits(tail_seconds=0.05)) as model:
        heard = await hear(model)
    assert heard.text == "hi"
    assert heard.pieces[-1] == Finished()


async def test_a_cut_after_the_reason_loses_nothing(server: ModelServer) -> None:
    server.play(Reply(raw=[chunk({"content": "hi"}), STOP], cut_after=2))
    async with adapter(server) as model:
        heard = await hear(model)
    assert heard.error is None
    assert heard.pieces[-1] == Finished()


async def test_the_end_mark_is_enough_where_the_stream_stays_open(server: ModelServer) -> None:
    server.play(Reply(raw=[chunk({"content": "hi"}), b"data: [DONE]\n\n"], hold={2: Gate()}))
    async with adapter(server) as model:
        heard = await hear(model)
    assert heard.pieces[-1] == Finished()


@pytest.mark.parametrize("limits", [Limits(line_bytes=1000), Limits(reply_bytes=3000)])
async def test_a_flood_is_cut_off(server: ModelServer, limits: Limits) -> None:
    server.play(Reply(text="x" * 100_000, chunk_size=5000, hold={"end": Gate()}))
    async with adapter(server, limits) as model:
        heard = await hear(model)
    assert heard.code == "garbled"
    await server.client_left()


async def test_a_flood_of_error_is_cut_off(server: ModelServer) -> None:
    server.play(Reply(status=500, body=b"no " * 1_000_000))
    async with adapter(server) as model:
        heard = await hear(model)
    assert heard.code == "provider_error"
    assert len(str(heard.error)) < 300


async def test_requests_one_after_the_other_share_a_connection(server: ModelServer) -> None:
    async with adapter(server) as model:
        for _ in range(3):
            await hear(model)
    assert len({seen.peer for seen in server.requests}) == 1


async def test_a_reply_that_does_not_stream_is_read_too(server: ModelServer) -> None:
    message = {"content": "hi", "tool_calls": [{"function": {"name": "bash", "arguments": "{}"}}]}
    body = {
        "choices": [{"message": message, "finish_reason": "tool_calls"}],
        "usage": Tokens(9, 2).body(),
    }
    whole = Wire(prefix="", line_end="", done=False, packet=9)
    headers = {"Content-Type": "application/json"}
    server.play(Reply(raw=[body], tail=False, wire=whole, headers=headers))
    async with adapter(server) as model:
        heard = await hear(model)
    assert heard.text == "hi"
    assert heard.calls == [("bash", "{}")]
    assert heard.used == Used(9, 2)


async def test_a_page_instead_of_a_reply_is_garbled(server: ModelServer) -> None:
    server.play(Reply(raw=[b"<html>Welcome</html>"], headers={"Content-Type": "text/html"}))
    async with adapter(server) as model:
        heard = await hear(model)
    assert heard.code == "garbled"
    assert "Check its address" in str(heard.error)


@pytest.mark.parametrize("asked", ["vllm/a/b", "a/b"])
async def test_a_model_may_be_named_with_or_without_its_endpoint(
    server: ModelServer, asked: str
) -> None:
    async with adapter(server) as model:
        await hear(model, asking(model=asked))
    assert server.requests[0].body["model"] == "a/b"


async def test_without_a_key_none_is_sent(server: ModelServer) -> None:
    async with adapter(server, key=lambda: " ") as model:
        await hear(model)
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize("key", ["sécret", "two\nlines"])
async def test_a_key_that_is_none_is_refused_before_it_travels(
    server: ModelServer, key: str
) -> None:
    async with adapter(server, key=lambda: key) as model:
        heard = await hear(model)
    assert heard.code == "unauthorized"
    assert key not in str(heard.error)
    assert not server.requests


async def test_the_key_is_asked_for_at_each_request(server: ModelServer) -> None:
    keys = iter(["first", "second"])
    async with adapter(server, key=lambda: next(keys)) as model:
        await hear(model)
        await hear(model)
    sent = [seen.headers["authorization"] for seen in server.requests]
    assert sent == ["Bearer first", "Bearer second"]


async def test_a_wait_may_be_given_as_a_date(server: ModelServer) -> None:
    headers = {"Retry-After": "Thu, 01 Jan 1970 00:02:00 GMT"}
    server.play(Reply(status=429, headers=headers))
    async with adapter(server, clock=lambda: 20.0) as model:
        heard = await hear(model)
    assert heard.error is not None
    assert heard.error.retry_after == 100


@pytest.mark.parametrize(
    "address", ["", "localhost:8000", "ftp://host/v1", "http:///v1", "http://["]
)
def test_an_address_that_is_none_is_named(address: str) -> None:
    with pytest.raises(ConfigProblem, match="address of vllm must be like"):
        OpenAICompatible("vllm", address, lambda: None)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_model_on_this_host_is_not_asked_through_a_proxy(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    model = OpenAICompatible("vllm", server.url.replace("127.0.0.1", host), lambda: None)
    heard = await hear(model)
    await model.close()
    assert heard.error is None


async def test_a_model_elsewhere_is_asked_through_the_proxy_with_what_both_want_to_know(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known = tmp_path / "netrc"
    known.write_text("machine models.invalid login somebody password else\n")
    monkeypatch.setenv("NETRC", str(known))
    async with ModelServer() as proxy:
        proxy.play(Reply(text="through the proxy"))
        named = proxy.url.removesuffix("/v1").replace("//", "//ada:pw@")
        monkeypatch.setenv("HTTP_PROXY", named)
        model = OpenAICompatible("vllm", "http://models.invalid/v1", lambda: KEY)
        heard = await hear(model)
        await model.close()
    assert (heard.code, heard.text) == ("", "through the proxy")
    sent = proxy.requests[0].headers
    assert sent["authorization"] == f"Bearer {KEY}"
    assert sent["proxy-authorization"] == encode_basic_auth("ada", "pw")


async def test_a_host_that_the_environment_excepts_is_asked_without_the_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with ModelServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.removesuffix("/v1"))
        monkeypatch.setenv("NO_PROXY", "models.invalid")
        model = OpenAICompatible("vllm", "http://models.invalid/v1", lambda: None)
        heard = await hear(model)
        await model.close()
    assert (heard.code, proxy.requests) == ("unreachable", [])


async def test_it_can_be_closed_twice_and_used_again(server: ModelServer) -> None:
    async with adapter(server) as model:
        await model.close()
        await model.close()
        assert (await hear(model)).error is None


async def test_many_cancelled_requests_leave_no_connection_behind(server: ModelServer) -> None:
    gate = Gate()
    server.answer = lambda seen: Reply(text="one two", hold={1: gate})
    async with adapter(server, Limits(connections=5)) as model:
        for count in range(1, 11):
            hearing = asyncio.create_task(hear(model))
            await server.request_arrived(count)
            hearing.cancel()
            await server.client_left(count)
        gate.set()
        assert (await hear(model)).text == "one two"


def test_importing_the_models_neither_loads_litellm_nor_asks_the_network() -> None:
    program = (
        "import sys\n"
        "seen = []\n"
        "sys.addaudithook(lambda name, given: seen.append(name) if name in"
        " ('socket.connect', 'socket.getaddrinfo') else None)\n"
        "import agent.models.openai_compatible, agent.models.litellm_model, agent.models.demo\n"
        "assert not seen, seen\n"
        "assert 'litellm' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
