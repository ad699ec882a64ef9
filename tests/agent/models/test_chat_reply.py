"""Chunks in every shape that providers were seen to send, and what is read from them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.models.chat_reply import ChatReply, Prices, joined
from agent.models.event_lines import EventLines
from agent.models.port import (
    CallFragment,
    Finished,
    ModelError,
    Piece,
    Reasoning,
    Text,
    Used,
)
from tests.agent.models.hearing import Heard
from tests.model_server import CallScript, Reply, Tokens, Wire, chunk

STOP = chunk({}, "stop")


def read(*payloads: dict[str, Any] | bytes, reply: ChatReply | None = None) -> Heard:
    reply = reply or ChatReply("vllm")
    heard = Heard([], None)
    try:
        for payload in payloads:
            text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
            heard.pieces += reply.take(text)
        heard.pieces += reply.end()
    except ModelError as error:
        heard.error = error
    return heard


def with_usage(usage: object) -> Heard:
    return read(chunk({"content": "hi"}), STOP, {"choices": [], "usage": usage})


@pytest.mark.parametrize(
    ("payloads", "text"),
    [
        pytest.param([chunk({"content": "hi"}), STOP], "hi", id="text"),
        pytest.param([chunk({"content": None, "tool_calls": None}), STOP], "", id="null fields"),
        pytest.param([chunk(None), chunk({"content": "hi"}), STOP], "hi", id="a null delta"),
        pytest.param([{"choices": []}, chunk({"content": "hi"}), STOP], "hi", id="no choices"),
        pytest.param([{"choices": None}, chunk({"content": "hi"}), STOP], "hi", id="null choices"),
        pytest.param([{}, chunk({"content": "hi"}), STOP], "hi", id="an empty object"),
        pytest.param([b"", b" ", chunk({"content": "hi"}), STOP], "hi", id="empty data"),
        pytest.param(
            [chunk({"content": "hi"}), b" [DONE]"], "hi", id="no finish reason but [DONE]"
        ),
        pytest.param([chunk({"content": "hi"}, "stop")], "hi", id="text and reason in one"),
        pytest.param([STOP, chunk({"content": "hi"})], "hi", id="text after the reason"),
        pytest.param([STOP, b"[DONE]", b"{broken"], "", id="anything after [DONE]"),
        pytest.param(
            [{"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}],
            "hi",
            id="a whole message instead of a delta",
        ),
        pytest.param(
            [
                chunk({"content": [{"type": "text", "text": "h"}, {"type": "text", "text": "i"}]}),
                STOP,
            ],
            "hi",
            id="text in parts",
        ),
        pytest.param([chunk({"content": [{"type": "image"}, 7]}), STOP], "", id="parts of no use"),
        pytest.param(
            [{"choices": [], "prompt_filter_results": {"error": None}}, STOP], "", id="filter notes"
        ),
        pytest.param(
            [b'{"choices":[{"delta":{"content":"\\ud83d!"}}]}', STOP], "\ufffd!", id="half an emoji"
        ),
        pytest.param(
            [b'{"choices":[{"delta":{"content":"\xff!"}}]}', STOP], "\ufffd!", id="broken UTF-8"
        ),
        pytest.param(
            [b'{"choices":[{"delta":{"content":"\\ud83d\\ude00"}}]}', STOP],
            "😀",
            id="a whole emoji",
        ),
        pytest.param(
            [{**chunk({"content": "hi"}, "stop"), "error": None}], "hi", id="a null error"
        ),
    ],
)
def test_text(payloads: list[dict[str, Any] | bytes], text: str) -> None:
    heard = read(*payloads)
    assert heard.text == text
    assert heard.finished == Finished()


@pytest.mark.parametrize(
    "delta",
    [
        pytest.param({"reasoning_content": "hm"}, id="reasoning_content"),
        pytest.param({"reasoning": "hm"}, id="reasoning"),
        pytest.param({"reasoning": "hm", "reasoning_content": "hm"}, id="both mean the same"),
        pytest.param({"content": [{"type": "thinking", "thinking": "hm"}]}, id="a thinking part"),
        pytest.param(
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
            id="a thinking part of parts",
        ),
    ],
)
def test_reasoning_under_its_names(delta: dict[str, Any]) -> None:
    heard = read(chunk(delta), STOP)
    assert heard.reasoning == "hm"
    assert heard.text == ""


def test_arguments_given_as_an_object_become_text() -> None:
    call = {"function": {"name": "bash", "arguments": {"x": 1}}}
    assert read(chunk({"tool_calls": [call]}), STOP).calls == [("bash", '{"x":1}')]


def test_a_call_without_a_function_is_nothing() -> None:
    assert read(chunk({"tool_calls": [{"index": 0}]}), STOP).calls == []


@pytest.mark.parametrize("reason", ["length", "max_tokens"])
def test_a_reply_at_its_limit_is_truncated(reason: str) -> None:
    assert read(chunk({"content": "hi"}, reason)).finished == Finished(truncated=True)


@pytest.mark.parametrize("reason", ["stop", "tool_calls", "function_call", "eos", "end_turn"])
def test_every_other_reason_is_an_end(reason: str) -> None:
    assert read(chunk({"content": "hi"}, reason)).finished == Finished()


@pytest.mark.parametrize(
    ("payloads", "code"),
    [
        pytest.param([chunk({"content": "hi"})], "stream_cut", id="no end"),
        pytest.param([], "stream_cut", id="nothing"),
        pytest.param([b"[DONE]"], "garbled", id="an end without a reply"),
        pytest.param([b"{broken"], "garbled", id="no JSON"),
        pytest.param([b'{"choices":17}'], "garbled", id="JSON of another shape"),
        pytest.param([b"<html>"], "garbled", id="a page"),
        pytest.param([b'{"x":' + b"[" * 100_000], "garbled", id="JSON without a bottom"),
        pytest.param([chunk({"content": "hi"}, "error")], "provider_error", id="reason: error"),
        pytest.param([chunk({"content": "hi"}, "content_filter")], "bad_request", id="filtered"),
        pytest.param(
            [chunk({"tool_calls": [{"function": {"arguments": "{}"}}]}), STOP],
            "garbled",
            id="a call that never gets a name",
        ),
        pytest.param([{"error": {"message": "Oh no."}}], "provider_error", id="an error object"),
        pytest.param([{"error": "Overloaded"}], "overloaded", id="an error as a word"),
        pytest.param(
            [{"error": {"message": "slow down", "code": 429}, "choices": []}],
            "rate_limited",
            id="an error with a status",
        ),
        pytest.param(
            [{"object": "error", "message": "maximum context length is 5", "code": 400}],
            "context_overflow",
            id="an error of the older vLLM",
        ),
        pytest.param(
            [{"error": {"message": "Overloaded"}, "choices": 7}], "overloaded", id="both at once"
        ),
        pytest.param([b"error: upstream is overloaded"], "overloaded", id="an error without JSON"),
    ],
)
def test_what_is_no_reply(payloads: list[dict[str, Any] | bytes], code: str) -> None:
    assert read(*payloads).code == code


def test_what_came_before_an_error_is_kept() -> None:
    heard = read(chunk({"content": "hi"}), {"error": {"message": "Oh no."}})
    assert heard.text == "hi"
    assert str(heard.error) == "vllm failed to answer. Try again. Details: Oh no."


def test_a_secret_in_an_error_of_the_stream_is_blotted_out() -> None:
    reply = ChatReply("vllm", secret="open sesame")
    heard = read({"error": {"message": "not open sesame"}}, reply=reply)
    assert "sesame" not in str(heard.error)


@pytest.mark.parametrize(
    ("usage", "used"),
    [
        pytest.param({"prompt_tokens": 9, "completion_tokens": 2}, Used(9, 2), id="plain"),
        pytest.param(Tokens(9, 2, 5).body(), Used(9, 2, 5), id="cached, as OpenAI says it"),
        pytest.param(
            {"prompt_tokens": 9, "completion_tokens": 2, "prompt_cache_hit_tokens": 5},
            Used(9, 2, 5),
            id="cached, as DeepSeek says it",
        ),
        pytest.param(
            {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": None},
            Used(9, 2),
            id="null details",
        ),
        pytest.param(None, None, id="null"),
        pytest.param({}, None, id="empty"),
        pytest.param({"prompt_tokens": "9"}, None, id="of another shape"),
        pytest.param({"prompt_tokens": -1, "completion_tokens": 2}, None, id="below zero"),
        pytest.param({"prompt_tokens": 9, "completion_tokens": 10**30}, None, id="without bounds"),
    ],
)
def test_usage(usage: object, used: Used | None) -> None:
    heard = with_usage(usage)
    assert heard.used == used
    assert heard.finished is not None


def test_the_last_usage_counts() -> None:
    first, last = ({**chunk({"content": "a"}), "usage": Tokens(9, n).body()} for n in (1, 2))
    heard = read(first, last, STOP)
    assert [piece for piece in heard.pieces if isinstance(piece, Used)] == [Used(9, 2)]


@pytest.mark.parametrize(
    ("prices", "dollars"),
    [(Prices(2, 10, 0.5), 5.0), (Prices(2, 10), 5.75), (Prices(0, 0), 0.0)],
)
def test_the_cost_follows_from_prices(prices: Prices, dollars: float) -> None:
    usage = Tokens(1_250_000, 300_000, 500_000)
    reply = ChatReply("vllm", prices=prices)
    used = read(STOP, {"choices": [], "usage": usage.body()}, reply=reply).used
    assert used is not None
    expected = {5.0: 1.5 + 0.25 + 3, 5.75: 2.5 + 3, 0.0: 0}[dollars]
    assert used.cost_usd == pytest.approx(expected)


def test_what_comes_at_once_is_one_piece_of_each_kind_in_its_order() -> None:
    call = CallFragment(0, "bash")
    came: list[Piece] = [
        Reasoning("h"),
        Reasoning("m"),
        Text("a"),
        Text("b"),
        call,
        Text("c"),
        Finished(),
    ]
    assert list(joined(came)) == [
        *(Reasoning("hm"), Text("ab"), call, Text("c"), Finished()),
    ]
    assert list(joined([])) == []


def test_what_came_at_once_with_an_error_is_there_before_it() -> None:
    reply, heard = ChatReply("vllm"), list[Piece]()
    said = [json.dumps(chunk({"content": word})).encode() for word in ("a", "b")]
    with pytest.raises(ModelError):
        heard.extend(reply.pieces([*said, b"{broken", *said]))
    assert heard == [Text("ab")]


def pieces(parts: list[bytes]) -> list[Piece]:
    lines, reply = EventLines(2**20, 2**20), ChatReply("vllm")
    payloads = [payload for part in parts for payload in lines.feed(part)] + lines.end()
    return [piece for payload in payloads for piece in reply.take(payload)] + reply.end()


@given(
    text=st.text(max_size=40),
    arguments=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
    size=st.integers(1, 9),
    line_end=st.sampled_from(["\n", "\r\n"]),
    prefix=st.sampled_from(["data: ", "data:"]),
    comments=st.booleans(),
    packet=st.integers(1, 60),
)
def test_any_splitting_of_the_bytes_gives_the_same_pieces(
    text: str,
    arguments: dict[str, str],
    size: int,
    line_end: str,
    prefix: str,
    comments: bool,
    packet: int,
) -> None:
    call = CallScript("bash", arguments)
    reply = Reply(text=text, calls=[call], chunk_size=size, argument_size=size)
    wire = Wire(prefix=prefix, line_end=line_end, comments=comments)
    said = [event for event in reply.content() if isinstance(event, dict)]
    stream = b"".join(wire.event(event) for event in [*said, *reply.ending()])
    stream += wire.event("[DONE]")
    parts = [stream[start : start + packet] for start in range(0, len(stream), packet)]
    whole = Heard(pieces([stream]), None)
    assert pieces(parts) == whole.pieces
    assert whole.text == text
    assert [json.loads(written) for _, written in whole.calls] == [arguments]
