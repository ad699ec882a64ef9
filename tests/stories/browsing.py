"""A browser without a page: it keeps cookies, follows redirects and names its origin."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp

from tests.api import Answer


class Browsing:
    """`async with Browsing(url) as browser`: `await browser.log_in()`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        jar = aiohttp.CookieJar(unsafe=True)  # cookies of hosts that are addresses, too
        self._http = aiohttp.ClientSession(
            cookie_jar=jar, timeout=aiohttp.ClientTimeout(total=60), headers={"Accept": "*/*"}
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.close()

    @property
    def cookies(self) -> Mapping[str, str]:
        return {cookie.key: cookie.value for cookie in self._http.cookie_jar}

    @property
    def headers(self) -> dict[str, str]:
        """What it would send with a handshake."""
        pairs = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Cookie": pairs, "Origin": self.url}

    async def log_in(self, **query: str) -> Answer:
        """What the last redirect leads to."""
        return await self._ask("GET", f"{self.url}/login", params=query)

    async def go(self, path: str, *, follow: bool = True, **query: str) -> Answer:
        url = path if "://" in path else self.url + path
        return await self._ask("GET", url, params=query, allow_redirects=follow)

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        origin: str | None = "own",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """What the page would ask; None: no `Origin` is sent."""
        said = dict(headers or {})
        if origin is not None:
            said["Origin"] = self.url if origin == "own" else origin
        return await self._ask(
            method, self.url + path, json=body, headers=said, allow_redirects=False
        )

    async def _ask(self, method: str, url: str, **how: Any) -> Answer:
        async with self._http.request(method, url, **how) as response:
            raw = await response.read()
            is_json = response.content_type == "application/json" and raw
            return Answer(
                response.status,
                await response.json() if is_json else None,
                raw,
                {name.lower(): value for name, value in response.headers.items()},
            )
