"""A chat completion read chunk by chunk: pieces come out, whatever shape the provider gave them."""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from agent.models import failures
from agent.models.call_order import CallOrder
from agent.models.port import MOST_TOKENS, Finished, ModelError, Piece, Reasoning, Text, Used

TRUNCATED = {"length", "max_tokens", "model_length", "MAX_TOKENS"}
FILTERED = {"content_filter", "sensitive", "SAFETY", "safety"}
BROKEN = {"error", "network_error", "abort", "insufficient_system_resource"}
LONE_SURROGATE = re.compile(
    rb"\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f])|(?<!\\ud[89ab][0-9a-f]{2})\\ud[c-f][0-9a-f]{2}",
    re.IGNORECASE,
)


class _Function(Struct, gc=False):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _Call(Struct, gc=False):
    index: int | str | None = None
    id: str | int | None = None
    function: _Function | None = None


class _Delta(Struct, gc=False):
    content: str | list[Any] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(Struct, gc=False):
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: Raw = Raw()
    error: Raw = Raw()


_Count = Annotated[int, Meta(ge=0, le=MOST_TOKENS)]


class _InputDetails(Struct):
    cached_tokens: _Count | None = None


class _Usage(Struct):
    prompt_tokens: _Count | None = None
    completion_tokens: _Count | None = None
    prompt_tokens_details: _InputDetails | None = None
    prompt_cache_hit_tokens: _Count | None = None
    cached_tokens: _Count | None = None


_decode = msgspec.json.Decoder(_Chunk).decode
_decode_usage = msgspec.json.Decoder(_Usage).decode


class Prices(Struct, frozen=True):
    """Dollars per million tokens; cached input costs like other input where `cached` is None."""

    input: float
    output: float
    cached: float | None = None

    def cost(self, used: Used) -> float:
        cached = self.input if self.cached is None else self.cached
        fresh = max(0, used.input_tokens - used.cached_tokens)
        spent = fresh * self.input + used.cached_tokens * cached + used.output_tokens * self.output
        return spent / 1_000_000


