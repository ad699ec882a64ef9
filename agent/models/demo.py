"""The built-in demo model: a fixed script, no AI, for trying everything without a key."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence

import msgspec

from agent.conversation import Message
from agent.models.demo_script import TITLE, Scene, next_scene
from agent.models.port import (
    CallFragment,
    Finished,
    ModelError,
    ModelRequest,
    Piece,
    Reasoning,
    Text,
    Used,
)

ARGUMENTS_PIECE = 24
CHARACTERS_PER_TOKEN = 4


class DemoModel:
    """Streams the scene that follows from the messages, with `pause` seconds between pieces."""

    def __init__(
        self,
        *,
        pause: float = 0.02,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._pause = pause
        self._sleep = sleep

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Piece, None]:
        scene = next_scene(request.messages) if request.tools else Scene(TITLE)
        written = 0
        for piece in _pieces(scene):
            await self._sleep(self._pause)
            written += _size(piece)
            yield piece
        if scene.fails:
            raise ModelError("bad_request", "The demo broke off, as you asked.", retryable=False)
        yield Used(_tokens(_read(request.messages)), _tokens(written), cost_usd=0.0)
        yield Finished()

    async def warm(self) -> None:
        """Nothing is slow here."""

    async def close(self) -> None:
        """Nothing is open here."""


def _pieces(scene: Scene) -> Iterator[Piece]:
    yield from map(Reasoning, _words(scene.reasoning))
    yield from map(Text, _words(scene.text))
    for index, act in enumerate(scene.acts):
        yield CallFragment(index, act.tool)
        arguments = msgspec.json.encode(act.arguments).decode()
        for start in range(0, len(arguments), ARGUMENTS_PIECE):
            yield CallFragment(index, arguments=arguments[start : start + ARGUMENTS_PIECE])


def _words(text: str) -> list[str]:
    """Words with the space around them: together exactly the text."""
    return re.findall(r"\s*\S+\s*", text)


def _size(piece: Piece) -> int:
    match piece:
        case Text(text) | Reasoning(text):
            return len(text)
        case CallFragment():
            return len(piece.arguments)
        case _:
            return 0


def _read(messages: Sequence[Message]) -> int:
    return sum(len(message.text) for message in messages)


def _tokens(characters: int) -> int:
    """An estimate; nobody pays for it."""
    return -(-characters // CHARACTERS_PER_TOKEN)
