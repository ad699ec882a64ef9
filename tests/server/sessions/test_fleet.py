"""The fleet: what changed for whom, rates, and what a day costs."""

import asyncio
from typing import Literal

from agent.models.port import Text
from agent.protocol import Recorded, TurnEnded, TurnStarted, Usage, UserInput
from server.sessions.channel import Channel
from server.sessions.fleet import CHARACTERS_PER_TOKEN, TICK, Fleet, Spending
from tests.server.sessions.house import ADA, AT, BOB, HandTime, House, eventually


def used(cost: float | None) -> Recorded:
    return Recorded(2, AT, Usage("m", 1, 1, 0, cost, "main", "t1"))


async def test_each_sees_its_own_and_an_operator_all(home: House) -> None:
    with home.fleet.view("ada") as mine, home.fleet.view(None) as everything:
        ours, theirs = await home.session(ADA), await home.session(BOB)
        assert [home.fleet.row_of(row).id for row in mine.take()[0]] == [ours]
        assert [home.fleet.row_of(row).id for row in everything.take()[0]] == [ours, theirs]
        assert mine.take() == ([], ())
    assert not home.fleet._views


async def test_what_is_gone_has_not_changed(home: House) -> None:
    with home.fleet.view("ada") as view:
        session = await home.session()
        home.fleet.gone(session)
        assert view.take() == ([], (session,))


async def test_a_row_of_a_running_turn_says_how_long_it_runs(home: House) -> None:
    session = await home.session()
    home.model.script.append((Text("x" * 4000), go := asyncio.Event()))
    async with home.watch(session) as watcher, home.manager.attach(session) as channel:
        await home.manager.submit(session, ADA, UserInput("c1", "Talk"))
        await watcher.until("text_delta")
        home.time.now += 2.5
        row = home.fleet.row_of(channel)
        assert (row.state, row.activity, row.turn_seconds) == ("running", "model", 2.5)
        assert (row.viewers, row.context.limit) == (1, 100_000)
        go.set()
        await watcher.until("turn_ended")
        await eventually(lambda: home.fleet.row_of(channel).state == "idle")
        row = home.fleet.row_of(channel)
        assert (row.activity, row.turn_seconds) == (None, None)
    stored = home.fleet.row_of(await home.stored(session))
    assert (stored.viewers, stored.tokens_per_second) == (0, 0.0)


async def test_rates_are_what_was_streamed_since_the_last_reading(home: House) -> None:
    session = await home.session()
    async with home.manager.attach(session) as channel:
        with home.fleet.view("ada") as view:
            channel.streamed(100)
            channel.streamed(100)
            home.fleet._read_rates()
            rate = 200 / CHARACTERS_PER_TOKEN / TICK
            assert channel.tokens_per_second == home.fleet.tokens_per_second(None) == rate
            assert [home.fleet.tokens_per_second(who) for who in ("ada", "bob")] == [rate, 0]
            assert view.take()[0] == [channel]
            home.fleet._read_rates()
            assert (channel.tokens_per_second, home.fleet.tokens_per_second(None)) == (0.0, 0)
            assert view.take()[0] == [channel]
            home.fleet._read_rates()
            assert view.take()[0] == []
    assert home.fleet._streamed == {}


async def test_the_loops_lag_is_measured(home: House) -> None:
    home.fleet.loop_lag_ms = -1.0
    measuring = asyncio.create_task(home.fleet.measure())
    await eventually(lambda: home.fleet.loop_lag_ms >= 0)
    measuring.cancel()
    assert home.fleet.loop_lag_ms < 10_000


async def test_turns_are_counted_for_a_minute(home: House) -> None:
    time = HandTime()
    fleet = Fleet(time, lambda: "2026-01-01")
    async with home.manager.attach(await home.session()) as channel:
        ended(fleet, channel, "completed")
        time.now += 30
        ended(fleet, channel, "failed")
        assert fleet.per_minute(None) == (2, 1)
        time.now += 31
        assert fleet.per_minute(None) == (1, 1)
        time.now += 60
        assert fleet.per_minute(None) == (0, 0)


def ended(fleet: Fleet, channel: Channel, how: Literal["completed", "failed"]) -> None:
    fleet.recorded(channel, [Recorded(2, AT, TurnStarted("t1", "c1", "m"))])
    since = channel.turn_since
    fleet.recorded(channel, [Recorded(3, AT, TurnEnded("t1", how))])
    assert (since is None, channel.turn_since) == (False, None)


async def test_a_day_costs_what_it_costs_until_a_part_is_unknown(home: House) -> None:
    day = "2026-01-01"
    fleet = Fleet(HandTime(), lambda: day)
    async with home.manager.attach(await home.session()) as channel:
        fleet.recorded(channel, [used(0.25), used(0.5)])
        assert fleet.cost_today(None) == 0.75
        fleet.recorded(channel, [used(None), used(0.5)])
        assert [fleet.cost_today(None)] == [None]
        day = "2026-01-02"
        assert fleet.cost_today(None) == 0.0
        fleet.recorded(channel, [used(1.0)])
        assert fleet.cost_today(None) == 1.0


async def test_figures_of_an_owner_are_of_their_own_sessions(home: House) -> None:
    fleet = Fleet(HandTime(), lambda: "2026-01-01")
    async with (
        home.manager.attach(await home.session(ADA)) as ours,
        home.manager.attach(await home.session(BOB)) as theirs,
    ):
        ended(fleet, ours, "completed")
        ended(fleet, theirs, "failed")
        ended(fleet, theirs, "completed")
        fleet.recorded(ours, [used(0.25)])
        fleet.recorded(theirs, [used(None)])
    assert [fleet.per_minute(who) for who in ("ada", "bob", "eve")] == [(1, 0), (2, 1), (0, 0)]
    assert [fleet.cost_today(who) for who in ("ada", "bob", "eve")] == [0.25, None, 0.0]
    assert (fleet.per_minute(None), fleet.cost_today(None)) == ((3, 1), None)


def test_costs_of_more_owners_than_are_kept_are_unknown_until_tomorrow() -> None:
    day = "2026-01-01"
    spending = Spending(lambda: day, most_owners=2)
    for owner in ("ada", "bob", "eve", "ada"):
        spending.add(owner, 0.5)
    assert [spending.of(who) for who in ("ada", "bob", "eve", None)] == [1.0, 0.5, None, 2.0]
    day = "2026-01-02"
    assert [spending.of(who) for who in ("ada", "eve", None)] == [0.0, 0.0, 0.0]
