"""A test server for models, and the adapters that the contract is held against."""

from collections.abc import AsyncIterator

import pytest

from agent.models.litellm_model import LiteLLM
from agent.models.openai_compatible import OpenAICompatible
from agent.models.port import Model
from tests.model_server import ModelServer

KEY = "sk-this-is-the-secret-key-0123456789"


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest.fixture
async def native(server: ModelServer) -> AsyncIterator[OpenAICompatible]:
    model = OpenAICompatible("openai", server.url, lambda: KEY)
    yield model
    await model.close()


AS_LITELLM_IS = [
    pytest.mark.timeout(600),  # importing it takes many seconds, on a busy machine a minute
    pytest.mark.filterwarnings("ignore:.*`ReadOnly` qualifier:UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
"""Its import is slow, and warns about its own code; in production nobody sees that."""


@pytest.fixture(params=["native", pytest.param("litellm", marks=AS_LITELLM_IS)])
async def model(request: pytest.FixtureRequest, server: ModelServer) -> AsyncIterator[Model]:
    adapter: Model
    if request.param == "native":
        adapter = OpenAICompatible("openai", server.url, lambda: KEY)
    else:
        adapter = LiteLLM(api_base=server.url, key=lambda: KEY)
    yield adapter
    await adapter.close()
