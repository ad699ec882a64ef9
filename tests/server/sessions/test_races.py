"""Whatever happens to one session at once, its log has no hole and nothing is left behind."""

import asyncio
import random
from pathlib import Path
from typing import Any, Literal

import pytest

from agent.errors import Problem, Refused
from agent.models.port import Text
from agent.protocol import AnySubmission, Interrupt, SetModel, UserInput
from agent.receipts import Accepted
from server.errors import NoSuchSession, Refusal
from server.sessions.manager import SessionManager
from tests.server.sessions.house import ADA, House, asks, eventually, house
from tests.server.sessions.test_manager import asleep, assert_nothing_left

Kind = Literal["say", "model", "interrupt", "sleep", "fork", "watch", "title", "delete"]
KINDS: tuple[Kind, ...] = ("say", "model", "interrupt", "sleep", "fork", "watch", "title")
FIRM: tuple[Kind, ...] = ("say", "model", "interrupt", "sleep", "watch")


class Crowd:
    """Many hands on one session; what each was told is kept."""

    def __init__(self, home: House, session: str, chance: random.Random) -> None:
        self.home = home
        self.session = session
        self.chance = chance
        self.accepted: dict[str, Accepted] = {}
        self.sent: dict[str, AnySubmission] = {}
        self.forks: list[str] = []
        self.refused: set[str] = set()
        self.deleted = False

    async def pause(self) -> None:
        for _ in range(self.chance.choice((0, 1, 2, 5, 12, 40, 120))):
            await asyncio.sleep(0)

    async def act(self, kind: Kind, number: int) -> None:
        await self.pause()
        try:
            await self._do(kind, number)
        except (Refused, Refusal) as refused:
            self.refused.add(refused.code)

    async def _do(self, kind: Kind, number: int) -> None:
        manager = self.home.manager
        match kind:
            case "say":
                await self._submit(UserInput(f"c{number}", f"Say {number}"))
            case "model":
                await self._submit(
                    SetModel(f"c{number}", self.chance.choice(("scripted", "other")))
                )
            case "interrupt":
                await self._submit(Interrupt(f"c{number}", queue="continue"))
            case "sleep":
                self._hibernate(manager)
            case "fork":
                self.forks.append((await self.home.archive.fork(self.session, ADA, None)).id)
            case "title":
                await manager.rename(self.session, ADA, f"Title {number}")
            case "watch":
                async with manager.attach(self.session) as channel:
                    await self.pause()
                    known = manager._channels.get(self.session)
                    assert known is channel or self.deleted
            case "delete":
                self.deleted = True
                await self.home.archive.erase(self.session)

    async def _submit(self, submission: AnySubmission) -> None:
        self.sent[submission.id] = submission
        told = await self.home.manager.submit(self.session, ADA, submission)
        self.accepted[submission.id] = told

    def _hibernate(self, manager: SessionManager) -> None:
        live = manager._live.get(self.session)
        if live is not None and live.resting and not live.failed:
            manager._hibernate(self.session)


async def dense(home: House, session: str) -> list[dict[str, Any]]:
    events = await home.log(session)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    begun = [event["turn"] for event in events if event["type"] == "turn_started"]
    ended = [event["turn"] for event in events if event["type"] == "turn_ended"]
    assert len(set(begun)) == len(begun)
    assert sorted(begun) == sorted(ended)
    return events


