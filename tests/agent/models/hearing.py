"""Listening to a model: all its pieces, and the error that ended them."""

from collections.abc import Iterable
from contextlib import aclosing

from msgspec import Struct

from agent.conversation import Message, ToolSchema
from agent.models.port import (
    CallFragment,
    Finished,
    Model,
    ModelError,
    ModelRequest,
    Piece,
    Reasoning,
    Text,
    Used,
)

BASH = ToolSchema("bash", "Run a command.", {"type": "object", "properties": {}})


class Heard(Struct):
    """What a stream brought, joined."""

    pieces: list[Piece]
    error: ModelError | None

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces if isinstance(piece, Text))

    @property
    def reasoning(self) -> str:
        return "".join(piece.text for piece in self.pieces if isinstance(piece, Reasoning))

    @property
    def calls(self) -> list[tuple[str, str]]:
        """Name and arguments of each call; fails where an index does not begin with its name."""
        return calls_of(self.pieces)

    @property
    def used(self) -> Used | None:
        return next((piece for piece in self.pieces if isinstance(piece, Used)), None)

    @property
    def finished(self) -> Finished | None:
        return next((piece for piece in self.pieces if isinstance(piece, Finished)), None)

    @property
    def code(self) -> str:
        return "" if self.error is None else self.error.code


def calls_of(pieces: Iterable[Piece]) -> list[tuple[str, str]]:
    calls: dict[int, tuple[str, str]] = {}
    for piece in pieces:
        if isinstance(piece, CallFragment):
            name, arguments = calls.get(piece.index, (piece.name, ""))
            assert name, "the first fragment of an index carries the name"
            calls[piece.index] = (name, arguments + piece.arguments)
    return [calls[index] for index in sorted(calls)]


def asking(
    text: str = "hi", *, model: str = "openai/m", tools: tuple[ToolSchema, ...] = (BASH,)
) -> ModelRequest:
    return ModelRequest(model, (Message("user", text),), tools)


async def hear(model: Model, request: ModelRequest | None = None) -> Heard:
    heard = Heard([], None)
    try:
        async with aclosing(model.stream(request or asking())) as stream:
            async for piece in stream:
                heard.pieces.append(piece)
    except ModelError as error:
        heard.error = error
    return heard
