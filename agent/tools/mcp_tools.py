"""The tools of the servers that a session works with, as they are offered at the moment."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import closing, suppress
from typing import Any

from msgspec import Struct, structs

from agent.errors import Problem
from agent.protocol import Effect, JsonObject
from agent.tools.mcp_link import Link
from agent.tools.mcp_names import names_of, told, wrong_with
from agent.tools.mcp_pool import Pool
from agent.tools.mcp_port import Hearing, Offered
from agent.tools.mcp_results import Keeper
from agent.tools.mcp_settings import McpServer
from agent.tools.port import Call, Inquiry, Keys, News, Outcome, Response

LONGEST_DESCRIPTION = 4000
MOST_SHOWN = 100_000
"""Characters of progress and logs of one call that are shown."""


class McpTool:
    """Implements Foreign."""

    def __init__(
        self, name: str, server: str, offered: Offered, pool: Pool, keeper: Keeper
    ) -> None:
        schema = told(offered.schema)
        self.name = name
        self.effect: Effect = "read" if offered.reads else "publish"
        self.schema: JsonObject = schema or {"type": "object", "properties": {}}
        self.description = _description(server, offered, whole=schema is not None)
        self._server = server
        self._offered = offered
        self._pool = pool
        self._keeper = keeper

    def wrong(self, arguments: JsonObject) -> str | None:
        return wrong_with(self.schema, arguments)

    async def run(self, arguments: Any, call: Call) -> Outcome:
        settings = self._pool.servers[self._server]
        seconds = settings.timeout_seconds
        try:
            async with asyncio.timeout(seconds) as limit:
                with closing(Listener(call, limit, settings)) as listener:
                    async with self._pool.using(self._server, call.keys) as server:
                        said = await server.call(self._offered.name, arguments, listener.hearing)
        except TimeoutError:
            says = f"{self._server} did not answer within {seconds:g} s; it was told to stop"
            return Outcome("error", f"{says}. Ask for less at a time.")
        return await self._keeper.outcome(said, call)


class McpTools:
    """Implements Source, for one session. `wanted` are names of servers, `taken` of tools."""

    def __init__(
        self,
        pool: Pool,
        keys: Keys,
        keeper: Keeper,
        wanted: Collection[str],
        taken: Collection[str],
    ) -> None:
        self._pool = pool
        self._keys = keys
        self._keeper = keeper
        self._taken = frozenset(taken)
        self._wanted = [name for name in pool.servers if name in wanted]
        self._made: dict[str, tuple[tuple[Offered, ...], tuple[McpTool, ...]]] = {}
        self._told: dict[str, _Told] = {}

    def tools(self) -> Sequence[McpTool]:
        return [tool for name in self._wanted for tool in self._tools_of(name)]

    async def news(self) -> tuple[News, ...]:
        links = {name: self._pool.link(name, self._keys) for name in self._wanted}
        unknown = [link for link in links.values() if link.offered is None]
        if unknown:
            await self._wait_for(unknown)
        return tuple(news for name, link in links.items() for news in self._news(name, link))

    async def _wait_for(self, links: Sequence[Link]) -> None:
        """Only for the first attempt, which has a limit of its own; later ones go on beside."""
        with suppress(Problem):  # too many are open: there will be another time
            for link in links:
                if not link.is_open and not link.is_resting:
                    await self._pool.begin(link)
        await asyncio.gather(*(link.settled() for link in links if not link.tried and link.is_open))

    def _news(self, name: str, link: Link) -> Sequence[News]:
        before = self._told.get(name)
        if before is None or before.link is not link:  # another: the user's keys are others now
            before = _Told(link, link.losses, lost=before.lost if before else None)
        lost = _code(link.problem) if link.problem else None
        found: list[News] = []
        if lost == "mcp_login" != before.lost:
            found.append(News("mcp_login", link.problem.message if link.problem else ""))
        elif before.lost is None and (lost or link.losses > before.losses):
            why = link.problem.message if link.problem else f"The MCP server {name} was lost."
            found.append(News("mcp_lost", f"{why} What it kept of this session may be gone."))
        if not lost and (before.lost or found):
            found.append(News("mcp_back", f"The MCP server {name} is there again."))
        self._told[name] = _Told(link, link.losses, lost)
        return found

    def _tools_of(self, name: str) -> Sequence[McpTool]:
        offered = self._pool.link(name, self._keys).offered or ()
        made = self._made.get(name)
        if made is None or made[0] is not offered:
            made = self._made[name] = (offered, self._make(name, offered))
        return made[1]

    def _make(self, server: str, offered: Sequence[Offered]) -> tuple[McpTool, ...]:
        by_name = {tool.name: tool for tool in reversed(offered)}
        names = names_of(server, (tool.name for tool in offered), self._taken)
        return tuple(
            McpTool(name, server, by_name[own], self._pool, self._keeper)
            for name, own in names.items()
        )


class _Told(Struct, frozen=True):
    """What a session knows of a connection."""

    link: Link
    losses: int
    lost: str | None
    """The code of the news that told so."""


class Listener:
    """Shows what a server says during a call, up to a limit; asking stops the clock."""

    def __init__(self, call: Call, limit: asyncio.Timeout, server: McpServer) -> None:
        self.hearing = Hearing(self._show, self._ask)
        self._call = call
        self._limit = limit
        self._server = server
        self._left = MOST_SHOWN
        self._open = 0
        """How many questions a person has not answered."""
        self._remaining = server.timeout_seconds
        self._over = False

    def close(self) -> None:
        self._over = True

    def _show(self, text: str) -> None:
        if self._left > 0 and not self._over:
            self._call.show(text[: self._left])
            self._left -= len(text)

    async def _ask(self, inquiry: Inquiry) -> Response:
        self._show(f"[asks: {inquiry.text}]\n")
        patient = structs.replace(inquiry, patience=self._server.patience_seconds)
        self._stop_the_clock()
        try:
            response = await self._call.ask(patient)
        finally:
            self._let_it_run()
        self._show(f"[{response.action}]\n")
        return response

    def _stop_the_clock(self) -> None:
        self._open += 1
        if (due := self._limit.when()) is not None and not self._over:
            self._remaining = due - asyncio.get_running_loop().time()
            self._limit.reschedule(None)

    def _let_it_run(self) -> None:
        """Once nothing is asked any more; a call that is over has none."""
        self._open -= 1
        if self._open == 0 and not self._over:
            self._limit.reschedule(asyncio.get_running_loop().time() + self._remaining)


def _code(problem: Problem) -> str:
    return "mcp_login" if problem.code == "mcp_login" else "mcp_lost"


def _description(server: str, offered: Offered, *, whole: bool) -> str:
    text = offered.description.strip()[:LONGEST_DESCRIPTION] or offered.name
    note = "" if whole else " (What it takes cannot be shown here.)"
    return f"[MCP server {server}] {text}{note}"
