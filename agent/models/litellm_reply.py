"""A reply that comes through litellm: its chunks go in, pieces come out."""

from types import ModuleType
from typing import Any

from agent.models import failures
from agent.models.call_order import CallOrder
from agent.models.chat_reply import ending
from agent.models.port import MOST_TOKENS, Piece, Reasoning, Text, Used

MOST_USAGES = 16
"""Some providers tell with each chunk what was used so far: the first and the last ones count."""


class Usages(list[Any]):
    """What litellm keeps of a stream: chunks that tell usage, and no others.

    In place of its list of all chunks. From that it would build the reply a second time when the
    stream ends, and hold up the whole process for that, the longer the longer the reply; and it
    would take a model for broken that says the same a hundred times.
    """

    def append(self, chunk: Any) -> None:
        if getattr(chunk, "usage", None) is None:
            return
        if len(self) == MOST_USAGES:
            del self[MOST_USAGES // 2]
        super().append(chunk)


class LiteLLMReply:
    """`stopped` means that litellm has said why it stopped, `whole` that nothing more is needed;
    `chunks` counts what came."""

    def __init__(self, litellm: ModuleType, model: str) -> None:
        self.chunks = 0
        self._litellm = litellm
        self._model = model
        self._calls = CallOrder()
        self._reason = ""
        self._usage: Any = None

    @property
    def stopped(self) -> bool:
        return bool(self._reason)

    @property
    def whole(self) -> bool:
        return bool(self._reason) and self._usage is not None

    def take(self, chunk: Any) -> list[Piece]:
        self.chunks += 1
        self._usage = getattr(chunk, "usage", None) or self._usage
        if not chunk.choices:
            return []
        choice = chunk.choices[0]
        self._reason = choice.finish_reason or self._reason
        delta = choice.delta
        found: list[Piece] = []
        if reasoning := getattr(delta, "reasoning_content", None):
            found.append(Reasoning(_text(reasoning)))
        if delta.content:
            found.append(Text(_text(delta.content)))
        for call in delta.tool_calls or ():
            made = getattr(call, "function", None)
            if made is None:
                raise failures.failure("garbled", provider_of(self._model), "a call of no function")
            found += self._calls.take(call.index, call.id, made.name, _text(made.arguments or ""))
        return found

    def end(self, *, is_whole: bool) -> list[Piece]:
        name = provider_of(self._model)
        if not is_whole:
            raise failures.failure("stream_cut", name)
        if self._calls.nameless:
            raise failures.failure("garbled", name, "a tool call without a name")
        finished = ending(self._reason, name)
        used = None if self._usage is None else self._used()
        return [finished] if used is None else [used, finished]

    def _used(self) -> Used | None:
        usage = self._usage
        details = getattr(usage, "prompt_tokens_details", None)
        cached = getattr(details, "cached_tokens", None) or 0
        counts = (usage.prompt_tokens, usage.completion_tokens, cached)
        if not all(type(count) is int and 0 <= count <= MOST_TOKENS for count in counts):
            return None
        return Used(usage.prompt_tokens, usage.completion_tokens, cached, self._cost())

    def _cost(self) -> float | None:
        """Dollars; None where litellm has no price for the model."""
        litellm = self._litellm
        try:
            return float(sum(litellm.cost_per_token(model=self._model, usage_object=self._usage)))
        except (litellm.exceptions.ModelNotMappedError, litellm.exceptions.openai.OpenAIError):
            return None


def _text(said: str) -> str:
    """Half a surrogate pair is no text that can be stored or sent: U+FFFD in its place."""
    if said.isascii():
        return said
    return said.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def provider_of(model: str) -> str:
    return model.partition("/")[0]


def said_why(stream: Any) -> bool:
    """Did the provider say why it stopped? litellm makes up a reason where it received none."""
    received = getattr(stream, "received_finish_reason", "")
    return received is not None or stream.intermittent_finish_reason is not None
