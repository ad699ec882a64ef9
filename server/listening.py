"""Where the server listens: a crowd that connects at once is let in a few at a time."""

import asyncio
import os
import socket

from aiohttp import web

from server.config import Pace
from server.connection import Door, connections

LET_IN = 8
"""Connections accepted in one turn of the loop; each brings about half a millisecond of work."""
WAITING = 1024
"""How many wait in the kernel meanwhile."""


class Site(web.BaseSite):
    """asyncio knows one number for both; the kernel is told its own afterwards."""

    def __init__(self, runner: web.AppRunner, host: str, port: int, door: Door, pace: Pace) -> None:
        super().__init__(runner, backlog=LET_IN)
        self._host = host
        self._port = port
        self._door = door
        self._pace = pace

    @property
    def name(self) -> str:
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        await super().start()
        manager = self._runner.server
        assert manager is not None
        made = connections(manager, self._door, self._pace)
        loop = asyncio.get_running_loop()
        self._server = server = await loop.create_server(
            made, self._host, self._port, backlog=LET_IN
        )
        for listener in server.sockets:
            with socket.socket(fileno=os.dup(listener.fileno())) as same:
                same.listen(WAITING)
