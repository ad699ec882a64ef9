"""What a model is: a stream of pieces, and the ways it can fail."""

from collections.abc import AsyncGenerator
from typing import Literal, Protocol

from msgspec import Struct

from agent.conversation import Message, ToolSchema
from agent.errors import Problem

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]
"""How hard a model thinks before it answers, in the words of the chat-completions protocol."""


class ModelRequest(Struct, frozen=True):
    """One request. Without `tools` the model is offered none (titles, summaries). `key` is of whom
    it is made for; without one, the adapter has one of the host, or none."""

    model: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSchema, ...] = ()
    max_output_tokens: int | None = None
    effort: Effort | None = None
    key: str | None = None


class Text(Struct, frozen=True):
    text: str


class Reasoning(Struct, frozen=True):
    text: str


class CallFragment(Struct, frozen=True):
    """Part of the tool call at `index`; the name comes whole, `arguments` (JSON text) in pieces.

    Adapters guarantee that the first fragment of an index carries the name, and that two calls
    never share an index, whatever the provider did.
    """

    index: int
    name: str = ""
    arguments: str = ""


MOST_TOKENS = 10**12
"""A count beyond it, or below zero, is a provider's mistake: nothing is known then."""


class Used(Struct, frozen=True):
    """Tokens of this request; `cost_usd` is None where the price is unknown."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    cost_usd: float | None = None


class Finished(Struct, frozen=True):
    """Why the model stopped: `truncated` when it ran into its output limit."""

    truncated: bool = False


Piece = Text | Reasoning | CallFragment | Used | Finished


class ModelError(Problem):
    """A request that failed, classified.

    `code`: `rate_limited` `overloaded` `unreachable` `timed_out` `stream_cut` `garbled`
    `provider_error` (all worth a retry) · `context_overflow` · `unauthorized` `forbidden`
    `model_not_found` `bad_request` (a retry cannot mend them) .
    `retry_after`: seconds the provider asked for.
    """

    def __init__(
        self, code: str, message: str, *, retryable: bool, retry_after: float | None = None
    ) -> None:
        super().__init__(code, message)
        self.retryable = retryable
        self.retry_after = retry_after


class Model(Protocol):
    """An adapter. It opens one HTTP request per call of `stream` and never retries by itself."""

    def stream(self, request: ModelRequest) -> AsyncGenerator[Piece, None]:
        """Yield pieces until the reply is whole, ending with Finished; raise ModelError.

        Use it under `contextlib.aclosing`. A stream that ends without the provider saying that it
        is finished raises `stream_cut`. Cancelling closes the upstream connection.
        """
        ...

    async def warm(self) -> None:
        """Do the slow part of the first call (imports, clients) before the server says ready."""
        ...

    async def close(self) -> None: ...
