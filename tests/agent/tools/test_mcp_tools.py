"""The tools of a session's servers in its toolbox: as they are at the moment, never a built-in."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from msgspec import structs

from agent.approval import Ask, Policy, Refuse, Rules
from agent.history import CallState, History
from agent.protocol import ToolCall
from agent.sandbox.capacity import Capacity
from agent.sandbox.port import SandboxLimits
from agent.tools.mcp import opened
from agent.tools.mcp_link import Time
from agent.tools.mcp_pool import Pool
from agent.tools.mcp_results import Keeper
from agent.tools.mcp_settings import McpServer
from agent.tools.mcp_tools import Listener, McpTools
from agent.tools.plan import Plan
from agent.tools.port import Inquiry, NoKeys, Response
from agent.tools.toolbox import Toolbox
from tests.agent.sandbox.running import become
from tests.agent.tools.calls import Calls
from tests.fakes.mcp import ROGUE, WORKSHOP

Servers = Mapping[str, McpServer]


class Bench:
    """A pool over real servers, and toolboxes of sessions that share it."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self.waits = asyncio.Semaphore(0)
        self.pools: list[Pool] = []
        self._executor = executor

    def toolbox(self, servers: Servers, *, taken: tuple[str, ...] = ()) -> Toolbox:
        time = Time(asyncio.get_running_loop().time, lambda _: self.waits.acquire(), lambda: 1.0)
        pool = Pool(servers, opened, time=time)
        self.pools.append(pool)
        return self.session(pool, taken)

    def session(self, pool: Pool, taken: tuple[str, ...] = ()) -> Toolbox:
        keeper = Keeper(Capacity(SandboxLimits()), self._executor, None)
        source = McpTools(pool, NoKeys(), keeper, pool.servers, ("plan", *taken))
        return Toolbox([Plan()], self._executor).joined_by(source)


@pytest.fixture
async def bench(executor: ThreadPoolExecutor) -> AsyncIterator[Bench]:
    bench = Bench(executor)
    yield bench
    for pool in bench.pools:
        await pool.close()


def rogue(way: str, *more: object, **settings: Any) -> McpServer:
    return McpServer(command=(*ROGUE, way, *map(str, more)), **{**MOST, **settings})


MOST: dict[str, Any] = {"start_seconds": 60}
"""The machine may be busy."""
SHOP = {"shop": McpServer(command=WORKSHOP, **MOST)}


async def test_tools_are_known_when_the_model_is_first_asked(bench: Bench) -> None:
    toolbox = bench.toolbox(SHOP)
    assert toolbox.names == ("plan",)
    assert await toolbox.news() == ()
    (add,) = [schema for schema in toolbox.schemas() if schema.name == "mcp_shop_add"]
    assert add.description == "[MCP server shop] Add two numbers."
    assert set(add.parameters["properties"]) == {"a", "b"}


async def test_what_a_server_does_not_call_harmless_asks_first(bench: Bench) -> None:
    toolbox = bench.toolbox(SHOP)
    rules = Rules(Policy(), toolbox.check)

    def verdict(tool: str, arguments: dict[str, Any]) -> object:
        effect = toolbox.stakes(tool, arguments).effect
        return rules.verdict(CallState(ToolCall("t", "c", tool, arguments, effect)), History())

    early = verdict("mcp_shop_publish", {"text": "x"})
    assert isinstance(early, Refuse), "it is not there yet"
    assert toolbox.stakes("mcp_shop_publish", {}).effect == "publish", "it may be, in a moment"
    await toolbox.news()
    assert toolbox.stakes("mcp_shop_add", {}).effect == "read"
    assert isinstance(verdict("mcp_shop_publish", {"text": "x"}), Ask)
    assert not isinstance(verdict("mcp_shop_add", {"a": 1, "b": 2}), Ask)


async def test_a_server_that_contradicts_itself_is_not_believed(bench: Bench) -> None:
    toolbox = bench.toolbox({"a": rogue("dishonest")})
    await toolbox.news()
    assert toolbox.stakes("mcp_a_work", {}).effect == "publish"


async def test_a_call_ends_in_words_and_files(bench: Bench, calls: Calls) -> None:
    toolbox = bench.toolbox(SHOP)
    await toolbox.news()
    finished = await toolbox.call("mcp_shop_add", {"a": 2, "b": 3}, calls())
    assert (finished.status, finished.output) == ("ok", "5")
    wrong = await toolbox.call("mcp_shop_add", {"a": 2}, calls())
    assert "missing: b" in wrong.output
    picture = await toolbox.call("mcp_shop_picture", {}, calls("c2"))
    assert picture.files == (".mooring/mcp/c2/1-image.png",)
    assert (calls.workspace.tree / picture.files[0]).exists()
    steps = await toolbox.call("mcp_shop_steps", {}, calls("c3"))
    assert steps.output.startswith("[1/2] half\n")
    assert calls.shown["c3"] == steps.output


async def test_a_person_is_asked_through_the_call(bench: Bench, calls: Calls) -> None:
    toolbox = bench.toolbox(SHOP)
    await toolbox.news()

    async def ask(inquiry: Inquiry) -> Response:
        return Response("accept", {"name": f"Ada, asked {inquiry.text}"})

    call = structs.replace(calls(), ask=ask)
    asked = await toolbox.call("mcp_shop_ask", {}, call)
    assert asked.output == "[asks: Who?]\n[accept]\nAda, asked Who?"
    nobody = await toolbox.call("mcp_shop_ask", {}, calls())
    assert nobody.output == "[asks: Who?]\n[decline]\ndecline"