@pytest.mark.parametrize("seed", range(40))
async def test_hands_of_all_kinds_leave_a_whole_log_and_every_answer_is_true(
    seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    async with house(tmp_path) as home:
        session = await home.session()
        home.model.script.extend([(Text("One."),), (Text("Two"), Text("two."))])
        crowd = Crowd(home, session, chance)
        async with home.watch(session) as watcher:
            hands = (crowd.act(chance.choice(KINDS), number) for number in range(14))
            await asyncio.gather(*hands)
            await rest(home, session)
            events = await dense(home, session)
            await eventually(lambda: len(watcher.seqs) == len(events))
            assert watcher.seqs == [event["seq"] for event in events]
        assert crowd.refused <= {"nothing_running", "no_such_turn", "too_many_queued"}
        for id, told in crowd.accepted.items():
            again = await home.manager.submit(session, ADA, crowd.sent[id])
            assert (again.seq, again.duplicate) == (told.seq, True)
        for fork in crowd.forks:
            await dense(home, fork)
        await asleep(home, session)
        assert_nothing_left(home)


@pytest.mark.parametrize("seed", range(40))
async def test_a_session_that_is_deleted_under_many_hands_is_gone_for_all_of_them(
    seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    async with house(tmp_path) as home:
        session = await home.session()
        crowd = Crowd(home, session, chance)
        kinds: list[Kind] = [chance.choice(KINDS) for _ in range(10)]
        kinds.insert(chance.randrange(10), "delete")
        await asyncio.gather(*(crowd.act(kind, number) for number, kind in enumerate(kinds)))
        assert await home.store.row(session) is None
        for id in crowd.forks:
            await dense(home, id)
        with pytest.raises(NoSuchSession):
            await home.manager.submit(session, ADA, UserInput("late", "Hello"))
        assert_nothing_left(home)


@pytest.mark.parametrize("seed", range(40))
async def test_an_unreliable_disk_makes_no_hole_and_no_lie(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    async with house(tmp_path) as home:
        session = await home.session()
        crowd = Crowd(home, session, chance)

        async def moods() -> None:
            for _ in range(10):
                home.store.mood = chance.choice(("well", "well", "fails", "seems to fail"))
                await crowd.pause()
            home.store.mood = "well"

        async with home.watch(session) as watcher:
            hands = (crowd.act(chance.choice(FIRM), number) for number in range(14))
            await asyncio.gather(moods(), *hands)
            await eventually(lambda: not home.manager._tasks)
            await rest(home, session)
            events = await dense(home, session)
            await eventually(lambda: len(watcher.seqs) == len(events))
            assert watcher.seqs == [event["seq"] for event in events]
        for id, told in crowd.accepted.items():
            again = await home.manager.submit(session, ADA, crowd.sent[id])
            assert (again.seq, again.duplicate) == (told.seq, True)


@pytest.mark.parametrize("pauses", range(40))
async def test_a_submission_that_crosses_a_deletion_is_told_so(home: House, pauses: int) -> None:
    session = await home.session()
    home.model.script.append(asks())
    await home.manager.submit(session, ADA, UserInput("c0", "Publish"))
    deleting = asyncio.create_task(home.archive.erase(session))
    for _ in range(pauses):
        await asyncio.sleep(0)
    order = asyncio.create_task(home.manager.submit(session, ADA, SetModel("c1", "other")))
    await asyncio.wait([order, deleting])
    await asyncio.wait([order])
    if (error := order.exception()) is not None:
        assert isinstance(error, NoSuchSession), error
    await deleting
    assert_nothing_left(home)


async def test_frames_to_a_sleeping_session_take_effect_in_their_order(home: House) -> None:
    for round in range(40):
        session = await home.session()
        orders = []
        for number in range(6):
            model = ("scripted", "other")[number % 2]
            order = home.manager.submit(session, ADA, SetModel(f"c{number}", model))
            orders.append(asyncio.create_task(order))
            for _ in range(round % 9):
                await asyncio.sleep(0)
        told = await asyncio.gather(*orders)
        assert [accepted.seq for accepted in told] == list(range(2, 8))


async def rest(home: House, session: str) -> None:
    """Wait until everything that was begun is over."""
    while True:
        try:
            await home.manager.submit(session, ADA, SetModel("last", "scripted"))
            break
        except Problem:
            await asyncio.sleep(0)
    live = home.manager._live[session]
    await eventually(lambda: live.resting)
