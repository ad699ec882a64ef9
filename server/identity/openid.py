"""An OpenID provider as its client sees it: discovery, the code flow, renewal, log-out."""

import asyncio
import base64
import hashlib
import logging
import math
import secrets
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from msgspec import Struct

from server.errors import Refusal
from server.identity import id_tokens
from server.identity.admission import Claims, claims_of, is_enough, joined
from server.identity.id_tokens import Expected, Unacceptable, UnknownKey
from server.identity.provider_calls import Calls, Denied
from server.login_settings import LoginSettings

if TYPE_CHECKING:
    from server.identity.id_tokens import KeySet

log = logging.getLogger(__name__)

KEPT_SECONDS = 3600.0
"""How long what the provider publishes of itself is believed."""
AGAIN_SECONDS = 5.0
"""Before a provider that could not be asked is asked again: whoever comes meanwhile waits for
nothing."""
KEYS_AGAIN_SECONDS = 10.0
"""Between two looks at its keys, whatever strange ones are shown to us."""
LONGEST_TOKEN = 32 * 1024


class Provider(Struct, frozen=True):
    """What discovery told of it."""

    issuer: str
    authorize: str
    token: str
    keys: str
    userinfo: str | None
    end_session: str | None
    token_basic: bool


class Tokens(Struct, frozen=True):
    """What was granted; `expires` in seconds of the epoch, None where nobody said."""

    access: str
    refresh: str | None
    id: str | None
    expires: float | None
    scopes: str | None


class Attempt(Struct, frozen=True):
    """A log-in under way; only the browser that began it may end it."""

    state: str
    nonce: str
    verifier: str


def new_attempt() -> Attempt:
    return Attempt(*(secrets.token_urlsafe(32) for _ in range(3)))


