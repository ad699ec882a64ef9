"""A shared connection: opened when needed, lost, opened again, left alone, shared and bounded."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from agent.errors import Problem
from agent.protocol import JsonObject
from agent.tools.mcp_link import Link, Patience, Time
from agent.tools.mcp_pool import Pool
from agent.tools.mcp_port import Hearing, Offered, Said, Signals, ToolServer, Words
from agent.tools.mcp_settings import McpServer, Target
from agent.tools.port import NoKeys
from tests.agent.sandbox.running import become
from tests.agent.tools.mcp_stage import PATIENT, target

DOWN = Problem("mcp_unreachable", "It is down.")


class Server:
    """Opens as often as it is told, in the one task that keeps it; tests say what happens to it."""

    def __init__(self) -> None:
        self.opened = 0
        self.open = 0
        self.down = False
        self.hangs = False
        self.offers = [Offered("work", "", {}, False)]
        self.signals: Signals | None = None
        self.targets: list[Target] = []
        self.tries: asyncio.Queue[bool] = asyncio.Queue()

    @asynccontextmanager
    async def connect(self, target: Target, signals: Signals) -> AsyncIterator[ToolServer]:
        owner = asyncio.current_task()
        self.targets.append(target)
        self.tries.put_nowait(not self.down)
        if self.hangs:
            await asyncio.Event().wait()
        if self.down:
            raise DOWN
        self.opened += 1
        self.open += 1
        self.signals = signals
        try:
            yield self
        finally:
            self.open -= 1
            assert asyncio.current_task() is owner

    async def tools(self) -> tuple[Offered, ...]:
        return tuple(self.offers)

    async def call(self, tool: str, arguments: JsonObject, hearing: Hearing) -> Said:
        return Said((Words("done"),), False)

    def lose(self) -> None:
        assert self.signals is not None
        self.signals.lost()


class Clock:
    """Waits are over when the test says so; `waited` are those that were begun."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waited: list[float] = []
        self.over = asyncio.Semaphore(0)
        self.time = Time(lambda: self.now, self._sleep, lambda: 1.0)

    async def _sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        await self.over.acquire()
        self.now += seconds


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def clock() -> Clock:
    return Clock()


MakeLink = Callable[..., Link]


@pytest.fixture
async def link(server: Server, clock: Clock) -> AsyncIterator[Link]:
    patience = Patience(start=PATIENT, idle=PATIENT, waits=(1, 2, 4), steady=100)
    link = Link(target(), server.connect, patience, clock.time)
    yield link
    await link.close()


async def test_nothing_is_opened_before_somebody_needs_it_and_then_once(
    link: Link, server: Server
) -> None:
    assert (server.opened, link.offered, link.state) == (0, None, "asleep")
    async with link.using() as one, link.using() as other:
        assert one is other
        assert link.in_use
    assert server.opened == 1
    assert link.offered == tuple(server.offers)
    assert not link.in_use


async def test_what_nobody_uses_is_closed_and_opened_for_the_next(
    server: Server, clock: Clock
) -> None:
    link = Link(target(), server.connect, Patience(start=PATIENT, idle=0), clock.time)
    async with link.using():
        assert server.open == 1
    await _asleep(link)
    assert (server.open, link.state, link.problem) == (0, "asleep", None)
    assert link.offered is not None, "its tools are remembered"
    async with link.using():
        assert server.opened == 2
    await _asleep(link)
    assert link.losses == 0


async def test_what_is_lost_is_opened_again_after_a_pause(
    link: Link, server: Server, clock: Clock
) -> None:
    async with link.using():
        pass
    server.lose()
    clock.over.release()
    await _until_tried(server, 2)
    async with link.using():
        assert server.opened == 2
    assert clock.waited == [1]
    assert link.losses == 1
    assert link.problem is None


async def test_pauses_grow_and_end_until_somebody_asks_again(
    link: Link, server: Server, clock: Clock
) -> None:
    server.down = True
    for _ in range(3):
        clock.over.release()
    with pytest.raises(Problem, match="It is down"):
        async with link.using():
            pass
    await _asleep(link)
    assert clock.waited == [1, 2, 4]
    assert (link.state, link.is_resting) == ("down", True)
    clock.now += 4
    assert not link.is_resting
    server.down = False
    async with link.using():
        assert server.opened == 1


