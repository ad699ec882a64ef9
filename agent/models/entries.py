"""What is known of models: as the configuration says it, and as it is offered."""

from typing import Annotated

from msgspec import Meta, Struct

from agent.models.chat_reply import Prices
from agent.models.port import Effort

FALLBACK_CONTEXT = 200_000
"""Tokens, where nothing is known of a model."""


class ModelEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a model; a configuration object. `context` is in tokens; `needs` names the
    secret without which it cannot be used, the user's own or one of the server's environment;
    `effort` is how hard it thinks."""

    label: str | None = None
    context: Annotated[int, Meta(ge=1024)] = FALLBACK_CONTEXT
    needs: str | None = None
    prices: Prices | None = None
    effort: Effort | None = None


class Offer(Struct, frozen=True):
    """A model as it is offered; `why_not` says what to do where it is not available."""

    id: str
    label: str
    context: int
    available: bool
    why_not: str | None = None
