"""Stories share one loop, and the stories of one module one server; each has a world of its own."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.oracle import Frame
from tests.serving import Server
from tests.stories.scene import CONFIG, Story, StoryModel

HERE = Path(__file__).parent
NewStory = Callable[..., Awaitable[Story]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        is_async = isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj)
        if HERE in item.path.parents and is_async:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def overlay(*more: Frame) -> Frame:
    """The stories' configuration with more laid over it, as the server merges objects."""
    merged: Frame = {}
    for layer in (CONFIG, *more):
        for key, value in layer.items():
            nested = isinstance(value, dict)
            merged[key] = {**merged.get(key, {}), **value} if nested else value
    return merged


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def model() -> AsyncIterator[StoryModel]:
    async with StoryModel() as model:
        yield model


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(
    model: StoryModel, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[Server]:
    """The module's server; a module's `OVERLAY` is laid over the stories' configuration."""
    config = overlay(getattr(request.module, "OVERLAY", {}))
    async with Server(tmp_path_factory.mktemp("server"), model.url, config=config) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def story(server: Server, model: StoryModel) -> AsyncIterator[Story]:
    """A story on the module's server."""
    model.fresh()
    async with AsyncExitStack() as stack:
        story = Story(server, model, stack)
        await story.connect()
        try:
            yield story
            await story.judge()
            assert not model.left, "the model was asked for everything it had to say"
        finally:
            await story.tidy()


@pytest_asyncio.fixture(loop_scope="session")
async def alone(model: StoryModel, tmp_path: Path) -> AsyncIterator[NewStory]:
    """A story on a server of its own, which it may kill: `await alone({...overlay})`.

    With `bare=True` nothing of the stories' own configuration is under the overlay.
    """
    model.fresh()
    async with AsyncExitStack() as stack:
        stories: list[Story] = []

        async def new_story(
            config: Frame | None = None, *, bare: bool = False, **how: Any
        ) -> Story:
            folder = tmp_path / f"server-{len(stories)}"
            folder.mkdir()
            whole = config if bare else overlay(config or {})
            server = Server(folder, model.url, config=whole, **how)
            await stack.enter_async_context(server)
            stories.append(Story(server, model, stack))
            await stories[-1].connect()
            return stories[-1]

        yield new_story
        for story in stories:
            await story.judge()
