"""What the browser tests stand on: one browser for all; server, model and people."""

import os
import random
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.api import Api
from tests.browser.club import club  # noqa: F401
from tests.browser.person import Person
from tests.browser.text_room import room, text_page  # noqa: F401
from tests.serving import Server
from tests.stories.scene import CONFIG, StoryModel, tidy

Theme = Literal["light", "dark"]
Meet = Callable[..., Awaitable[Person]]
PHONE_TOO = pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
PATIENCE = 40_000
"""Milliseconds that anything in a page may take, also on a slow and busy machine: more than the
longest wait of a page that dials again."""
STARTS_WITHIN = 120_000
"""Milliseconds that the browser itself may take to start."""
ALL_OF_IT = 300
"""Seconds for one test, in which several things may take that long."""
HERE = Path(__file__).parent
expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(ALL_OF_IT))


@dataclass(frozen=True)
class House:
    """A running server and the model it asks."""

    server: Server
    model: StoryModel

    @property
    def url(self) -> str:
        return self.server.url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("needs the Debian package `chromium`")
    flags = ["--disable-background-networking", "--disable-component-update", "--no-first-run"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=flags, timeout=STARTS_WITHIN
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def meet(browser: Browser) -> AsyncIterator[Meet]:
    """`await meet(url)`: a person with a browser of their own; at the end nobody saw an error."""
    async with AsyncExitStack() as stack:

        async def meet(
            url: str, *, phone: bool = False, offline: bool = False, theme: Theme | None = None
        ) -> Person:
            context = await browser.new_context(
                viewport={"width": 390, "height": 844} if phone else {"width": 1280, "height": 800},
                color_scheme=theme or ("dark" if phone else "light"),
                has_touch=phone,
                is_mobile=phone,
            )
            context.set_default_timeout(PATIENCE)
            person = Person(url, await context.new_page(), may_lose_connection=offline)
            stack.push_async_callback(context.close)
            stack.push_async_callback(person.saw_no_error)
            return await person.begin()

        yield meet


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One server for all tests that do not stop it; each begins with a fresh model."""
    async with StoryModel() as model:
        folder = tmp_path_factory.mktemp("house")
        async with Server(folder, model.url, config=CONFIG) as server:
            yield House(server, model)


@pytest_asyncio.fixture(loop_scope="session")
async def house(_house: House) -> AsyncIterator[House]:
    """What a test leaves is gone before the next one: nobody else asks the model, or is listed."""
    _house.model.fresh()
    yield _house
    async with Api(_house.url) as api:
        await tidy(api, _house.model)


@pytest_asyncio.fixture(loop_scope="session")
async def own_house(tmp_path: Path) -> AsyncIterator[House]:
    """A server that a test may kill and start again: it keeps its port."""
    async with StoryModel() as model:
        port = ("--port", str(_free_port()))
        async with Server(tmp_path, model.url, config=CONFIG, arguments=port) as server:
            yield House(server, model)


def _free_port() -> int:
    """Not one that the system gives to others while the server is down."""
    while True:
        port = random.randrange(20_000, 32_000)
        with suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            return port
