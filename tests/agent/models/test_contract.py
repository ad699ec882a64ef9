"""What every adapter owes, over real HTTP: the same cases for the native one and for litellm.

Where litellm cannot keep the contract, the case says what it does instead, and why.
"""

import asyncio
from contextlib import aclosing

import pytest
from msgspec import Struct

from agent.conversation import CallMade, Message
from agent.models.litellm_model import LiteLLM
from agent.models.port import Finished, Model, ModelRequest, Used
from tests.agent.models.conftest import KEY
from tests.agent.models.hearing import BASH, Heard, asking, hear
from tests.model_server import CallScript, Gate, ModelServer, Reply, Tokens, Wire, chunk

SAYS = {"error": {"message": "Something about it."}}


class Refusal(Struct, frozen=True):
    """An answer that is no reply, its code, and litellm's where that differs."""

    reply: Reply
    code: str
    litellm: str = ""
    because: str = ""

    def expected(self, model: Model) -> str:
        return (self.litellm or self.code) if isinstance(model, LiteLLM) else self.code


def refused(
    status: int, code: str, message: str = "Something about it.", kind: str = ""
) -> Refusal:
    return Refusal(Reply(status=status, body={"error": {"message": message, "type": kind}}), code)


REFUSALS = {
    "a bad key": refused(401, "unauthorized"),
    "a misleading type": refused(401, "unauthorized", kind="invalid_request_error"),
    "no credit": refused(402, "forbidden"),
    "no rights": refused(403, "forbidden"),
    "no such model": refused(404, "model_not_found"),
    "a bad request": refused(400, "bad_request"),
    "too long by words": refused(400, "context_overflow", "maximum context length is 5 tokens"),
    "too long by code": refused(400, "context_overflow", "Too long.", "exceed_context_size_error"),
    "too long by status": refused(413, "context_overflow"),
    "slow upstream": refused(408, "timed_out"),
    "a rate limit": refused(429, "rate_limited"),
    "no quota left": refused(429, "forbidden", "You exceeded your current quota"),
    "a failure": refused(500, "provider_error"),
    "a failure with a type": refused(500, "provider_error", kind="invalid_request_error"),
    "overload": refused(503, "overloaded"),
    "overload, said otherwise": refused(529, "overloaded"),
    "a page of a proxy": Refusal(Reply(status=502, body=b"<html>no</html>"), "provider_error"),
    "no body": Refusal(Reply(status=500), "provider_error"),
    "a redirect": Refusal(
        Reply(status=307, headers={"Location": "/elsewhere"}),
        "bad_request",
        litellm="model_not_found",
        because="litellm follows it, key and all, and finds nothing there",
    ),
    "a hang-up": Refusal(Reply(hang_up=True), "unreachable"),
    "a cut before the first chunk": Refusal(Reply(text="a b c", cut_after=0), "stream_cut"),
    "a cut in the middle": Refusal(Reply(text="one two three four", cut_after=1), "stream_cut"),
    "an end without a reason": Refusal(
        Reply(text="hi", tail=False, wire=Wire(done=False)), "stream_cut"
    ),
    "an error object": Refusal(Reply(raw=[SAYS]), "provider_error"),
    "an error object later": Refusal(Reply(raw=[chunk({"content": "hi"}), SAYS]), "provider_error"),
    "overload later": Refusal(
        Reply(raw=[chunk({"content": "hi"}), {"error": {"message": "It is overloaded."}}]),
        "overloaded",
    ),
    "too long, said later": Refusal(
        Reply(raw=[{"error": {"message": "prompt is too long", "code": 400}}]), "context_overflow"
    ),
    "garbage": Refusal(Reply(raw=[chunk({"content": "hi"}), b"data: {nonsense\n\n"]), "garbled"),
    "a content filter": Refusal(Reply(text="hi", finish_reason="content_filter"), "bad_request"),
}


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS)
async def test_what_goes_wrong_has_a_code(model: Model, server: ModelServer, case: Refusal) -> None:
    server.play(case.reply)
    heard = await hear(model)
    assert heard.code == case.expected(model)
    assert heard.finished is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
async def test_no_key_appears_in_an_error(model: Model, server: ModelServer, status: int) -> None:
    server.play(Reply(status=status, body={"error": {"message": f"Your key {KEY} is not it."}}))
    heard = await hear(model)
    assert heard.error is not None
    assert KEY not in f"{heard.error} {heard.error!r} {heard.error.__cause__!r}"


async def test_an_error_is_short_and_on_one_line(model: Model, server: ModelServer) -> None:
    server.play(Reply(status=400, body={"error": {"message": "no\n" * 1000}}))
    heard = await hear(model)
    assert len(str(heard.error)) < 300
    assert "\n" not in str(heard.error)


async def test_nobody_there_is_unreachable(server: ModelServer, model: Model) -> None:
    await server.__aexit__(None, None, None)
    assert (await hear(model)).code == "unreachable"


@pytest.mark.parametrize("given", ["7", "7.0"])
async def test_a_wait_that_is_asked_for_is_passed_on(
    model: Model, server: ModelServer, given: str
) -> None:
    server.play(Reply(status=429, body=SAYS, headers={"Retry-After": given}))
    heard = await hear(model)
    assert heard.error is not None
    assert heard.error.retry_after == 7


async def test_a_refused_request_is_not_repeated(model: Model, server: ModelServer) -> None:
    server.play(Reply(status=429, body=SAYS), Reply(status=500, body=SAYS))
    assert (await hear(model)).code == "rate_limited"
    assert (await hear(model)).code == "provider_error"
    assert len(server.requests) == 2


