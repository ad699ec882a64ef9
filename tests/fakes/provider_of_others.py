"""An OpenID provider that others wrote (oidc-provider-mock), as a process of its own."""

import asyncio
import json
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

COMMAND = Path(sys.executable).with_name("oidc-provider-mock")
READY_WITHIN = 180.0


class ProviderOfOthers:
    """`async with ProviderOfOthers(ada={"name": "Ada"}) as provider`: people and their claims."""

    def __init__(self, *, token_seconds: int = 3600, **people: dict[str, Any]) -> None:
        self.url = ""
        self._token_seconds = token_seconds
        self._people = people
        self._process: Process

    async def __aenter__(self) -> Self:
        async with asyncio.timeout(READY_WITHIN):
            await self._start()
            while not await self._is_ready():  # another one may have taken its port meanwhile
                await self._start()
        return self

    async def _start(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        claims = [
            argument
            for user, said in self._people.items()
            for argument in ("--user-claims", json.dumps({"sub": f"id-of-{user}", **said}))
        ]
        how = ("--require-nonce", "true", "--token-max-age", str(self._token_seconds))
        self._process = await asyncio.create_subprocess_exec(
            COMMAND, "--port", str(port), *how, *claims, stdout=DEVNULL, stderr=DEVNULL
        )
        self.url = f"http://127.0.0.1:{port}"

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        await self._process.wait()

    async def revoke(self, user: str) -> None:
        """All that was granted to somebody."""
        async with aiohttp.ClientSession() as http:
            url = f"{self.url}/users/id-of-{user}/revoke-tokens"
            async with http.post(url) as response:
                assert response.status == 204

    async def _is_ready(self) -> bool:
        """Once it is; False where it has ended instead."""
        async with aiohttp.ClientSession() as http:
            while self._process.returncode is None:
                try:
                    async with http.get(f"{self.url}/.well-known/openid-configuration") as answer:
                        if answer.status == 200:
                            return True
                except aiohttp.ClientConnectionError:
                    pass
                await asyncio.sleep(0.1)
        return False
