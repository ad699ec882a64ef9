"""A clock that jumps both ways under a running server, and a server that is stopped for a while."""

import asyncio
import random
import signal
from contextlib import AsyncExitStack
from pathlib import Path

from tests.api import Api
from tests.client import WITHIN, Viewer
from tests.faults.report import Report
from tests.faults.scene import drafted
from tests.faults.soak import told_by_metrics
from tests.faults.trial import judge_log
from tests.model_server import Gate, Reply
from tests.oracle import Frame
from tests.stories.scene import Story, bash, calls
from tests.stories.test_dashboard import Dashboard, dashboard
from tests.stories.test_tokens import bearer, create, known

BUSY = Reply(status=503, body={"error": {"message": "busy"}})
ARGUMENTS = ("--auth", "token")
CONFIG: Frame = {"hibernate_after_seconds": 1}
DAY = 24 * 60 * 60


class Clock:
    """The wall clock of the processes that have its environment; monotonic clocks go on."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.set(0)

    @staticmethod
    def library() -> Path | None:
        """Debian's libfaketime; None where it is not installed."""
        return next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(self.library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, seconds: int) -> None:
        """So far from the true time, at once."""
        draft = self._file.with_suffix(".new")
        draft.write_text(f"{seconds:+d}\n")
        draft.replace(self._file)


async def jump(story: Story, chance: random.Random, report: Report, clock: Clock) -> None:
    """Tokens follow the clock; streams, retries, sleep, commits and their order do not."""
    story.model.fresh()
    clock.set(0)
    day = await create(story.server, "ada", "--days", "1")
    season = await create(story.server, "bob", "--days", "90")
    async with AsyncExitStack() as stack:
        ada = await stack.enter_async_context(Api(story.server.url, bearer(day)))
        await known(ada)
        theirs = Viewer(story.server.url, await ada.session(), headers=bearer(day))
        await (await stack.enter_async_context(theirs)).synced()
        await known(await story.connect(bearer(season)))
        session, viewer = await story.begin()
        await _in_a_turn(story, viewer, clock, 2 * DAY, report)
        assert await theirs.closed() == 4401, theirs.bye
        await known(ada, 401)
        away = chance.randrange(-300 * DAY, -DAY)
        await _in_a_turn(story, viewer, clock, away, report)
        await known(ada)
        await _in_a_retry(story, viewer, clock, chance.randrange(-DAY, DAY), report)
        await _on_the_dashboard(story, clock, report)
        await _asleep(story, viewer, clock, report)
        back = await _killed(story, viewer, clock, report)
    stored = await story.api.events(session)
    judge_log(report, stored)
    report.seen(viewer.events, stored, whole=False)
    report.seen(back.events, stored, whole=True)
    times = [event["at"] for event in stored]
    assert times != sorted(times), "the clock has gone back, and the log tells it"


async def _in_a_turn(story: Story, viewer: Viewer, clock: Clock, to: int, report: Report) -> None:
    """In the middle of a stream, with a tool behind it."""
    report.tried["jumps of the clock"] += 1
    gate = Gate()
    story.model.play(
        Reply(text="half a sentence, and more", hold={2: gate}, calls=[bash("date +%s")]),
        Reply(text="Done."),
    )
    await viewer.say("Go")
    await gate.reached.wait()
    clock.set(to)
    gate.set()
    ended = await viewer.until("turn_ended")
    if ended["status"] != "completed":
        report.find("untrue", f"a jump of {to} s: {ended}")


async def _in_a_retry(story: Story, viewer: Viewer, clock: Clock, to: int, report: Report) -> None:
    report.tried["jumps of the clock"] += 1
    gate = Gate()
    held = Reply(status=503, body={"error": {"message": "busy"}}, hold={"start": gate})
    story.model.play(BUSY, held, Reply(text="Now."))
    await viewer.say("Go")
    await viewer.until("retrying")
    await gate.reached.wait()
    clock.set(to)
    gate.set()
    assert (await viewer.until("turn_ended"))["status"] == "completed"


async def _on_the_dashboard(story: Story, clock: Clock, report: Report) -> None:
    """Another day begins, and another one ends: totals are told, and never below zero."""
    async with dashboard(story, story.api.headers) as socket:
        board = Dashboard(socket)
        await board.take()
        for to in (DAY, -DAY, 0):
            report.tried["jumps of the clock"] += 1
            clock.set(to)
            await story.api.session()
            await board.take()
            assert (board.totals["cost_usd_today"] or 0) >= 0, board.totals
            assert board.totals["turns_per_minute"] >= 0, board.totals


async def _asleep(story: Story, viewer: Viewer, clock: Clock, report: Report) -> None:
    """A session falls asleep though the clock has gone back, and no viewer is lost by it."""
    report.tried["jumps of the clock"] += 1
    clock.set(-DAY)
    async with asyncio.timeout(WITHIN):
        while (await told_by_metrics(story))["mooring_sessions_live"] != "0.0":  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert viewer.close_code is None
    assert (await story.turn(viewer, "Awake?"))["status"] == "completed"


async def _killed(story: Story, viewer: Viewer, clock: Clock, report: Report) -> Viewer:
    """What was drafted while the clock jumped is kept; the server starts on another day."""
    report.tried["jumps of the clock"] += 1
    story.model.play(Reply(text="word " * 100, hold={60: (gate := Gate())}))
    await viewer.say("Go")
    await gate.reached.wait()
    clock.set(5 * DAY)
    shown = await viewer.shows("word word")
    await drafted(story, len(shown))
    clock.set(-5 * DAY)
    headers = story.api.headers
    report.tried["kill -9 on another day"] += 1
    await story.server.restart()
    await story.connect(headers)
    back = await story.join(viewer.session, log=viewer.log)
    kept = back.of("assistant_message")[-1]
    assert kept["partial"], kept
    assert len(kept["text"]) >= len(shown), (kept, shown)
    assert back.of("turn_ended")[-1]["reason"] == "server_restart"
    assert (await story.turn(back, "Again"))["status"] == "completed"
    return back


async def suspend(story: Story, report: Report, seconds: float) -> None:
    """The whole process is stopped, as a laptop is closed; nobody is lost by it."""
    report.tried["servers suspended"] += 1
    story.model.fresh()
    _, viewer = await story.begin()
    story.model.play(
        calls(bash("sleep 0.3; echo slept"), text="Let me see."),
        Reply(text="word " * 400, pace=0.002),
    )
    await viewer.say("Go")
    await viewer.shows("word word")
    story.server.signal(signal.SIGSTOP)
    said = await viewer.send({"type": "user_input", "id": "meanwhile", "text": "Meanwhile"})
    await asyncio.sleep(seconds)
    assert not said.done()
    story.server.signal(signal.SIGCONT)
    assert (await viewer.answer(said))["type"] == "accepted"
    assert (await viewer.until("turn_ended"))["status"] == "completed"
    assert (await viewer.until("turn_ended"))["status"] == "completed"
    stored = await story.api.events(viewer.session)
    report.log(stored)
    report.seen(viewer.events, stored, whole=True)