async def test_the_time_of_a_call_stands_still_while_people_think(calls: Calls) -> None:
    """However many questions are open, and until the last of them is answered."""
    loop = asyncio.get_running_loop()
    limit = asyncio.timeout(60)
    first, second = asyncio.Event(), asyncio.Event()
    patience: list[float] = []

    async def ask(inquiry: Inquiry) -> Response:
        patience.append(inquiry.patience)
        await (first if inquiry.text == "1" else second).wait()
        return Response("decline")

    async with limit:
        settings = McpServer(command=("a",), timeout_seconds=60, patience_seconds=7)
        listener = Listener(structs.replace(calls(), ask=ask), limit, settings)
        asking = [
            asyncio.ensure_future(listener.hearing.ask(Inquiry("a", n, {}))) for n in ("1", "2")
        ]
        await become(lambda: len(patience) == 2)
        assert limit.when() is None
        first.set()
        await asking[0]
        assert limit.when() is None
        second.set()
        await asking[1]
        due = limit.when()
        assert due is not None
        assert 0 < due - loop.time() <= 60
        listener.close()
        await listener.hearing.ask(Inquiry("a", "1", {}))
    assert patience == [7, 7, 7]
    assert calls.shown["c1"].count("[asks:") == 2, "a call that is over shows nothing more"


async def test_sessions_share_a_server_and_hear_of_its_changes(bench: Bench, calls: Calls) -> None:
    one = bench.toolbox(SHOP)
    other = bench.session(bench.pools[0])
    await one.news()
    before = set(other.names)
    while "mcp_shop_grown" not in other.names:  # it may begin to listen after it was called
        await one.call("mcp_shop_grow", {}, calls())
        bench.waits.release()
    assert {*other.names} - before == {"mcp_shop_grown"}


async def test_no_server_takes_a_name_that_is_taken(bench: Bench, calls: Calls) -> None:
    toolbox = bench.toolbox({"a": rogue("growing")}, taken=("mcp_a_work",))
    await toolbox.news()
    assert toolbox.names == ("plan",)


async def test_strange_tools_are_made_fit(bench: Bench) -> None:
    toolbox = bench.toolbox({"a": rogue("strange")})
    await toolbox.news()
    told = {schema.name: schema for schema in toolbox.schemas() if schema.name != "plan"}
    assert len(told) == 4
    assert all(len(name) <= 64 for name in told)
    for schema in told.values():
        assert schema.parameters["type"] == "object"
    assert "cannot be shown" in told["mcp_a_deep"].description


async def test_a_server_that_dies_is_told_of_and_told_when_it_is_back(
    bench: Bench, calls: Calls, tmp_path: Any
) -> None:
    toolbox = bench.toolbox({"a": rogue("dies once", tmp_path)})
    assert await toolbox.news() == ()
    failed = await toolbox.call("mcp_a_work", {}, calls())
    assert failed.status == "error"
    assert "was lost while it worked" in failed.output
    link = bench.pools[0].link("a", NoKeys())
    await become(lambda: link.state == "waiting")
    assert [news.code for news in await toolbox.news()] == ["mcp_lost"]
    assert await toolbox.news() == ()
    assert "mcp_a_work" in toolbox.names, "its tools are remembered"
    bench.waits.release()
    await become(lambda: link.state == "up")
    assert [news.code for news in await toolbox.news()] == ["mcp_back"]
    assert (await toolbox.call("mcp_a_work", {}, calls())).output == "done"
    assert await toolbox.news() == ()


async def test_a_loss_between_two_looks_is_told_too(
    bench: Bench, calls: Calls, tmp_path: Any
) -> None:
    toolbox = bench.toolbox({"a": rogue("dies once", tmp_path)})
    await toolbox.news()
    bench.waits.release()
    await toolbox.call("mcp_a_work", {}, calls())
    link = bench.pools[0].link("a", NoKeys())
    await become(lambda: link.state == "up" and link.losses == 1)
    assert [news.code for news in await toolbox.news()] == ["mcp_lost", "mcp_back"]


async def test_a_server_that_cannot_be_had_costs_its_tools_not_the_turn(bench: Bench) -> None:
    servers = {
        "gone": McpServer(command=("no-such-program",)),
        "silent": rogue("silent", start_seconds=0.3),
        "a": rogue("works"),
    }
    toolbox = bench.toolbox(servers)
    news = await toolbox.news()
    assert [one.code for one in news] == ["mcp_lost", "mcp_lost"]
    assert "no-such-program" in news[0].text
    assert "did not answer within 0.3 s" in news[1].text
    assert toolbox.names == ("plan", "mcp_a_work")
    assert await toolbox.news() == ()


async def test_a_call_that_takes_too_long_is_told_to_stop(
    bench: Bench, calls: Calls, tmp_path: Any
) -> None:
    toolbox = bench.toolbox({"a": rogue("slow", tmp_path, timeout_seconds=2)})
    await toolbox.news()
    finished = await toolbox.call("mcp_a_work", {}, calls())
    assert finished.status == "error"
    assert "did not answer within 2 s" in finished.output
    await become((tmp_path / "cancelled").exists)


async def test_what_a_server_shows_is_bounded(bench: Bench, calls: Calls) -> None:
    toolbox = bench.toolbox({"a": rogue("chatters")})
    await toolbox.news()
    finished = await toolbox.call("mcp_a_work", {}, calls())
    assert finished.output.endswith("done")
    assert finished.size < 200_000