class OpenID:
    """The one provider that is configured; asked for what it publishes when somebody logs in."""

    def __init__(
        self,
        settings: LoginSettings,
        calls: Calls,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self._calls = calls
        self._clock = clock
        self._now = now
        self._asking = asyncio.Lock()
        self._provider: Provider | None = None
        self._believed_until = -math.inf
        self._failure: Refusal | None = None
        self._failed_at = -math.inf
        self._keys: KeySet | None = None
        self._keys_read_at = -math.inf

    async def provider(self) -> Provider:
        """Raises Refusal `provider_unavailable` or `login_failed`."""
        async with self._asking:
            if self._provider is None or self._clock() >= self._believed_until:
                self._provider = await self._discovered()
                self._believed_until = self._clock() + KEPT_SECONDS
            return self._provider

    async def _discovered(self) -> Provider:
        if self._failure is not None and self._clock() - self._failed_at < AGAIN_SECONDS:
            raise self._failure
        issuer = self.settings.address
        try:
            said = await self._calls.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            provider = _provider(said, issuer)
        except Refusal as refusal:
            self._failure, self._failed_at = refusal, self._clock()
            raise
        self._failure = None
        return provider

    async def ask_url(self, attempt: Attempt, back: str) -> str:
        """Where the browser is sent to log in; it comes `back`."""
        challenge = hashlib.sha256(attempt.verifier.encode()).digest()
        wish = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": back,
            "scope": " ".join(self.settings.wanted),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return _with_query((await self.provider()).authorize, wish)

    async def exchange(self, code: str, attempt: Attempt, back: str) -> tuple[Tokens, Claims]:
        """What a code is worth. Raises Refusal `provider_unavailable` or `login_failed`."""
        provider = await self.provider()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
        form["code_verifier"] = attempt.verifier
        said = await self._calls.post(provider.token, form, token_basic=provider.token_basic)
        tokens = self._tokens(said)
        if tokens.id is None:
            raise Denied("it gave no id token")
        told = await self._verified(tokens.id, provider, attempt.nonce)
        claims = claims_of(told, self.settings)
        if provider.userinfo is not None and not is_enough(claims, self.settings):
            info = await self._calls.get(provider.userinfo, bearer=tokens.access)
            more = claims_of(info, self.settings)
            if more.subject != claims.subject:
                raise Denied("its user information is of somebody else")
            claims = joined(claims, more)
        return tokens, claims

    async def renew(self, refresh: str) -> Tokens:
        """New tokens; raises Denied where the provider does not know the old ones any more."""
        provider = await self.provider()
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        said = await self._calls.post(provider.token, form, token_basic=provider.token_basic)
        tokens = self._tokens(said)
        return tokens if tokens.refresh else _with_refresh(tokens, refresh)

    async def end_url(self, id_token: str | None, back: str) -> str | None:
        """Where a browser ends its log-in at the provider, too."""
        end = (await self.provider()).end_session
        wish = {"client_id": self.settings.client_id, "post_logout_redirect_uri": back}
        if id_token is not None:
            wish["id_token_hint"] = id_token
        return _with_query(end, wish) if end is not None else None

    def _tokens(self, said: Mapping[str, Any]) -> Tokens:
        access, lifetime = _token(said, "access_token"), said.get("expires_in")
        if access is None or str(said.get("token_type", "")).lower() != "bearer":
            raise Denied("it gave no bearer token")
        lasts = isinstance(lifetime, int | float)
        expires = self._now() + max(float(lifetime or 0), 0.0) if lasts else None
        scopes = said.get("scope")
        return Tokens(
            access,
            _token(said, "refresh_token"),
            _token(said, "id_token"),
            expires,
            scopes if isinstance(scopes, str) else None,
        )

    async def _verified(self, token: str, provider: Provider, nonce: str) -> Mapping[str, Any]:
        """An unknown key is looked for once more: providers change theirs."""
        expected = Expected(provider.issuer, self.settings.client_id, nonce)
        try:
            try:
                keys = await self._published(provider, again=False)
                return id_tokens.verified(token, keys, expected, self._now())
            except UnknownKey:
                keys = await self._published(provider, again=True)
                return id_tokens.verified(token, keys, expected, self._now())
        except UnknownKey:
            raise Denied("its id token is signed with a key that it does not publish") from None
        except Unacceptable as error:
            log.warning("an id token was refused: %s", error)
            raise Denied(f"of its id token, {error}") from None

    async def _published(self, provider: Provider, *, again: bool) -> "KeySet":
        async with self._asking:
            rested = self._clock() - self._keys_read_at >= KEYS_AGAIN_SECONDS
            if self._keys is None or (again and rested):
                self._keys = id_tokens.key_set(await self._calls.get(provider.keys))
                self._keys_read_at = self._clock()
            return self._keys


def _provider(said: Mapping[str, Any], issuer: str) -> Provider:
    """The issuer has to call itself what it is called here: nobody else may vouch in its name."""
    named = said.get("issuer")
    if not isinstance(named, str) or named.rstrip("/") != issuer.rstrip("/"):
        raise Denied(f"it calls itself {str(named)[:200]!r}, not {issuer!r}")
    authorize, token, keys = (
        _address(said, name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
    )
    if authorize is None or token is None or keys is None:
        raise Denied("it does not publish where to log in")
    methods = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Provider(
        issuer=named,
        authorize=authorize,
        token=token,
        keys=keys,
        userinfo=_address(said, "userinfo_endpoint"),
        end_session=_address(said, "end_session_endpoint"),
        token_basic=not isinstance(methods, list) or "client_secret_basic" in methods,
    )


def _address(said: Mapping[str, Any], name: str) -> str | None:
    url = said.get(name)
    return url if isinstance(url, str) and urlsplit(url).scheme in ("http", "https") else None


def _token(said: Mapping[str, Any], name: str) -> str | None:
    token = said.get(name)
    if token is None or token == "":
        return None
    if not isinstance(token, str) or len(token) > LONGEST_TOKEN or not token.isprintable():
        raise Denied(f"its {name} is none")
    return token


def _with_query(url: str, wish: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(wish)}"


def _with_refresh(tokens: Tokens, refresh: str) -> Tokens:
    return Tokens(tokens.access, refresh, tokens.id, tokens.expires, tokens.scopes)
