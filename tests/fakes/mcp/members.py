"""A server of tools for members only, over HTTP, and the OAuth server that lets them in."""

import base64
import hashlib
import secrets
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from aiohttp import web

TOOL = {
    "name": "whoami",
    "description": "Says who is there.",
    "inputSchema": {"type": "object"},
    "annotations": {"readOnlyHint": True},
}


class Members:
    """`async with Members() as members`: `who` is at the browser, and consents unless `refuses`.

    `lifetime` is how long a token is good, in seconds, as it says; `good` are the tokens that open
    the door. `seen` are the requests to the OAuth server, by endpoint. `metadata` and `resource`
    are laid over what is told of the two servers.
    """

    def __init__(self) -> None:
        self.who = "ada"
        self.refuses = False
        self.lifetime = 3600
        self.rotates = True
        self.good: dict[str, str] = {}
        self.refreshes: dict[str, str] = {}
        self.seen: dict[str, list[dict[str, str]]] = {}
        self.metadata: dict[str, Any] = {}
        self.resource: dict[str, Any] = {}
        self.url = self.issuer = ""
        self._codes: dict[str, dict[str, str]] = {}
        self._clients: set[str] = set()
        self._runners: list[web.AppRunner] = []

    async def __aenter__(self) -> Self:
        prm = "/.well-known/oauth-protected-resource/mcp"
        self.url = await self._serve(
            web.post("/mcp", self._mcp), web.get("/mcp", _not_here), web.get(prm, self._told)
        )
        self.url += "/mcp"
        self.issuer = await self._serve(
            web.get("/.well-known/oauth-authorization-server", self._discovered),
            web.post("/register", self._register),
            web.get("/authorize", self._authorize),
            web.post("/token", self._token),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for runner in self._runners:
            await runner.cleanup()

    @property
    def config(self) -> dict[str, Any]:
        return {"url": self.url, "oauth": True, "start_seconds": 60}

    def expire(self) -> None:
        """All tokens; what renews them stays good."""
        self.good.clear()

    def revoke(self) -> None:
        """Everything that was granted."""
        self.good.clear()
        self.refreshes.clear()

    async def _serve(self, *routes: web.RouteDef) -> str:
        app = web.Application()
        app.add_routes(routes)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        self._runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    # -- the server of tools --

    async def _told(self, _: web.Request) -> web.Response:
        says = {"resource": self.url, "authorization_servers": [self.issuer]}
        return web.json_response(says | self.resource)

    async def _mcp(self, request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.good:
            return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        asked = await request.json()
        if "id" not in asked:
            return web.Response(status=202)
        match asked["method"]:
            case "initialize":
                result: dict[str, Any] = {
                    "protocolVersion": asked["params"]["protocolVersion"],
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "members", "version": "0"},
                }
            case "tools/list":
                result = {"tools": [TOOL]}
            case "tools/call":
                result = {"content": [{"type": "text", "text": self.good[token]}]}
            case "ping":
                result = {}
            case _:
                error = {"code": -32601, "message": "no such method"}
                return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "error": error})
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "result": result})

    # -- the OAuth server --

    async def _discovered(self, _: web.Request) -> web.Response:
        says = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "registration_endpoint": f"{self.issuer}/register",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
        }
        return web.json_response(says | self.metadata)

    async def _register(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self._note("register", {"redirect_uri": asked["redirect_uris"][0]})
        client = {"client_id": secrets.token_hex(8), "client_secret": secrets.token_urlsafe(16)}
        self._clients.add(client["client_id"])
        how = {"token_endpoint_auth_method": "client_secret_post"}
        return web.json_response(asked | client | how, status=201)

    async def _authorize(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        self._note("authorize", asked)
        assert asked["client_id"] in self._clients
        assert asked["resource"] == self.url
        back = {"state": asked["state"]}
        if self.refuses:
            back["error"] = "access_denied"
        else:
            back["code"] = secrets.token_urlsafe(16)
            self._codes[back["code"]] = asked | {"who": self.who}
        where = f"{asked['redirect_uri']}?{urlencode(back)}"
        return web.Response(status=302, headers={"Location": where})

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self._note("token", form)
        if form["grant_type"] == "refresh_token":
            who = self.refreshes.get(form["refresh_token"])
            if who is not None and self.rotates:
                del self.refreshes[form["refresh_token"]]
        else:
            who = self._exchanged(form)
        if who is None:
            return web.json_response({"error": "invalid_grant"}, status=400)
        access, refresh = f"at-{secrets.token_hex(12)}", f"rt-{secrets.token_hex(12)}"
        self.good[access] = self.refreshes[refresh] = who
        says = {"access_token": access, "refresh_token": refresh, "expires_in": self.lifetime}
        return web.json_response(says | {"token_type": "Bearer"})

    def _exchanged(self, form: dict[str, str]) -> str | None:
        asked = self._codes.pop(form["code"], None)
        if asked is None or form["redirect_uri"] != asked["redirect_uri"]:
            return None
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return asked["who"] if challenge == asked["code_challenge"] else None

    def _note(self, endpoint: str, asked: dict[str, str]) -> None:
        self.seen.setdefault(endpoint, []).append(asked)


async def _not_here(_: web.Request) -> web.Response:
    return web.Response(status=405)
