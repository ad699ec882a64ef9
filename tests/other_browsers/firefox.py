"""Firefox, spoken to as WebDriver BiDi has it: https://www.w3.org/TR/webdriver-bidi/."""

import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import aiohttp

from tests.other_browsers.window import free_port, listening, running

NEEDS = "firefox-esr"
WIDTH, HEIGHT = 1280, 800


def is_there() -> bool:
    return _command() is not None


class Firefox:
    """One window."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.name = "Firefox"
        self._socket = socket
        self._ids = count(1)
        self._context = ""
        self._wrong: list[str] = []

    async def begin(self) -> "Firefox":
        made = await self._ask("session.new", capabilities={})
        self.name = f"Firefox {made['capabilities']['browserVersion']}"
        await self._ask("session.subscribe", events=["log.entryAdded"])
        self._context = (await self._ask("browsingContext.getTree"))["contexts"][0]["context"]
        size = {"width": WIDTH, "height": HEIGHT}
        await self._ask("browsingContext.setViewport", context=self._context, viewport=size)
        return self

    async def go(self, url: str) -> None:
        """Another document, also where only what is behind the `#` differs."""
        for one in ("about:blank", url):
            await self._ask(
                "browsingContext.navigate", context=self._context, url=one, wait="complete"
            )

    async def run(self, script: str, *arguments: Any) -> Any:
        answer = await self._ask(
            "script.callFunction",
            functionDeclaration=f"async function () {{ return JSON.stringify([await ("
            f"async function () {{ {script} }}).apply(null, arguments)]); }}",
            arguments=[_value(argument) for argument in arguments],
            target={"context": self._context},
            awaitPromise=True,
        )
        assert answer["type"] == "success", answer
        return json.loads(answer["result"]["value"])[0]

    async def press(self, keys: str) -> None:
        strokes = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        await self._do({"type": "key", "id": "keyboard", "actions": strokes})

    async def wheel(self, pixels: int) -> None:
        turn = {"type": "scroll", "x": WIDTH // 2, "y": HEIGHT // 2, "deltaX": 0, "deltaY": pixels}
        await self._do({"type": "wheel", "id": "wheel", "actions": [turn]})

    async def wrong(self) -> list[str]:
        """What its console said of it."""
        await self.run("")
        return self._wrong

    async def _do(self, actions: dict[str, Any]) -> None:
        await self._ask("input.performActions", context=self._context, actions=[actions])

    async def _ask(self, method: str, **parameters: Any) -> Any:
        id = next(self._ids)
        await self._socket.send_json({"id": id, "method": method, "params": parameters})
        while True:
            told = await self._socket.receive_json()
            if told.get("id") == id:
                assert told["type"] == "success", told
                return told["result"]
            if told["method"] == "log.entryAdded" and told["params"]["level"] == "error":
                self._wrong.append(told["params"]["text"])


@asynccontextmanager
async def opened() -> AsyncIterator[Firefox]:
    port, command = free_port(), _command()
    assert command is not None
    with tempfile.TemporaryDirectory() as profile:
        arguments = ("--headless", f"--remote-debugging-port={port}", "--profile", profile)
        async with running(command, *arguments), aiohttp.ClientSession() as http:
            await listening(port)
            url = f"ws://127.0.0.1:{port}/session"
            async with http.ws_connect(url, max_msg_size=0) as socket:
                yield await Firefox(socket).begin()


def _command() -> str | None:
    return shutil.which("firefox-esr") or shutil.which("firefox")


def _value(argument: Any) -> dict[str, Any]:
    kinds = {str: "string", int: "number", bool: "boolean"}
    return {"type": kinds[type(argument)], "value": argument}
