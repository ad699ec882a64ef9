"""The other end of the page's socket, played by a test frame by frame."""

import asyncio
import json
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Page, WebSocketRoute

Frame = dict[str, Any]
WITHIN = 15.0


class Connection:
    """One socket the page opened: what it sent, and what the test answers."""

    def __init__(self, route: WebSocketRoute) -> None:
        self._route = route
        self._sent: asyncio.Queue[Frame] = asyncio.Queue()
        query = parse_qs(urlsplit(route.url).query)
        self.asked = {name: values[0] for name, values in query.items()}
        route.on_message(lambda text: self._sent.put_nowait(json.loads(text)))

    def send(self, *frames: Frame) -> None:
        for frame in frames:
            self._route.send(json.dumps(frame))

    async def receive(self) -> Frame:
        async with asyncio.timeout(WITHIN):
            return await self._sent.get()

    async def close(self, code: int = 1001) -> None:
        await self._route.close(code=code)


class Peer:
    """`connection = await peer.accept()` for each time that the page dials."""

    def __init__(self) -> None:
        self._dialled: asyncio.Queue[Connection] = asyncio.Queue()

    async def listen(self, page: Page) -> Self:
        await page.route_web_socket(lambda url: True, self._opened)
        return self

    async def accept(self) -> Connection:
        async with asyncio.timeout(WITHIN):
            return await self._dialled.get()

    @property
    def dialled_again(self) -> bool:
        return not self._dialled.empty()

    def _opened(self, route: WebSocketRoute) -> None:
        self._dialled.put_nowait(Connection(route))
