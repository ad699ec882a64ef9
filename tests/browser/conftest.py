"""What the browser tests stand on: one browser for all, and a server, a model and people for each."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, async_playwright

from tests.browser.person import Person
from tests.model_server.server import ModelServer
from tests.serving import Server

STATIC = Path(__file__).parents[2] / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
Meet = Callable[..., Awaitable[Person]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("needs the Debian package `chromium`")
    flags = ["--disable-background-networking", "--disable-component-update", "--no-first-run"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def meet(browser: Browser) -> AsyncIterator[Meet]:
    """`await meet(url)`: a person with a browser of their own; at the end nobody saw an error."""
    async with AsyncExitStack() as stack:

        async def meet(url: str, *, phone: bool = False, offline: bool = False) -> Person:
            context = await browser.new_context(
                viewport={"width": 390, "height": 844} if phone else {"width": 1280, "height": 800},
                color_scheme="dark" if phone else "light",
                has_touch=phone,
                is_mobile=phone,
            )
            context.set_default_timeout(15_000)
            person = Person(url, await context.new_page(), may_lose_connection=offline)
            stack.push_async_callback(context.close)
            stack.push_async_callback(person.saw_no_error)
            return await person.begin()

        yield meet


@pytest_asyncio.fixture(loop_scope="session")
async def model() -> AsyncIterator[ModelServer]:
    async with ModelServer() as model:
        yield model


@pytest_asyncio.fixture(loop_scope="session")
async def server(tmp_path: Path, model: ModelServer) -> AsyncIterator[Server]:
    async with Server(tmp_path, model.url) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def shelf() -> AsyncIterator[str]:
    """The page's files alone, under the policy of the server: for rooms that need nothing else."""

    async def file(request: web.Request) -> web.FileResponse:
        path = STATIC / request.match_info["path"]
        return web.FileResponse(path, headers={"Content-Security-Policy": POLICY})

    async def blank(_: web.Request) -> web.Response:
        page = '<!doctype html><title>shelf</title><link rel="icon" href="/static/icon.svg">'
        headers = {"Content-Security-Policy": POLICY}
        return web.Response(text=page, content_type="text/html", headers=headers)

    app = web.Application()
    app.add_routes([web.get("/", blank), web.get("/static/{path:.+}", file)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()
