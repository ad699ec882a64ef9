"""Kills around sleep: sessions that leave memory for others or in time, and that come back."""

from collections.abc import AsyncIterator

from tests.faults.trial import A_COMMIT, Trial, asked
from tests.model_server import Gate, Reply
from tests.oracle import Frame
from tests.stories.scene import calls, rule

LIVE = 3
"""Sessions that may be in memory where one puts another to sleep."""
A_SWEEP = 0.1
"""Seconds between two looks of a server with `SLEEPY` at who has rested for long enough."""
SLEEPY: Frame = {"hibernate_after_seconds": 4 * A_SWEEP}


async def falling_asleep(trial: Trial) -> AsyncIterator[None]:
    """More sessions than may live: to begin in one puts another to sleep."""
    viewers = [await trial.begin() for _ in range(LIVE + 1)]
    for viewer in viewers:
        await trial.story.turn(viewer, "Go", calls(trial.mark()), Reply(text="Done."))
    await trial.metrics_are(sessions_live=LIVE)  # and each was in memory: one has fallen asleep
    await trial.send(viewers[0], "user_input", text="Again")
    await trial.instant(A_COMMIT)
    yield


async def waking_up(trial: Trial) -> AsyncIterator[None]:
    """Where as many work as may live, who asked is out of memory until its answer comes."""
    asking, *others = [await trial.begin() for _ in range(LIVE + 1)]
    call = await asked(trial, asking)
    gates = [Gate() for _ in others]
    for viewer, gate in zip(others, gates, strict=True):
        trial.model.play(Reply(text="I work.", hold={1: gate}))
        await trial.send(viewer, "user_input", text="Work")
        await gate.reached.wait()
    await trial.metrics_are(sessions_live=LIVE, sessions_running=LIVE)
    for viewer, gate in zip(others, gates, strict=True):
        gate.set()
        await viewer.until("turn_ended", status="completed")
    await trial.metrics_are(sessions_live=LIVE, sessions_running=0)  # nobody woke it meanwhile
    await trial.send(asking, "approval", decisions=[rule(call, trial.ruling())])
    await trial.instant(A_COMMIT)
    yield


async def falling_asleep_in_time(trial: Trial) -> AsyncIterator[None]:
    """Of itself, having rested: one sleeps, one works, those between fall asleep or are woken."""
    working, *resting = [await trial.begin() for _ in range(6)]
    trial.model.play(calls(trial.for_ever()))
    await trial.send(working, "user_input", text="Work")
    await working.shows("running", "log")
    for viewer in resting:
        await trial.story.turn(viewer, "Go", calls(trial.mark()), Reply(text="Done."))
    await trial.fewer_live(than=1 + len(resting))
    if trial.chance.random() < 0.5:
        await trial.send(resting[0], "user_input", text="Again")
    await trial.instant(A_SWEEP)
    assert (await trial.metrics("sessions_running"))["sessions_running"] >= 1
    yield


async def waking_up_in_time(trial: Trial) -> AsyncIterator[None]:
    """All of them sleep; what is said to one wakes it."""
    viewers = [await trial.begin() for _ in range(3)]
    for viewer in viewers:
        await trial.story.turn(viewer, "Go", calls(trial.mark()), Reply(text="Done."))
    await trial.metrics_are(sessions_live=0)
    for viewer in viewers[1:]:
        await trial.send(viewer, "user_input", text="Again")
    await trial.instant(A_COMMIT)
    yield


IN_TIME = (falling_asleep_in_time, waking_up_in_time)
"""On a server with `SLEEPY`."""
