"""WebKitGTK, which has Safari's engine, spoken to as W3C WebDriver has it.

https://www.w3.org/TR/webdriver2/; Debian's `webkit2gtk-driver` brings the browser, too.
"""

import shutil
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.other_browsers.window import free_port, listening, running

NEEDS = "webkit2gtk-driver and xvfb"
BROWSERS = sorted(Path("/usr/lib").glob("*/webkit2gtk-*/MiniBrowser"))
SCRIPT_MS = 120_000
WATCH = """window.wrong = [];
for (const kind of ['error', 'unhandledrejection', 'securitypolicyviolation'])
  addEventListener(kind, (e) => wrong.push(`${kind}: ${e.message ?? e.reason ?? e.blockedURI}`));"""

WHEEL = """const [deltaY] = arguments;
const scroller = document.elementFromPoint(innerWidth / 2, innerHeight / 2).closest('.scroller');
scroller.dispatchEvent(new WheelEvent('wheel', { deltaY, bubbles: true }));
scroller.scrollBy({ top: deltaY, behavior: 'instant' });"""
"""Its driver takes a wheel's action, and nothing moves."""


def is_there() -> bool:
    return bool(BROWSERS) and all(map(shutil.which, ("WebKitWebDriver", "Xvfb")))


class WebKit:
    """One window."""

    def __init__(self, http: aiohttp.ClientSession, path: str, version: str) -> None:
        self.name = f"WebKitGTK {version}"
        self._http = http
        self._path = path

    async def go(self, url: str) -> None:
        await _command(self._http, f"{self._path}/url", url=url)
        await self.run(WATCH)

    async def run(self, script: str, *arguments: Any) -> Any:
        whole = f"return (async function () {{ {script} }}).apply(null, arguments)"
        path = f"{self._path}/execute/sync"
        return await _command(self._http, path, script=whole, args=arguments)

    async def press(self, keys: str) -> None:
        strokes = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        keyboard = {"type": "key", "id": "keyboard", "actions": strokes}
        await _command(self._http, f"{self._path}/actions", actions=[keyboard])

    async def wheel(self, pixels: int) -> None:
        await self.run(WHEEL, pixels)

    async def wrong(self) -> list[str]:
        """Since the page was loaded; what its first scripts did wrong is not told of."""
        found: list[str] = await self.run("return window.wrong")
        return found


@asynccontextmanager
async def opened() -> AsyncIterator[WebKit]:
    port = free_port()
    async with running("Xvfb", "-displayfd", "1", stdout=PIPE) as screen:
        assert screen.stdout is not None
        display = {"DISPLAY": f":{(await screen.stdout.readline()).decode().strip()}"}
        async with running("WebKitWebDriver", f"--port={port}", environment=display):
            await listening(port)
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
                yield await _window(http)


async def _window(http: aiohttp.ClientSession) -> WebKit:
    """It goes with its driver."""
    browser = {"binary": str(BROWSERS[-1]), "args": ["--automation"]}
    wanted = {"alwaysMatch": {"webkitgtk:browserOptions": browser}}
    made = await _command(http, "/session", capabilities=wanted)
    path = f"/session/{made['sessionId']}"
    await _command(http, f"{path}/timeouts", script=SCRIPT_MS)
    await _command(http, f"{path}/window/rect", width=1280, height=800)
    return WebKit(http, path, made["capabilities"]["browserVersion"])


async def _command(http: aiohttp.ClientSession, path: str, **what: Any) -> Any:
    async with http.post(path, json=what) as response:
        answer = (await response.json())["value"]
        assert response.status == 200, answer
        return answer
