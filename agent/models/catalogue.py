"""The models there are: what ids mean, and which of them each user has a key for."""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from msgspec import structs

from agent.models import whose_key
from agent.models.adapters import HUGGING_FACE, Adapters, Places, is_native
from agent.models.entries import ModelEntry, Offer
from agent.models.port import Model, ModelError, ModelRequest, Piece
from agent.models.whose_key import HUB_TOKEN, Host, User

OPENAI_KEY = "OPENAI_API_KEY"
_HUB_ID = re.compile(r"hf/[\w.-]+/[\w.-]+(:[\w.-]+)?")


class Catalogue:
    """What all users share. `host` are the models as whoever starts the server has them.

    `default` is the id of `--model`; without one, the first entry that can be used. `api_base` is
    the address of `openai/...` models, `router` of `hf/...` ones.
    """

    def __init__(
        self,
        entries: Mapping[str, ModelEntry],
        environment: Mapping[str, str],
        *,
        default: str | None = None,
        api_base: str | None = None,
        router: str = HUGGING_FACE,
        request_seconds: float = 600,
    ) -> None:
        self.entries = dict(entries)
        if default is not None:
            self.entries = {default: self.entries.get(default, ModelEntry()), **self.entries}
        self.chosen = default
        self.environment = environment
        self.places = Places(default, api_base, router)
        self._adapters = Adapters(
            self.entries, self.places, lambda: environment.get(OPENAI_KEY), request_seconds
        )
        self.host = self.of(Host(environment))
        self.default = self.host.default

    def of(self, user: User) -> "OwnModels":
        return OwnModels(self, user)

    def has(self, model: str) -> bool:
        """It is offered, or an id that needs no entry; who has a key for it is another matter."""
        if model in self.entries:
            return not self.is_elsewhere(model)
        if is_native(model, "openai"):
            return self.places.api_base is not None and len(model) > len("openai/")
        return _HUB_ID.fullmatch(model) is not None

    def is_elsewhere(self, model: str) -> bool:
        """It is OpenAI's, and `openai/...` is asked for at another address here."""
        needs = self._entry(model).needs
        at_the_base = is_native(model, "openai") and self.places.api_base is not None
        return at_the_base and needs is not None and model != self.chosen

    def key_name(self, model: str) -> str | None:
        """The secret that it is asked with. What goes to --api-base has to be named by an entry."""
        needs = self._entry(model).needs
        if needs or self.places.is_at_the_base(model):
            return needs
        if is_native(model, "hf", "huggingface"):
            return HUB_TOKEN
        return OPENAI_KEY if is_native(model, "openai") else None

    def context(self, model: str) -> int:
        return self._entry(model).context

    def shared(self, model: str) -> Model:
        """The adapter of all users. Raises ModelError `model_not_found`."""
        if not self.has(model):
            raise ModelError(
                "model_not_found",
                f"There is no model {model!r} here any more. Choose another.",
                retryable=False,
            )
        return self._adapters.of(model)

    async def warm(self) -> None:
        """Do the slow part of the first call for the default model."""
        await self.shared(self.default).warm()

    async def close(self) -> None:
        await self._adapters.close()

    def _entry(self, model: str) -> ModelEntry:
        return self.entries.get(model, ModelEntry())


class OwnModels:
    """The models as one user has them, whose keys are looked up at each request.

    Implements Models.
    """

    def __init__(self, catalogue: Catalogue, user: User) -> None:
        self._catalogue = catalogue
        self._user = user

    @property
    def default(self) -> str:
        """Of new sessions."""
        usable = (id for id in self._catalogue.entries if self.why_not(id) is None)
        return self._catalogue.chosen or next(usable, "demo")

    def offers(self) -> tuple[Offer, ...]:
        return tuple(
            Offer(id, entry.label or id, entry.context, (why := self.why_not(id)) is None, why)
            for id, entry in self._catalogue.entries.items()
        )

    def knows(self, model: str) -> bool:
        """It can be chosen. That of --model always can: its turns say whose key is missing."""
        return model == self._catalogue.chosen or self.why_not(model) is None

    def why_not(self, model: str) -> str | None:
        """What to do where it cannot be used."""
        if model in self._catalogue.entries and self._catalogue.is_elsewhere(model):
            return f"Start the server with --model {model} if the one at --api-base has it."
        if not self._catalogue.has(model):
            return "There is no such model here. See /api/models."
        return self._lack(model)

    def context(self, model: str) -> int:
        return self._catalogue.context(model)

    def adapter(self, model: str) -> Model:
        """Raises ModelError `model_not_found`, or `unauthorized` where the user has no key."""
        adapter = self._catalogue.shared(model)
        if (lack := self._lack(model)) is not None:
            raise ModelError(
                "unauthorized", f"There is no key for {model}. {lack}", retryable=False
            )
        key = self._key(model)
        return adapter if key is None else _WithKey(adapter, key)

    def _key(self, model: str) -> str | None:
        """What LiteLLM finds in the environment is left to it: some providers need more there."""
        if not (name := self._catalogue.key_name(model)):
            return None
        own = whose_key.own(name, self._user)
        if own is not None or not is_native(model):
            return own
        return whose_key.offered(name, self._catalogue.environment)

    def _lack(self, model: str) -> str | None:
        """What to do where it has no key. At --api-base it need not have one."""
        name = self._catalogue.key_name(model)
        if not name or self._catalogue.places.is_at_the_base(model):
            return None
        if whose_key.own(name, self._user) or whose_key.offered(name, self._catalogue.environment):
            return None
        return whose_key.way_out(name)


class _WithKey:
    """An adapter of all users, asked with the key of one."""

    def __init__(self, adapter: Model, key: str) -> None:
        self._adapter = adapter
        self._key = key

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Piece, None]:
        keyed = structs.replace(request, key=self._key)
        async with aclosing(self._adapter.stream(keyed)) as pieces:
            async for piece in pieces:
                yield piece

    async def warm(self) -> None:
        await self._adapter.warm()

    async def close(self) -> None:
        """It is not this user's to close."""
