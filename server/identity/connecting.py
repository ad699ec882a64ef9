"""Users who log in at servers of tools: a browser is sent to a page there, and received back."""

import asyncio
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from msgspec import Struct

from agent.errors import Problem
from agent.tools.mcp_grant import LogIn, Returned
from agent.tools.mcp_settings import McpServer
from server.errors import Refusal
from server.identity.tool_logins import ToolLogins

CONNECTING: web.AppKey["Connecting"] = web.AppKey("connecting")
BACK = "/mcp/callback"
BEGIN_SECONDS = 45.0
FINISH_SECONDS = 60.0
PERSON_SECONDS = 600.0
"""How long a person may take on the pages of others."""
MOST = 200
"""Attempts at a time, of all users; a user has one for each server."""
LONGEST = 4096
"""Characters of what a browser brings back."""


class Begun(Struct, frozen=True):
    """`proof` is what the browser keeps: only the one that began it may end it."""

    url: str
    proof: str


class Back(Struct, frozen=True):
    """A browser that is back, with what it brings; `user` is whose it is, where that shows."""

    cookies: Mapping[str, str]
    query: Mapping[str, str]
    user: str | None


class Attempt:
    """A log-in under way; `state` is there with the address, `problem` when it has failed."""

    def __init__(self, user: str, server: str) -> None:
        loop = asyncio.get_running_loop()
        self.user = user
        self.server = server
        self.proof = secrets.token_urlsafe(32)
        self.state: str | None = None
        self.url: asyncio.Future[str] = loop.create_future()
        self.returned: asyncio.Future[Returned] = loop.create_future()
        self.problem: Problem | None = Problem("mcp_login_failed", "It was ended. Begin again.")
        self.task: asyncio.Task[None]

    async def redirect(self, url: str) -> None:
        self.state = parse_qs(urlsplit(url).query).get("state", [None])[0]
        self.url.set_result(url)

    async def back(self) -> Returned:
        return await self.returned

    def is_of(self, back: Back) -> bool:
        """Each comes back once."""
        proof = back.cookies.get(cookie_of(self.server), "")
        theirs = back.user is None or back.user == self.user
        return theirs and not self.returned.done() and _same(self.proof, proof)


class Connecting:
    """`servers` are those that want each user to log in."""

    def __init__(self, servers: Mapping[str, McpServer], logins: ToolLogins, log_in: LogIn) -> None:
        self.servers = servers
        self.logins = logins
        self._log_in = log_in
        self._attempts: dict[tuple[str, str], Attempt] = {}

    def check(self, server: str) -> None:
        """Raises Refusal where nobody logs in there."""
        if server not in self.servers:
            says = f"No server of tools {server[:64]!r} wants a log-in here."
            raise Refusal(404, "not_found", says)

    async def begin(self, user: str, server: str, here: str) -> Begun:
        """`here` is the origin that browsers come back to. Raises Refusal."""
        self.check(server)
        if (before := self._attempts.get((user, server))) is not None:
            before.task.cancel()
        elif len(self._attempts) >= MOST:
            says = f"{len(self._attempts)} of {MOST} log-ins are under way"
            raise Refusal(429, "rate_limited", f"{says}. Try again in a minute.", retry_after=60)
        attempt = self._attempts[user, server] = Attempt(user, server)
        attempt.task = asyncio.create_task(self._run(attempt, here), name=f"connect {server}")
        first = asyncio.FIRST_COMPLETED
        both = (attempt.task, attempt.url)
        await asyncio.wait(both, timeout=BEGIN_SECONDS, return_when=first)
        if not attempt.url.done():
            attempt.task.cancel()
            raise _failed(attempt)
        return Begun(attempt.url.result(), attempt.proof)

    async def finish(self, back: Back) -> Attempt:
        """Raises Refusal; either way this attempt is over, if it was this browser's."""
        query, state = back.query, back.query.get("state", "")
        attempt = next((a for a in self._attempts.values() if _same(a.state or "", state)), None)
        if attempt is None or not attempt.is_of(back):
            raise _bad("This was not begun in this browser, or too long ago")
        code = query.get("code", "")
        if "error" in query or not 0 < len(code) <= LONGEST:
            attempt.task.cancel()
            raise _bad("Leave was not given there")
        attempt.returned.set_result(Returned(code, state, query.get("iss")))
        await asyncio.wait((attempt.task,), timeout=FINISH_SECONDS)
        if attempt.problem is not None:
            attempt.task.cancel()
            raise _failed(attempt)
        return attempt

    async def forget(self, user: str, server: str) -> bool:
        """Whether something was granted. Raises Refusal."""
        self.check(server)
        if (under_way := self._attempts.get((user, server))) is not None:
            under_way.task.cancel()
        return await self.logins.remove(user, server)

    async def close(self) -> None:
        tasks = [attempt.task for attempt in self._attempts.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, attempt: Attempt, here: str) -> None:
        user, server = attempt.user, attempt.server
        url = self.servers[server].url or ""
        try:
            async with asyncio.timeout(PERSON_SECONDS):
                grant = await self._log_in(url, here + BACK, attempt.redirect, attempt.back)
            await self.logins.set(user, server, grant)
            attempt.problem = None
        except Problem as problem:
            attempt.problem = problem
        except TimeoutError:
            pass  # nobody waits any more
        finally:
            if self._attempts.get((user, server)) is attempt:
                del self._attempts[user, server]


def cookie_of(server: str) -> str:
    """The name of the cookie that holds a proof."""
    return f"mooring-mcp-{server}"


def _same(mine: str, theirs: str) -> bool:
    return bool(mine) and secrets.compare_digest(mine.encode(), theirs.encode(errors="replace"))


def _bad(message: str) -> Refusal:
    return Refusal(400, "bad_login", f"{message}. Connect it again in the settings.")


def _failed(attempt: Attempt) -> Refusal:
    problem = attempt.problem
    says = problem.message if problem else ""
    return Refusal(409, "mcp_login_failed", f"{attempt.server} cannot be connected. {says}")
