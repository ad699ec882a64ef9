"""The HTTP half of a client, written from the wire contract."""

import io
import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self

import aiohttp
from msgspec import Struct

from tests.connection import check_session
from tests.oracle import Frame


class Answer(Struct, frozen=True):
    """A response as it came; `json` is its body where that was JSON."""

    status: int
    json: Any
    body: bytes
    headers: Mapping[str, str]

    @property
    def code(self) -> str:
        """The code of an error, which has the one shape of section 1."""
        error = self.json["error"]
        assert error.keys() >= {"code", "message", "retry_after"}, self
        assert error["message"], self
        return str(error["code"])


class Api:
    """`async with Api(url) as api`: calls below `/api`, and what stories do again and again."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self.url = url
        self.headers = dict(headers or {})
        self._http: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=60)
        self._http = aiohttp.ClientSession(headers=self.headers, timeout=timeout)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.close()

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        **query: Any,
    ) -> Answer:
        asked = {key: str(value) for key, value in query.items()}
        headers = dict(headers or {})
        if body is not None:
            data = io.BytesIO(json.dumps(body, ensure_ascii=False).encode())
            headers["Content-Type"] = "application/json"
        url = self.url + path
        async with self._http.request(
            method, url, data=data, headers=headers, params=asked, allow_redirects=False
        ) as response:
            raw = await response.read()
            is_json = response.content_type == "application/json" and raw
            return Answer(
                response.status,
                await response.json() if is_json else None,
                raw,
                {name.lower(): value for name, value in response.headers.items()},
            )

    def socket(self, path: str) -> AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]:
        return self._http.ws_connect(self.url + path)

    async def get(self, path: str, **query: Any) -> Answer:
        return await self.call("GET", path, **query)

    async def good(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The JSON of an answer that must be a success."""
        answer = await self.call(method, path, body, **query)
        assert 200 <= answer.status < 300, (method, path, answer.status, answer.body[:2000])
        return answer.json

    async def session(self, title: str = "A story", **fields: Any) -> str:
        """A new session; it has a title, so that the server makes none."""
        created: Frame = await self.good("POST", "/api/sessions", {"title": title, **fields})
        check_session(created)
        return str(created["id"])

    async def look(self, session: str) -> Frame:
        found: Frame = await self.good("GET", f"/api/sessions/{session}")
        check_session(found)
        return found

    async def events(self, session: str, after: int = 0) -> list[Frame]:
        """The durable log, page by page."""
        events: list[Frame] = []
        while True:
            path = f"/api/sessions/{session}/events"
            page = await self.good("GET", path, after=events[-1]["seq"] if events else after)
            events += page["events"]
            if not page["more"]:
                return events

    async def submit(self, session: str, frame: Frame) -> Answer:
        return await self.call("POST", f"/api/sessions/{session}/submissions", frame)
