"""What the test model says: a reply, its pieces, its gates, and how it is put on the wire."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

Json = dict[str, Any]
Held = Literal["start", "end"] | int


class Gate(asyncio.Event):
    """An event that holds a reply until `set`; `reached` tells that the reply has got there."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def wait(self) -> Literal[True]:
        self.reached.set()
        return await super().wait()


class CallScript(Struct, frozen=True):
    """A tool call; `arguments` as a str is sent as it is, also when it is no JSON."""

    tool: str
    arguments: Json | str
    id: str | None = None

    @property
    def text(self) -> str:
        given = self.arguments
        return given if isinstance(given, str) else msgspec.json.encode(given).decode()


class Tokens(Struct, frozen=True):
    prompt: int = 100
    completion: int = 20
    cached: int = 0

    def body(self) -> Json:
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
            "prompt_tokens_details": {"cached_tokens": self.cached},
        }


class Wire(Struct, frozen=True):
    """How events become bytes: `packet` is the bytes of one TCP write, None for an event each."""

    prefix: str = "data: "
    line_end: str = "\n"
    comments: bool = False
    packet: int | None = None
    done: bool = True

    def event(self, data: Json | str) -> bytes:
        body = data.encode() if isinstance(data, str) else msgspec.json.encode(data)
        end = self.line_end.encode()
        comment = b": keep-alive" + end + end if self.comments else b""
        return comment + self.prefix.encode() + body + end + end


class Reply(Struct, frozen=True, kw_only=True):
    """One answer. Content chunks are numbered from 1 in the order reasoning, text, calls.

    `hold` keeps the reply at a place until the event is set: "start" is before the status line,
    0 after the headers, k after content chunk k, "end" before the finish reason. `raw` replaces
    the content: a dict is one event, bytes go out as they are. `tail=False` leaves out finish
    reason and usage. `cut_after` aborts the TCP connection after content chunk k, `hang_up`
    before any byte of an answer. `pace` (seconds between chunks) is for benchmarks only.
    """

    text: str = ""
    reasoning: str = ""
    calls: Sequence[CallScript] = ()
    pieces: Sequence[str] | Callable[[], Iterable[str]] | None = None
    chunk_size: int = 8
    argument_size: int = 12
    whole_calls: bool = False
    reasoning_field: str = "reasoning_content"
    usage: Tokens | None = Tokens()
    finish_reason: str | None = None
    raw: Sequence[Json | bytes] | None = None
    tail: bool = True
    hold: Mapping[Held, asyncio.Event] = {}
    cut_after: int | None = None
    hang_up: bool = False
    status: int = 200
    body: Json | bytes = b""
    headers: Mapping[str, str] = {}
    wire: Wire = Wire()
    pace: float = 0.0

    def content(self) -> Iterator[Json | bytes]:
        if self.raw is not None:
            yield from self.raw
            return
        for piece in _cut(self.reasoning, self.chunk_size):
            yield chunk({self.reasoning_field: piece})
        for piece in self._text_pieces():
            yield chunk({"content": piece})
        for index, call in enumerate(self.calls):
            yield from self._call(index, call)

    def ending(self) -> Iterator[Json]:
        """The chunks after the content: why it stopped, and what it used."""
        if self.tail:
            yield chunk({}, self.finish_reason or ("tool_calls" if self.calls else "stop"))
            if self.usage:
                yield {**chunk({}), "choices": [], "usage": self.usage.body()}

    def _text_pieces(self) -> Iterable[str]:
        if self.pieces is None:
            return _cut(self.text, self.chunk_size)
        return self.pieces() if callable(self.pieces) else self.pieces

    def _call(self, index: int, call: CallScript) -> Iterator[Json]:
        head = {"index": index, "id": call.id or f"call_{index}", "type": "function"}
        if self.whole_calls:
            yield _call_chunk({**head, "function": {"name": call.tool, "arguments": call.text}})
            return
        yield _call_chunk({**head, "function": {"name": call.tool, "arguments": ""}})
        for piece in _cut(call.text, self.argument_size):
            yield _call_chunk({"index": index, "function": {"arguments": piece}})


def chunk(delta: Json | None, finish_reason: str | None = None) -> Json:
    """One `chat.completion.chunk` with a single choice."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "test-model",
        "choices": [choice],
    }


def _call_chunk(call: Json) -> Json:
    return chunk({"tool_calls": [call]})


def _cut(text: str, size: int) -> Iterator[str]:
    return (text[start : start + size] for start in range(0, len(text), size))
