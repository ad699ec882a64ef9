"""The texts of the page, alone in a browser under the server's policy and watched closely."""

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, Route

from server.routes.answers import CONTENT_SECURITY_POLICY

ROOT = Path(__file__).parents[2]
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Texts</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/text.css">
<script type="module" src="/text.js"></script>"""
WATCH = """() => {
  window.violations = [];
  window.fired = [];
  window.alert = (text) => window.fired.push(text);
  addEventListener('securitypolicyviolation', (event) =>
    window.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
}"""


class Room:
    """The page, what it asked of other places, and what the browser complained about."""

    def __init__(self, url: str, page: Page) -> None:
        self.page = page
        self.foreign: list[str] = []
        self.errors: list[str] = []
        self._url = url
        page.on("console", lambda message: self.errors.append(message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    async def open(self) -> None:
        await self.page.route("**/*", self._route)
        await self.page.add_init_script(f"({WATCH})()")
        await self.page.goto(self._url)
        await self.page.wait_for_function("() => window.room")

    async def run(self, script: str, argument: object = None) -> Any:
        """What a function of the room gives, as `(room, argument) => ...`."""
        return await self.page.evaluate(
            f"(argument) => ({script})(window.room, argument)", argument
        )

    async def saw_nothing_bad(self) -> None:
        assert self.foreign == []
        assert self.errors == []
        assert await self.page.evaluate("() => [window.violations, window.fired]") == [[], []]

    async def _route(self, route: Route) -> None:
        if route.request.url.startswith((self._url, "data:")):
            await route.continue_()
        else:
            self.foreign.append(route.request.url)
            await route.abort()


def build(folder: Path) -> None:
    """Build the page of tests/page/text_page as the real one is built."""
    config = ROOT / "tests/page/text_page/vite.config.mts"
    command = [sys.executable, str(ROOT / "static/build_page.py"), "run", "build", "--"]
    command += ["--logLevel", "error", "--config", str(config), "--outDir", str(folder)]
    subprocess.run(command, check=True, capture_output=True)


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[str]:
    """The address of the built page."""

    async def index(_: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
        return web.Response(text=PAGE, content_type="text/html", headers=headers)

    app = web.Application()
    app.router.add_get("/", index)
    app.router.add_static("/", folder)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}/"
    finally:
        await runner.cleanup()


@pytest.fixture(scope="session")
def text_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("text-page")
    build(folder)
    return folder


@pytest_asyncio.fixture(loop_scope="session")
async def room(text_page: Path, browser: Browser) -> AsyncIterator[Room]:
    """The room; at the end nothing ran, nothing was asked of other places, nobody complained."""
    async with served(text_page) as url:
        context = await browser.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(60_000)
        try:
            room = Room(url, await context.new_page())
            await room.open()
            yield room
            await room.saw_nothing_bad()
        finally:
            await context.close()
