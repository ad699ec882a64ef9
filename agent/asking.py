"""One request to a model, tried again while that may help, and every retry announced."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Protocol, TypeVar

from agent.history import estimate_tokens
from agent.journal import Activity, GrowthKind, OpenText
from agent.means import Means
from agent.models.port import ModelError, ModelRequest, Piece, Text, Used
from agent.protocol import AnyEvent, ErrorNote, Purpose, Retrying, SubmissionId, TurnId, Usage


class Desk(Protocol):
    """What work in a session writes through; its calls end when the work was stopped."""

    async def record(self, *events: AnyEvent, answers: SubmissionId | None = None) -> None:
        """Returns when the events are committed; hand-over order is log order.

        `answers`: the submission that took effect by them.
        """
        ...

    def open(self, kind: GrowthKind, item: str) -> OpenText: ...

    def activity(self, activity: Activity | None) -> None: ...


class Sink(Protocol):
    """Takes one reply; `was_shown` once a viewer may have seen part of it."""

    @property
    def was_shown(self) -> bool: ...

    def take(self, piece: Piece) -> None: ...


S = TypeVar("S", bound=Sink)


async def ask(
    means: Means,
    desk: Desk,
    request: ModelRequest,
    new_sink: Callable[[], S],
    *,
    turn: TurnId | None,
    busy: Activity | None,
) -> S:
    """The sink of the attempt that succeeded; raises ModelError when no retry can mend it."""
    attempt = 1
    while True:
        sink = new_sink()
        desk.activity(busy)
        try:
            async with aclosing(means.models.adapter(request.model).stream(request)) as pieces:
                async for piece in pieces:
                    sink.take(piece)
            return sink
        except ModelError as error:
            wait = means.retries.wait(attempt, error, shown=sink.was_shown)
            if wait is None:
                raise
            of = means.retries.attempts(error)
            note = ErrorNote(error.code, error.message)
        await desk.record(Retrying(attempt, of, wait, note, turn))
        desk.activity("retrying")
        await means.sleep(wait)
        attempt += 1


def usage_of(used: Used, model: str, purpose: Purpose, turn: TurnId | None = None) -> Usage:
    """The event that tells what a request used."""
    return Usage(
        model=model,
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        cached_tokens=used.cached_tokens,
        cost_usd=used.cost_usd,
        purpose=purpose,
        turn=turn,
    )


class Aside:
    """A reply that nobody watches: a summary, a title."""

    was_shown = False

    def __init__(self) -> None:
        self._text: list[str] = []
        self._used: Used | None = None

    def take(self, piece: Piece) -> None:
        match piece:
            case Text(text=text):
                self._text.append(text)
            case Used():
                self._used = piece
            case _:
                pass

    @property
    def text(self) -> str:
        return "".join(self._text).strip()

    def used(self, request: Sequence[str]) -> Used:
        """What the provider counted, or an estimate of unknown cost."""
        asked = sum(estimate_tokens(part) for part in request)
        return self._used or Used(asked, estimate_tokens(self.text))
