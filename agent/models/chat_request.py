"""A request as the chat-completions protocol writes it."""

from collections.abc import Sequence
from typing import Any

import msgspec

from agent.conversation import CallMade, Message, ToolSchema
from agent.models.port import ModelRequest

Json = dict[str, Any]


def messages(request: ModelRequest) -> list[Json]:
    return [_message(message) for message in request.messages]


def tools(schemas: Sequence[ToolSchema]) -> list[Json]:
    return [{"type": "function", "function": msgspec.to_builtins(schema)} for schema in schemas]


class WrittenTools:
    """Tools as they are sent: most of a request's bytes, and mostly those of the request before."""

    def __init__(self) -> None:
        self._schemas: Sequence[ToolSchema] = ()
        self._written = msgspec.Raw(b"[]")

    def of(self, schemas: Sequence[ToolSchema]) -> msgspec.Raw:
        if schemas != self._schemas:
            asked = [{"type": "function", "function": schema} for schema in schemas]
            self._schemas, self._written = schemas, msgspec.Raw(msgspec.json.encode(asked))
        return self._written


def body(
    request: ModelRequest, model: str, limit_field: str, written: WrittenTools | None = None
) -> bytes:
    """The JSON body of a streaming request; `limit_field` names the limit on output tokens."""
    asked: Json = {
        "model": model,
        "messages": messages(request),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.tools:
        asked["tools"] = (written or WrittenTools()).of(request.tools)
    if request.max_output_tokens is not None:
        asked[limit_field] = request.max_output_tokens
    if request.effort is not None:
        asked["reasoning_effort"] = request.effort
    return msgspec.json.encode(asked)


def cached(written: list[Json]) -> list[Json]:
    """The same messages with marks up to which a provider may keep what it has read: behind the
    system prompt, and behind the last message (Anthropic's `cache_control`)."""
    ends = {0, len(written) - 1}
    return [_marked(m) if n in ends else m for n, m in enumerate(written)]


def limit_field(host: str) -> str:
    """OpenAI's own newer models refuse the name that everyone else knows."""
    own = host == "api.openai.com" or host.endswith(".openai.azure.com")
    return "max_completion_tokens" if own else "max_tokens"


def _message(message: Message) -> Json:
    written: Json = {"role": message.role, "content": message.text}
    if message.calls:
        # Providers refuse an empty text beside calls, and want an explicit null.
        written["content"] = message.text or None
        written["tool_calls"] = [_call(call) for call in message.calls]
    if message.call is not None:
        written["tool_call_id"] = message.call
    return written


def _marked(written: Json) -> Json:
    text = written["content"]
    if not text:
        return written
    mark = {"cache_control": {"type": "ephemeral"}}
    if written["role"] == "tool":
        return {**written, **mark}  # a result bears it itself, not the text in it
    return {**written, "content": [{"type": "text", "text": text, **mark}]}


def _call(call: CallMade) -> Json:
    arguments = msgspec.json.encode(call.arguments).decode()
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.tool, "arguments": arguments},
    }
