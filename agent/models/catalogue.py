"""The models there are: what ids mean, what each can hold, and which adapter speaks to it."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated

from msgspec import Meta, Struct

from agent.models.chat_reply import Prices
from agent.models.demo import DemoModel
from agent.models.effort import SteppingDown
from agent.models.litellm_model import LiteLLM
from agent.models.openai_compatible import USUAL, Limits, OpenAICompatible
from agent.models.port import Effort, Model, ModelError

FALLBACK_CONTEXT = 200_000
"""Tokens, where nothing is known of a model."""
OPENAI = "https://api.openai.com/v1"
HUGGING_FACE = "https://router.huggingface.co/v1"
_HUB_ID = re.compile(r"hf/[\w.-]+/[\w.-]+(:[\w.-]+)?")


class ModelEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a model; a configuration object. `context` is in tokens; `needs` names the
    environment variable without which it cannot be used; `effort` is how hard it thinks."""

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


class Catalogue:
    """Adapters are made when they are first needed, and shared by all sessions.

    `default` is the id of `--model`; without one, the first entry that can be used. `api_base` is
    the address of `openai/...` models.
    """

    def __init__(
        self,
        entries: Mapping[str, ModelEntry],
        environment: Mapping[str, str],
        *,
        default: str | None = None,
        api_base: str | None = None,
        request_seconds: float = 600,
    ) -> None:
        self._entries = dict(entries)
        self._environment = environment
        self._api_base = api_base
        self._limits = Limits(
            request_seconds=request_seconds,
            silence_seconds=min(USUAL.silence_seconds, request_seconds),
        )
        self._adapters: dict[str, Model] = {}
        if default is not None:
            self._entries = {default: self._entries.get(default, ModelEntry()), **self._entries}
        self._chosen = default
        self.default = default or next(
            (id for id in self._entries if self._why_not(id) is None), "demo"
        )

    def offers(self) -> tuple[Offer, ...]:
        return tuple(
            Offer(id, entry.label or id, entry.context, (why := self._why_not(id)) is None, why)
            for id, entry in self._entries.items()
        )

    def knows(self, model: str) -> bool:
        """It can be chosen: it is offered and available, or an id whose wire needs no entry."""
        if model in self._entries:
            return self._why_not(model) is None
        if model.startswith("openai/"):
            return self._api_base is not None and len(model) > len("openai/")
        return bool(_HUB_ID.fullmatch(model) and self._environment.get("HF_TOKEN"))

    def context(self, model: str) -> int:
        return self._entries.get(model, ModelEntry()).context

    def adapter(self, model: str) -> Model:
        """Raises ModelError `model_not_found`."""
        if not self.knows(model):
            raise ModelError(
                "model_not_found",
                f"There is no model {model!r} here any more. Choose another.",
                retryable=False,
            )
        kind = self._kind(model)
        if kind not in self._adapters:
            adapter = self._make(kind, model)
            thinks = any(entry.effort is not None for entry in self._entries.values())
            self._adapters[kind] = SteppingDown(adapter, self._effort) if thinks else adapter
        return self._adapters[kind]

    async def warm(self) -> None:
        """Do the slow part of the first call for the default model."""
        await self.adapter(self.default).warm()

    async def close(self) -> None:
        for adapter in self._adapters.values():
            await adapter.close()

    def _effort(self, model: str) -> Effort | None:
        return self._entries.get(model, ModelEntry()).effort

    def _kind(self, model: str) -> str:
        """What has an adapter of its own: an endpoint, or a model with prices."""
        if model == "demo":
            return "demo"
        head = model.split("/", 1)[0]
        if head not in ("openai", "hf"):
            return model if self._is_at_the_base(model) else "litellm"
        priced = model in self._entries and self._entries[model].prices is not None
        return model if priced else head

    def _make(self, kind: str, model: str) -> Model:
        prices = self._entries.get(model, ModelEntry()).prices
        if kind == "demo":
            return DemoModel()
        if model.startswith("hf/"):
            return self._native("hf", HUGGING_FACE, "HF_TOKEN", prices)
        if model.startswith("openai/"):
            return self._native("openai", self._api_base or OPENAI, "OPENAI_API_KEY", prices)
        base = self._api_base if self._is_at_the_base(model) else None
        return LiteLLM(api_base=base, request_seconds=self._limits.request_seconds)

    def _is_at_the_base(self, model: str) -> bool:
        """The model that was named together with --api-base is asked for there and nowhere else."""
        return model == self._chosen and self._api_base is not None

    def _native(self, name: str, base: str, variable: str, prices: Prices | None) -> Model:
        return OpenAICompatible(
            name, base, self._secret(variable), prices=prices, limits=self._limits
        )

    def _secret(self, variable: str) -> Callable[[], str | None]:
        return lambda: self._environment.get(variable)

    def _why_not(self, id: str) -> str | None:
        entry = self._entries[id]
        if id == self._chosen or entry.needs is None:
            return None
        if id.startswith("openai/") and self._api_base is not None:
            return f"Start the server with --model {id} if the one at --api-base has it."
        if self._environment.get(entry.needs):
            return None
        return f"Set {entry.needs} and start the server again."
