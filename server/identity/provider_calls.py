"""Requests to an OpenID provider: bounded in time and size, never redirected, errors told apart."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, urlsplit

import aiohttp
import msgspec

from server.errors import Refusal
from server.login_settings import LoginSettings

SECONDS = 10.0
LARGEST = 256 * 1024
"""Bytes of an answer."""


class Unreachable(Refusal):
    """Nobody knows what the provider would say: try again."""

    def __init__(self, why: str) -> None:
        message = f"The log-in provider cannot be asked now ({why}). Try again in a moment."
        super().__init__(503, "provider_unavailable", message, retry_after=10)


class Denied(Refusal):
    """The provider says no, or nothing that could be a yes; `error` is its own code."""

    def __init__(self, why: str, error: str = "") -> None:
        self.error = error
        message = f"The log-in provider did not vouch for you: {why}. Log in again."
        super().__init__(401, "login_failed", message)


class Calls:
    """`token_basic`: the secret goes into a header, as providers prefer; else into the form."""

    def __init__(
        self, http: aiohttp.ClientSession, settings: LoginSettings, *, seconds: float = SECONDS
    ) -> None:
        self._http = http
        self._settings = settings
        self._timeout = aiohttp.ClientTimeout(total=seconds)

    async def get(self, url: str, *, bearer: str | None = None) -> Mapping[str, Any]:
        headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
        return await self._ask("GET", url, headers)

    async def post(
        self, url: str, form: Mapping[str, str], *, token_basic: bool
    ) -> Mapping[str, Any]:
        """To the token endpoint, as the client that we are."""
        client, secret = self._settings.client_id, self._settings.client_secret
        headers, fields = {}, dict(form)
        if secret is None:
            fields["client_id"] = client
        elif token_basic:
            pair = f"{quote_plus(client)}:{quote_plus(secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            fields |= {"client_id": client, "client_secret": secret}
        return await self._ask("POST", url, headers, fields)

    async def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        self._is_safe(url)
        asks = {"Accept": "application/json", **headers}
        try:
            async with self._http.request(
                method, url, data=form, headers=asks, allow_redirects=False, timeout=self._timeout
            ) as response:
                content = await _within(response)
                status = response.status
        except TimeoutError:
            raise Unreachable("it takes too long") from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise Unreachable("it cannot be reached") from None
        if status >= 500 or status == 429:
            raise Unreachable(f"it answers {status}")
        said = _object(content)
        if status != 200:
            error = _error(said)
            raise Denied(f"it says {error}" if error else f"it answers {status}", error)
        if said is None:
            raise Denied("its answer is no JSON object")
        return said

    def _is_safe(self, url: str) -> None:
        """In the clear only where the configured issuer is, too: on a test's loopback."""
        scheme = urlsplit(url).scheme
        if scheme != "https" and scheme != urlsplit(self._settings.address).scheme:
            raise Denied(f"it names an address that is not https: {url[:200]!r}")


async def _within(response: aiohttp.ClientResponse) -> bytes:
    """The body, up to what an answer may be."""
    content = bytearray()
    async for chunk in response.content.iter_chunked(16 * 1024):
        content += chunk
        if len(content) > LARGEST:
            raise Denied(f"its answer is larger than {LARGEST} bytes")
    return bytes(content)


def _object(content: bytes) -> Mapping[str, Any] | None:
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _error(said: Mapping[str, Any] | None) -> str:
    """Its code, where it looks like one."""
    code = (said or {}).get("error")
    is_one = isinstance(code, str) and code.replace("_", "").isalnum() and len(code) <= 64
    return str(code) if is_one else ""
