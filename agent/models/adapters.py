"""Which adapter speaks to which model: made when first needed, and shared by all sessions."""

from collections.abc import Callable, Mapping

from agent.models.chat_reply import Prices
from agent.models.demo import DemoModel
from agent.models.effort import SteppingDown
from agent.models.entries import ModelEntry
from agent.models.litellm_model import LiteLLM
from agent.models.openai_compatible import USUAL, Limits, OpenAICompatible
from agent.models.port import Effort, Model

OPENAI = "https://api.openai.com/v1"
HUGGING_FACE = "https://router.huggingface.co/v1"


class Places:
    """Where models are asked for. `chosen` is the model that was named together with `api_base`."""

    def __init__(self, chosen: str | None, api_base: str | None, router: str) -> None:
        self._chosen = chosen
        self.api_base = api_base
        self.router = router

    def is_at_the_base(self, model: str) -> bool:
        """It is asked for at --api-base and nowhere else."""
        if self.api_base is None or is_native(model, "hf") or model == "demo":
            return False
        return is_native(model, "openai") or model == self._chosen


def is_native(model: str, *heads: str) -> bool:
    return model.split("/", 1)[0] in (heads or ("openai", "hf"))


class Adapters:
    """`host_key` is what an OpenAI-compatible server is asked with by whoever brings none."""

    def __init__(
        self,
        entries: Mapping[str, ModelEntry],
        places: Places,
        host_key: Callable[[], str | None],
        request_seconds: float,
    ) -> None:
        self._entries = entries
        self._places = places
        self._host_key = host_key
        self._limits = Limits(
            request_seconds=request_seconds,
            silence_seconds=min(USUAL.silence_seconds, request_seconds),
        )
        self._made: dict[str, Model] = {}

    def of(self, model: str) -> Model:
        kind = self._kind(model)
        if kind not in self._made:
            adapter = self._make(model)
            thinks = any(entry.effort is not None for entry in self._entries.values())
            self._made[kind] = SteppingDown(adapter, self._effort) if thinks else adapter
        return self._made[kind]

    async def close(self) -> None:
        for adapter in self._made.values():
            await adapter.close()

    def _effort(self, model: str) -> Effort | None:
        return self._entries.get(model, ModelEntry()).effort

    def _kind(self, model: str) -> str:
        """What has an adapter of its own: an endpoint, or a model with prices."""
        if model == "demo":
            return "demo"
        if not is_native(model):
            return model if self._places.is_at_the_base(model) else "litellm"
        priced = model in self._entries and self._entries[model].prices is not None
        return model if priced else model.split("/", 1)[0]

    def _make(self, model: str) -> Model:
        prices, places = self._entries.get(model, ModelEntry()).prices, self._places
        if model == "demo":
            return DemoModel()
        if is_native(model, "hf"):
            return self._native("hf", places.router, lambda: None, prices)
        if is_native(model, "openai"):
            return self._native("openai", places.api_base or OPENAI, self._host_key, prices)
        base = places.api_base if places.is_at_the_base(model) else None
        return LiteLLM(api_base=base, request_seconds=self._limits.request_seconds)

    def _native(
        self, name: str, base: str, key: Callable[[], str | None], prices: Prices | None
    ) -> Model:
        return OpenAICompatible(name, base, key, prices=prices, limits=self._limits)
