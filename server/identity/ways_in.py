"""Everything about who is asking, made by the settings: the gate, and what stands behind it."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from agent.errors import ConfigProblem
from agent.loopback import is_loopback
from server import logs
from server.config import Config
from server.identity import id_tokens
from server.identity.admission import policy_of
from server.identity.cookies import Cookies
from server.identity.gate import Gate
from server.identity.keeper import Keeper
from server.identity.keyring import KeyRing, credentials
from server.identity.login_flow import LoginFlow
from server.identity.logins import Logins
from server.identity.openid import OpenID
from server.identity.proofs import Bearer, Cookie, Ticket
from server.identity.provider_calls import Calls
from server.identity.redactors import Redactors
from server.identity.renewal import Renewal
from server.identity.tickets import Tickets
from server.identity.tokens import Tokens
from server.identity.tool_logins import ToolLogins
from server.identity.uses import Uses
from server.identity.wallet import Wallet
from server.login_settings import LoginSettings
from server.people import AuthMethod
from server.settings import ServeSettings
from server.store.sqlite import SqliteStore
from server.times import timestamp

WAYS_IN: web.AppKey["WaysIn"] = web.AppKey("ways_in")
Loop = Callable[[], Coroutine[Any, Any, None]]


class WaysIn:
    """Made before the application; its `loops` run beside requests until it is closed."""

    def __init__(
        self, mode: AuthMethod, store: SqliteStore, environment: Mapping[str, str]
    ) -> None:
        self.mode = mode
        self.tokens = Tokens(store)
        self.tickets = Tickets()
        self.flow: LoginFlow | None = None
        self.keeper = Keeper(store.directory, store.identities)
        own = environment if mode == "dev" else {}
        self.redactors = Redactors(credentials(environment), logs.hide)
        self.wallet = Wallet(
            store.identities, self.keeper, self.redactors.learn, timestamp=timestamp
        )
        self.tool_logins = ToolLogins(
            store.tool_logins, self.keeper, self.redactors.learn, timestamp=timestamp
        )
        self.keyring = KeyRing(own, self.wallet, self.tool_logins)
        self.public_url: str | None = None
        """Where browsers reach this server, if that is configured."""
        self.gate: Gate
        self.loops: list[Loop] = [self.wallet.watch]
        self._http: aiohttp.ClientSession | None = None

    @classmethod
    async def open(
        cls,
        settings: ServeSettings,
        config: Config,
        store: SqliteStore,
        environment: Mapping[str, str],
    ) -> "WaysIn":
        """Raises ConfigProblem for settings that cannot be, or an address open to others."""
        mode = await _mode(settings, config, Tokens(store))
        ways = cls(mode, store, environment)
        await ways.keeper.check()
        await ways.wallet.read()
        await ways.tool_logins.read()
        uses = Uses(store.identities, "token", timestamp=timestamp)
        proofs: list[Any] = (
            [] if mode == "dev" else [Bearer(ways.tokens, uses), Ticket(ways.tickets)]
        )
        origins = list(config.allowed_origins)
        if mode == "oauth" and config.oauth is not None:
            proofs.append(await ways._log_in_at(config.oauth, store))
            origins += [config.oauth.public_url] if config.oauth.public_url else []
        any_host = mode == "dev" and not is_loopback(settings.host)
        ways.gate = Gate(mode, proofs, allowed_origins=origins, any_host=any_host)
        ways.loops += [ways.gate.watch, uses.keep]
        return ways

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def _log_in_at(self, login: LoginSettings, store: SqliteStore) -> Cookie:
        """The provider of the settings; what its log-ins of before brought is there again."""
        self._http = aiohttp.ClientSession(trust_env=True, cookie_jar=aiohttp.DummyCookieJar())
        self.public_url = login.public_url.rstrip("/") if login.public_url else None
        id_tokens.load()
        provider = OpenID(login, Calls(self._http, login))
        vault = await self.keeper.vault()
        logins = Logins(
            store.identities,
            vault,
            login.address,
            policy_of(login),
            days=login.login_days,
            purse=self.wallet if login.gives_hub_token else None,
        )
        await logins.begin_telling()
        cookies = Cookies(vault.keys, login.public_url, days=login.login_days)
        uses = Uses(store.identities, "login", timestamp=timestamp)
        self.flow = LoginFlow(provider, logins, cookies, login.public_url)
        self.loops += [Renewal(logins, provider).go_on, uses.keep]
        return Cookie(cookies, logins, uses)


async def _mode(settings: ServeSettings, config: Config, tokens: Tokens) -> AuthMethod:
    """Raises ConfigProblem for an address that would be open to others."""
    if settings.auth == "oauth" or (settings.auth == "auto" and config.oauth is not None):
        _check(config.oauth, settings.host)
        return "oauth"
    if settings.auth == "token" or (settings.auth == "auto" and await tokens.listed()):
        return "token"
    if not is_loopback(settings.host) and not settings.insecure_no_auth:
        raise ConfigProblem(
            f"Without authentication only loopback is served, not {settings.host}. Make a token "
            "with `mooring token create --user NAME`, or insist with --insecure-no-auth."
        )
    return "dev"


def _check(login: LoginSettings | None, host: str) -> None:
    """Raises ConfigProblem for settings with which log-in could not work, or would be unsafe."""
    if login is None:
        raise ConfigProblem("--auth oauth needs `oauth` in the file of --config: see the README.")
    if not login.address:
        raise ConfigProblem("`oauth.issuer`: name the provider, or set `oauth.provider`.")
    for key, url in (("issuer", login.address), ("public_url", login.public_url)):
        if url is not None and not _is_private(url):
            raise ConfigProblem(f"`oauth.{key}` has to be https (http: on loopback), not {url!r}.")
    if login.public_url is None and not is_loopback(host):
        raise ConfigProblem("`oauth.public_url`: say where browsers reach this server.")
    if login.public_url is not None and urlsplit(login.public_url).path not in ("", "/"):
        raise ConfigProblem("`oauth.public_url` is an origin, without a path.")
    if "openid" not in login.wanted:
        raise ConfigProblem("`oauth.scopes` have to hold `openid`.")
    allow = login.allow
    named = (*allow.users, *allow.groups, *allow.orgs, *allow.domains, *login.operators)
    if not named and not allow.anyone:
        raise ConfigProblem(
            "`oauth.allow`: say who may log in (`users`, `groups`, `orgs`, `domains`), or"
            ' {"anyone": true} for everybody whom the provider knows.'
        )


def _is_private(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    )
