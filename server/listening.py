"""Where the server listens: a crowd that connects at once is let in a few at a time."""

import asyncio
import os
import socket

from aiohttp import web

LET_IN = 8
"""Connections accepted in one turn of the loop; each brings about half a millisecond of work."""
WAITING = 1024
"""How many wait in the kernel meanwhile."""


class Site(web.TCPSite):
    """asyncio knows one number for both; the kernel is told its own afterwards."""

    def __init__(self, runner: web.AppRunner, host: str, port: int) -> None:
        super().__init__(runner, host, port, backlog=LET_IN)

    async def start(self) -> None:
        await super().start()
        assert isinstance(self._server, asyncio.Server)
        for listener in self._server.sockets:
            with socket.socket(fileno=os.dup(listener.fileno())) as same:
                same.listen(WAITING)
