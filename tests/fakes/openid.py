"""An OpenID provider of the tests' own: it does as it should, until a test tells it not to."""

import asyncio
import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from aiohttp import BasicAuth, web
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT, SECRET = "mooring", "the client's s:cret+"
Claims = dict[str, Any]


class Given:
    """What a code or a refresh token stands for."""

    def __init__(self, user: str, asked: dict[str, str]) -> None:
        self.user = user
        self.asked = asked


class OpenIDProvider:
    """`async with OpenIDProvider() as provider`: `people` may log in, `who` is at the browser.

    `spoil` changes the claims of an id token before it is signed, `header` its header; `answers`
    replaces what an endpoint (`token`, `userinfo`, `jwks`, `discovery`) answers; `hold` keeps the
    token endpoint waiting. `seen` are the requests, by endpoint.
    """

    def __init__(self) -> None:
        self.url = ""
        self.published = RSAKey.generate_key(2048, {"kid": "first"})
        self.fresh()
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner

    def fresh(self) -> None:
        """As it should be again; who has logged in before, it does not
        remember. Its key stays."""
        self.who = "ada"
        self.people: dict[str, Claims] = {"ada": {"name": "Ada L."}, "bob": {"name": "Bob"}}
        self.lifetime: int | None = 3600
        self.gives_refresh = True
        self.error: str | None = None
        self.in_token = True
        self.spoil: Callable[[Claims], None] = lambda claims: None
        self.header: dict[str, Any] = {}
        self.answers: dict[str, Callable[[], web.Response]] = {}
        self.hold: asyncio.Event | None = None
        self.asks_first = False
        self.seen: dict[str, list[dict[str, str]]] = {}
        self.key = self.published
        self.revoked: set[str] = set()
        self.access: dict[str, str] = {}
        self._codes: dict[str, Given] = {}
        self._refresh: dict[str, Given] = {}

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes(
            [
                web.get("/.well-known/openid-configuration", self._discovery),
                web.get("/authorize", self._authorize),
                web.post("/token", self._token),
                web.get("/userinfo", self._userinfo),
                web.get("/jwks", self._jwks),
                web.get("/bye", self._bye),
                web.get("/favicon.ico", _nothing),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.hold is not None:
            self.hold.set()
        await self._runner.cleanup()

    def settings(self, **more: Any) -> dict[str, Any]:
        """The `oauth` settings of a server that trusts this provider."""
        return {
            "issuer": self.url,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "allow": {"users": ["ada", "bob"]},
            **more,
        }

    def change_key(self) -> None:
        """The old one is not published any more."""
        self.key = self.published = RSAKey.generate_key(2048, {"kid": secrets.token_hex(4)})

    def forge_key(self) -> None:
        """Sign with a key of the same name that is not the published one."""
        self.key = RSAKey.generate_key(2048, {"kid": self.published.kid or ""})

    def fail(self, endpoint: str, status: int, body: bytes = b"{}") -> None:
        """What that endpoint answers from now on."""
        headers = {"Location": f"{self.url}/elsewhere"} if status in (302, 307) else {}
        self.answers[endpoint] = lambda: web.Response(
            status=status, body=body, headers=headers, content_type="application/json"
        )

    async def asked(self, endpoint: str, times: int = 1) -> list[dict[str, str]]:
        """Wait until an endpoint was asked so often."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.seen.get(endpoint, ())) >= times)
        return self.seen[endpoint]

    async def _note(self, endpoint: str, fields: dict[str, str]) -> web.Response | None:
        async with self._changed:
            self.seen.setdefault(endpoint, []).append(fields)
            self._changed.notify_all()
        return self.answers[endpoint]() if endpoint in self.answers else None

    async def _discovery(self, request: web.Request) -> web.Response:
        if (instead := await self._note("discovery", {})) is not None:
            return instead
        return web.json_response(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "jwks_uri": f"{self.url}/jwks",
                "end_session_endpoint": f"{self.url}/bye",
            }
        )

    async def _authorize(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        await self._note("authorize", asked)
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        if self.asks_first and "yes" not in asked:
            link = f"/authorize?{urlencode({**asked, 'yes': '1'})}".replace("&", "&amp;")
            head = '<!doctype html><title>Provider</title><link rel="icon" href="data:,">'
            page = f'{head}<a href="{link}">Yes, I am Ada</a>'
            return web.Response(text=page, content_type="text/html")
        back = {"state": asked["state"]}
        if self.error is not None:
            back["error"] = self.error
        else:
            back["code"] = secrets.token_urlsafe(16)
            self._codes[back["code"]] = Given(self.who, asked)
        return web.Response(
            status=302, headers={"Location": f"{asked['redirect_uri']}?{urlencode(back)}"}
        )

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        instead = await self._note("token", form)
        if self.hold is not None:
            await self.hold.wait()
        if instead is not None:
            return instead
        credentials = BasicAuth.decode(request.headers["Authorization"])
        if credentials.login != CLIENT or credentials.password != _quoted(SECRET):
            return web.json_response({"error": "invalid_client"}, status=401)
        if form["grant_type"] == "refresh_token":
            given = self._refresh.pop(form["refresh_token"], None)
        else:
            given = self._codes.pop(form["code"], None)
            if given is not None and not _proven(given, form):
                given = None
        if given is None or given.user in self.revoked:
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response(self._grant(given))

    def _grant(self, given: Given) -> Claims:
        access = f"hf_oauth_{secrets.token_hex(16)}"
        self.access[access] = given.user
        granted: Claims = {"access_token": access, "token_type": "Bearer"}
        granted |= {"scope": given.asked["scope"], "id_token": self._id_token(given)}
        if self.lifetime is not None:
            granted["expires_in"] = self.lifetime
        if self.gives_refresh:
            granted["refresh_token"] = secrets.token_urlsafe(16)
            self._refresh[granted["refresh_token"]] = given
        return granted

    def _id_token(self, given: Given) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 3600,
            "nonce": given.asked["nonce"],
            "sub": f"account-of-{given.user}",
        }
        if self.in_token:
            claims |= self._claims(given.user)
        self.spoil(claims)
        header = {"alg": "RS256", "kid": self.key.kid, **self.header}
        if header["alg"] == "none":
            parts = (_part(header), _part(claims), "")
            return ".".join(parts)
        if header["alg"] == "HS256":
            return jwt.encode(header, claims, OctKey.import_key(SECRET), algorithms=["HS256"])
        return jwt.encode(header, claims, self.key)

    def _claims(self, user: str) -> Claims:
        return {"preferred_username": user, **self.people[user]}

    async def _userinfo(self, request: web.Request) -> web.Response:
        access = request.headers["Authorization"].removeprefix("Bearer ")
        if (instead := await self._note("userinfo", {"access": access})) is not None:
            return instead
        user = self.access[access]
        return web.json_response({"sub": f"account-of-{user}", **self._claims(user)})

    async def _jwks(self, request: web.Request) -> web.Response:
        if (instead := await self._note("jwks", {})) is not None:
            return instead
        return web.json_response({"keys": [self.published.as_dict(private=False)]})

    async def _bye(self, request: web.Request) -> web.Response:
        await self._note("bye", dict(request.query))
        return web.Response(
            status=302, headers={"Location": request.query["post_logout_redirect_uri"]}
        )


def _proven(given: Given, form: dict[str, str]) -> bool:
    """PKCE, and the address that the code was sent to."""
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return (
        challenge == given.asked["code_challenge"]
        and form["redirect_uri"] == given.asked["redirect_uri"]
    )


async def _nothing(request: web.Request) -> web.Response:
    """What browsers look for by themselves."""
    return web.Response(status=204)


def _quoted(text: str) -> str:
    return urlencode({"": text})[1:]


def _part(content: Claims) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
