"""HTTP to servers of tools, as their SDK wants it, with a limit on what one answer may be."""

from collections.abc import AsyncIterator, Mapping

import httpx2

LARGEST_ANSWER = 8 * 1024 * 1024
"""Bytes of one message."""
CONNECT_SECONDS = 30.0
SILENT_SECONDS = 300.0
"""How long a stream may be silent; servers hold one open to tell of changes."""
PLAIN = "identity"
"""The client inflates each piece as far as it goes before anything could be measured: what is
measured here must not be deflated."""
HttpFailure = httpx2.HTTPError


def http_client(
    headers: Mapping[str, str], patience: float = 0, auth: httpx2.Auth | None = None
) -> httpx2.AsyncClient:
    """`patience` is how long, in seconds, a person may think before a stream goes on."""
    timeout = httpx2.Timeout(CONNECT_SECONDS, read=SILENT_SECONDS + patience)
    sent = {**headers, "Accept-Encoding": PLAIN}
    return httpx2.AsyncClient(headers=sent, timeout=timeout, auth=auth, transport=Measured())


class Measured(httpx2.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        if response.headers.get("content-encoding", PLAIN).lower() != PLAIN:
            await response.aclose()
            raise httpx2.ReadError("The answer is compressed, which nobody asked for.")
        kind = response.headers.get("content-type", "")
        if not kind.startswith("text/event-stream"):  # its events are measured one by one
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            response.stream = _Limited(response.stream)
        return response


class _Limited(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = LARGEST_ANSWER
        async for chunk in self._stream:
            left -= len(chunk)
            if left < 0:
                raise httpx2.ReadError(f"The answer is over {LARGEST_ANSWER} bytes.")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