class ChatReply:
    """Takes the payloads of one stream. `name` is the endpoint's, for messages to people.

    `stopped` means that the provider has said why it stopped, `done` that nothing more can come.
    """

    def __init__(self, name: str, *, prices: Prices | None = None, secret: str | None = None):
        self.done = False
        self._name = name
        self._prices = prices
        self._secret = secret
        self._calls = CallOrder()
        self._reason = ""
        self._usage = Raw()
        self._empty = True

    @property
    def stopped(self) -> bool:
        return self.done or bool(self._reason)

    def pieces(self, payloads: Iterable[bytes]) -> Iterator[Piece]:
        """The pieces in what one read brought."""
        return joined(piece for payload in payloads for piece in self.take(payload))

    def take(self, payload: bytes) -> list[Piece]:
        """The pieces in one `data:` payload or in a whole JSON reply."""
        try:
            chunk = _decode(payload)
        except failures.NOT_JSON as problem:
            return self._odd(payload, problem)
        return self._read(chunk, payload)

    def end(self) -> list[Piece]:
        """What is still to say when the stream is over; raises when the reply is not whole."""
        if not self.stopped:
            raise self._failed("stream_cut")
        if self._empty and not self._reason:
            raise self._failed("garbled", "an empty reply")
        if self._calls.nameless:
            raise self._failed("garbled", "a tool call without a name")
        finished = ending(self._reason, self._name)
        used = self._used()
        return [finished] if used is None else [used, finished]

    def _read(self, chunk: _Chunk, payload: bytes) -> list[Piece]:
        if chunk.error and bytes(chunk.error) != b"null":
            raise self._error(bytes(chunk.error))
        if chunk.usage and bytes(chunk.usage) != b"null":
            self._usage = chunk.usage.copy()
        if not chunk.choices:
            if b'"error"' in payload and msgspec.json.decode(payload).get("object") == "error":
                raise self._error(payload)
            return []
        choice = chunk.choices[0]
        if choice.finish_reason:
            self._reason = choice.finish_reason
        delta = choice.delta or choice.message
        return [] if delta is None else self._pieces(delta)

    def _pieces(self, delta: _Delta) -> list[Piece]:
        found: list[Piece] = []
        if reasoning := delta.reasoning_content or delta.reasoning:
            found.append(Reasoning(reasoning))
        if content := delta.content:
            found += [Text(content)] if isinstance(content, str) else _parts(content)
        for call in delta.tool_calls or ():
            made = call.function or _Function()
            found += self._calls.take(call.index, call.id, made.name, _json(made.arguments))
        if found:
            self._empty = False
        return found

    def _odd(self, payload: bytes, problem: Exception) -> list[Piece]:
        """A payload that is no chunk as it stands: the end mark, nothing, or something broken."""
        word = payload.strip()
        if word == b"[DONE]":
            self.done = True
        if self.done or not word:
            return []
        mended = LONE_SURROGATE.sub(rb"\\ufffd", word.decode(errors="replace").encode())
        if mended != word:
            return self.take(mended)
        if b"error" in word and (said := failures.heard(word)).message:
            raise self._failed(failures.code_of(None, said), said.message)
        raise self._failed("garbled", str(problem)) from None

    def _used(self) -> Used | None:
        try:
            usage = _decode_usage(self._usage) if self._usage else _Usage()
        except failures.NOT_JSON:
            return None
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            return None
        details = usage.prompt_tokens_details or _InputDetails()
        cached = details.cached_tokens or usage.prompt_cache_hit_tokens or usage.cached_tokens or 0
        used = Used(usage.prompt_tokens, usage.completion_tokens, cached)
        if self._prices is None:
            return used
        return msgspec.structs.replace(used, cost_usd=self._prices.cost(used))

    def _error(self, body: bytes) -> ModelError:
        said = failures.heard(body)
        return self._failed(failures.code_of(None, said), said.message)

    def _failed(self, code: str, said: str = "") -> ModelError:
        return failures.failure(code, self._name, said, secret=self._secret)


def joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Neighbours of one kind as one: what comes at once is shown and looked through once.

    An error that `pieces` raise comes behind what there was before it.
    """
    kind: type[Text] | type[Reasoning] = Text
    parts: list[str] = []
    failure: ModelError | None = None
    try:
        for piece in pieces:
            if parts and type(piece) is not kind:
                yield kind("".join(parts))
                parts.clear()
            if isinstance(piece, Text | Reasoning):
                kind = type(piece)
                parts.append(piece.text)
            else:
                yield piece
    except ModelError as error:
        failure = error
    if parts:
        yield kind("".join(parts))
    if failure is not None:
        raise failure


def ending(reason: str, name: str) -> Finished:
    """What a finish reason means; raises where it says that the reply is no reply."""
    if reason in BROKEN:
        raise failures.failure("provider_error", name, f"finish_reason {reason}")
    if reason in FILTERED:
        raise failures.failure("bad_request", name, "its content filter stopped the reply")
    return Finished(truncated=reason in TRUNCATED)


def _parts(parts: list[Any]) -> list[Piece]:
    """Content given as a list: text, and thinking that may itself be a list of texts."""
    found: list[Piece] = []
    for part in parts:
        match part:
            case {"type": "text", "text": str(text)} if text:
                found.append(Text(text))
            case {"type": "thinking", "thinking": str(text)} if text:
                found.append(Reasoning(text))
            case {"type": "thinking", "thinking": list(inner)}:
                found += [Reasoning(p.text) for p in _parts(inner) if isinstance(p, Text)]
            case _:
                pass
    return found


def _json(arguments: str | dict[str, Any] | None) -> str:
    """Arguments as JSON text: some servers send the object itself."""
    if isinstance(arguments, dict):
        return msgspec.json.encode(arguments).decode()
    return arguments or ""