async def test_text_streams_as_it_comes(model: Model, server: ModelServer) -> None:
    gate = Gate()
    server.play(Reply(pieces=["one", "two", "three"], hold={1: gate}))
    async with aclosing(model.stream(asking())) as stream:
        first = await anext(stream)
        assert Heard([first], None).text == "one"
        assert not gate.is_set()
        gate.set()
        rest = Heard([piece async for piece in stream], None)
    assert rest.text == "twothree"


async def test_a_whole_reply(model: Model, server: ModelServer) -> None:
    calls = [CallScript("bash", {"command": 'echo "ä\\n"'}), CallScript("bash", {})]
    server.play(Reply(text="Ich höre 😀.", reasoning="Hm.", calls=calls, usage=Tokens(90, 20, 30)))
    heard = await hear(model)
    assert heard.error is None
    assert heard.text == "Ich höre 😀."
    assert heard.reasoning == "Hm."
    assert heard.calls == [(call.tool, call.text) for call in calls]
    assert heard.used == Used(90, 20, 30)
    assert heard.pieces[-1] == Finished()


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(argument_size=1, calls=[CallScript("bash", {"x": '"\\\n😀'})]),
                     id="arguments cut inside escapes"),
        pytest.param(Reply(whole_calls=True, calls=[CallScript("bash", {"x": 1})] * 3),
                     id="whole calls"),
        pytest.param(Reply(calls=[CallScript("bash", "{broken")]), id="arguments that are no JSON"),
        pytest.param(Reply(calls=[CallScript("bash", {"x": "y" * 100_000})], argument_size=50_000),
                     id="very long lines"),
        pytest.param(Reply(calls=[CallScript("bash", {"x": 1})], wire=Wire(packet=1)),
                     id="a byte at a time"),
        pytest.param(Reply(calls=[CallScript("bash", {"x": 1})], wire=Wire(line_end="\r\n")),
                     id="CRLF"),
        pytest.param(Reply(calls=[CallScript("bash", {"x": 1})], wire=Wire(comments=True)),
                     id="comments"),
        pytest.param(Reply(calls=[CallScript("bash", {"x": 1})], wire=Wire(prefix="data:")),
                     id="no space"),
        pytest.param(Reply(calls=[CallScript("bash", {"x": 1})], wire=Wire(done=False)),
                     id="no [DONE]"),
        pytest.param(Reply(calls=[CallScript("bash", {"x": 1})], usage=None), id="no usage"),
    ],
)  # fmt: skip
async def test_calls_arrive_whole(model: Model, server: ModelServer, reply: Reply) -> None:
    server.play(reply)
    heard = await hear(model)
    assert heard.calls == [(call.tool, call.text) for call in reply.calls]
    assert heard.finished == Finished()


async def test_a_reply_at_its_limit_is_truncated(model: Model, server: ModelServer) -> None:
    server.play(Reply(text="on and on", finish_reason="length"))
    assert (await hear(model)).finished == Finished(truncated=True)


async def test_the_request_that_is_sent(model: Model, server: ModelServer) -> None:
    call = CallMade("c1", "bash", {"command": "ls"})
    conversation = (
        Message("system", "Be kind."),
        Message("user", "List."),
        Message("assistant", "", (call,)),
        Message("tool", "a.txt", call="c1"),
    )
    await hear(model, ModelRequest("openai/some/name", conversation, (BASH,), 99))
    [seen] = server.requests
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.body["model"] == "some/name"
    assert seen.body["max_tokens"] == 99
    assert seen.body["stream_options"] == {"include_usage": True}
    assert [message["role"] for message in seen.messages] == ["system", "user", "assistant", "tool"]
    assert seen.messages[2]["tool_calls"][0]["function"]["arguments"] == '{"command":"ls"}'
    assert seen.body["tools"][0]["function"]["name"] == "bash"


async def test_a_request_without_tools_offers_none(model: Model, server: ModelServer) -> None:
    heard = await hear(model, asking(tools=()))
    assert heard.text == "A short title"
    assert not server.plain_requests[0].body.get("tools")


@pytest.mark.parametrize("place", ["start", 0, 1, "end"])
async def test_cancelling_closes_the_connection(
    model: Model, server: ModelServer, place: int
) -> None:
    gate = Gate()
    server.play(Reply(pieces=["one", "two", "three"], hold={place: gate}))
    hearing = asyncio.create_task(hear(model))
    await gate.reached.wait()
    hearing.cancel()
    await server.client_left()
    with pytest.raises(asyncio.CancelledError):
        await hearing


async def test_leaving_a_stream_closes_the_connection(model: Model, server: ModelServer) -> None:
    server.play(Reply(pieces=["one", "two", "three"], hold={1: Gate()}))
    async with aclosing(model.stream(asking())) as stream:
        await anext(stream)
    await server.client_left()
    assert server.disconnected == 1


async def test_streams_at_the_same_time_do_not_mix(model: Model, server: ModelServer) -> None:
    server.answer = lambda seen: Reply(text=f"You said {seen.last_user_text}.", chunk_size=3)
    heard = await asyncio.gather(*(hear(model, asking(f"word{n}")) for n in range(20)))
    assert [h.text for h in heard] == [f"You said word{n}." for n in range(20)]


async def test_the_next_request_works_after_every_kind_of_failure(
    model: Model, server: ModelServer
) -> None:
    server.play(
        Reply(hang_up=True), Reply(text="one two", cut_after=1), Reply(status=500, body=SAYS)
    )
    for _ in range(3):
        assert (await hear(model)).error is not None
    assert (await hear(model)).text == "All right, that is done."


async def test_nothing_is_printed(
    model: Model, server: ModelServer, capfd: pytest.CaptureFixture[str]
) -> None:
    server.play(Reply(text="hi"), Reply(status=401, body=SAYS), Reply(hang_up=True))
    for _ in range(3):
        await hear(model)
    assert capfd.readouterr().out == ""
