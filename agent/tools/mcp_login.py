"""Logging a person in at a server of tools with the SDK's OAuth client: discovery, registration,
PKCE, exchange; only `mcp_pool` imports this."""

import time
from collections.abc import Awaitable, Callable, Sequence

import httpx2
from pydantic import AnyUrl, ValidationError

from agent.errors import Problem
from agent.tools.mcp_grant import Grant, Returned
from agent.tools.mcp_guard import SECONDS, Guarded, check_private
from agent.tools.mcp_sdk import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthClientProvider,
    OAuthFlowError,
    OAuthRegistrationError,
    OAuthToken,
    OAuthTokenError,
)

_PROBE = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
_FAILURES = (
    OAuthFlowError,
    OAuthRegistrationError,
    OAuthTokenError,
    ValidationError,
    ValueError,
    httpx2.HTTPError,
)


async def log_in(
    url: str,
    back_to: str,
    redirect: Callable[[str], Awaitable[None]],
    returned: Callable[[], Awaitable[Returned]],
    allow: Sequence[str] = (),
) -> Grant:
    """Implements LogIn."""

    async def send(address: str) -> None:
        check_private(address)
        await redirect(address)

    async def came_back() -> AuthorizationCodeResult:
        got = await returned()
        return AuthorizationCodeResult(code=got.code, state=got.state, iss=got.issuer)

    metadata = OAuthClientMetadata(
        client_name="Mooring",
        redirect_uris=[AnyUrl(back_to)],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
    )
    provider = OAuthClientProvider(url, metadata, _Nowhere(), send, came_back)
    asks = {"Accept": "application/json, text/event-stream"}
    try:
        async with (
            httpx2.AsyncClient(
                transport=Guarded(url, allow), auth=provider, timeout=SECONDS
            ) as http,
            http.stream("POST", url, json=_PROBE, headers=asks) as response,
        ):
            status = response.status_code
    except _FAILURES as error:
        raise Problem("mcp_login_failed", f"The log-in failed: {str(error)[:500]}") from None
    return _granted(url, provider, status)


class _Nowhere:
    """Implements TokenStorage: what comes of it is kept by who asked."""

    async def get_tokens(self) -> OAuthToken | None:
        return None

    async def set_tokens(self, tokens: OAuthToken) -> None:
        return None

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return None

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        return None


def _granted(url: str, provider: OAuthClientProvider, status: int) -> Grant:
    """Raises Problem where nothing was granted, or it opens nothing."""
    context = provider.context
    tokens, client = context.current_tokens, context.client_info
    if tokens is None or client is None or client.client_id is None:
        says = f"It asked for no log-in: it answered {status}"
        raise Problem("mcp_login_failed", f"{says}. Its tools need none, or it is not there.")
    if status in (401, 403):
        raise Problem(
            "mcp_login_failed", f"It granted what it does not take: it answered {status}."
        )
    metadata = context.oauth_metadata
    token_url = str(metadata.token_endpoint) if metadata else str(httpx2.URL(url).join("/token"))
    with_resource = context.should_include_resource_param(context.protocol_version)
    return Grant(
        home=url,
        access=tokens.access_token,
        refresh=tokens.refresh_token,
        expires=None if tokens.expires_in is None else time.time() + tokens.expires_in,
        token_url=token_url,
        client=client.client_id,
        client_secret=client.client_secret,
        basic=client.token_endpoint_auth_method == "client_secret_basic",
        resource=context.get_resource_url() if with_resource else None,
    )