async def test_while_it_pauses_nobody_waits_for_it(
    link: Link, server: Server, clock: Clock
) -> None:
    server.down = True
    for _ in range(3):
        with pytest.raises(Problem, match="It is down"):
            async with link.using():
                pass
    assert clock.waited == [1]
    assert link.state == "waiting"


async def test_a_server_that_held_for_long_begins_the_pauses_anew(
    link: Link, server: Server, clock: Clock
) -> None:
    for tries, held in ((2, 0), (3, 0), (4, 200)):
        async with link.using():
            clock.now += held
        server.lose()
        clock.over.release()
        await _until_tried(server, tries)
    async with link.using():
        pass
    assert clock.waited == [1, 2, 1]


async def test_a_server_that_never_answers_is_given_up(server: Server, clock: Clock) -> None:
    server.hangs = True
    link = Link(target(), server.connect, Patience(start=0, waits=()), clock.time)
    with pytest.raises(Problem, match="did not answer within 0 s"):
        async with link.using():
            pass
    await _asleep(link)


async def test_tools_are_listed_again_when_the_server_says_so(
    link: Link, server: Server, clock: Clock
) -> None:
    async with link.using():
        server.offers.append(Offered("more", "", {}, False))
        assert server.signals is not None
        for _ in range(100):
            server.signals.changed()
        clock.over.release()
        await become(lambda: link.offered == tuple(server.offers))
    assert clock.waited == [1], "not as often as it says so"


async def test_who_waits_is_told_when_it_is_closed(link: Link, server: Server) -> None:
    server.hangs = True

    async def use() -> None:
        async with link.using():
            pass

    using = asyncio.create_task(use())
    await _until_tried(server, 1)
    await link.close()
    with pytest.raises(Problem):
        await using


# -- the pool --


class Hub(NoKeys):
    def __init__(self, token: str) -> None:
        self._token = token

    def hub(self) -> str:  # type: ignore[override]
        return self._token


HERE = McpServer(command=("a",))
THEIRS = McpServer(command=("a",), hub_token="environment")


async def test_those_with_the_same_credential_share_a_connection(
    server: Server, clock: Clock
) -> None:
    pool = Pool({"ours": HERE, "theirs": THEIRS}, server.connect, time=clock.time)
    for name, keys in (
        ("ours", Hub("a")),
        ("ours", Hub("b")),
        ("theirs", Hub("a")),
        ("theirs", Hub("b")),
        ("theirs", Hub("a")),
    ):
        async with pool.using(name, keys):
            pass
    tokens = [target.environment.get("HF_TOKEN") for target in server.targets]
    assert tokens == [None, "a", "b"]
    await pool.close()
    assert server.open == 0


async def test_connections_are_bounded_and_idle_ones_make_room(
    server: Server, clock: Clock
) -> None:
    pool = Pool({"theirs": THEIRS}, server.connect, most=2, time=clock.time)
    for n in range(10):
        async with pool.using("theirs", Hub(str(n))):
            assert server.open <= 2
    async with pool.using("theirs", Hub("a")), pool.using("theirs", Hub("b")):
        with pytest.raises(Problem, match="2 of 2 connections"):
            async with pool.using("theirs", Hub("c")):
                pass
    await pool.close()
    assert server.open == 0


async def test_connections_that_were_used_long_ago_are_forgotten(
    server: Server, clock: Clock
) -> None:
    pool = Pool({"theirs": THEIRS}, server.connect, remembered=2, time=clock.time)
    first = pool.link("theirs", Hub("0"))
    async with pool.using("theirs", Hub("0")):
        for n in range(5):
            pool.link("theirs", Hub(str(n)))
        assert pool.link("theirs", Hub("0")) is first, "not one that is in use"
    last = pool.link("theirs", Hub("4"))
    for n in range(5):
        pool.link("theirs", Hub(str(n)))
    assert pool.link("theirs", Hub("4")) is not last, "it made room for others"
    last = pool.link("theirs", Hub("4"))
    assert pool.link("theirs", Hub("4")) is last
    await pool.close()


async def test_a_closed_pool_opens_nothing(server: Server, clock: Clock) -> None:
    pool = Pool({"ours": HERE}, server.connect, time=clock.time)
    await pool.close()
    with pytest.raises(Problem, match="going away"):
        async with pool.using("ours", NoKeys()):
            pass


async def _asleep(link: Link) -> None:
    await become(lambda: not link.is_open)


async def _until_tried(server: Server, times: int) -> None:
    await become(lambda: len(server.targets) >= times)
