"""How hard a model is asked to think, and less of it where its provider refuses that."""

import logging
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from msgspec import structs

from agent.models.port import Effort, Model, ModelError, ModelRequest, Piece

log = logging.getLogger(__name__)

LOWER: dict[Effort, Effort | None] = {
    "xhigh": "high",
    "high": "medium",
    "medium": "low",
    "low": None,
    "minimal": None,
    "none": None,
}
"""What is tried next; None leaves it to the provider, which every one of them takes."""
_COMPLAINT = re.compile(r"reasoning|effort|thinking", re.IGNORECASE)


class SteppingDown:
    """An adapter that is asked for the effort of each model; a refusal is remembered, not shown.

    It asks again at once and only before anything was said: nothing is lost, and nobody waits.
    """

    def __init__(self, adapter: Model, effort_of: Callable[[str], Effort | None]) -> None:
        self._adapter = adapter
        self._effort_of = effort_of
        self._refused: dict[str, Effort | None] = {}

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Piece, None]:
        model, said = request.model, False
        while True:
            effort = self._refused.get(model, self._effort_of(model))
            try:
                asked = structs.replace(request, effort=effort)
                async with aclosing(self._adapter.stream(asked)) as pieces:
                    async for piece in pieces:
                        said = True
                        yield piece
                return
            except ModelError as error:
                complains = error.code == "bad_request" and _COMPLAINT.search(error.message)
                if effort is None or said or not complains:
                    raise
                self._refused[model] = LOWER[effort]
                log.warning(
                    "%s refuses the effort %s; less is asked for from now on", model, effort
                )

    async def warm(self) -> None:
        await self._adapter.warm()

    async def close(self) -> None:
        await self._adapter.close()
