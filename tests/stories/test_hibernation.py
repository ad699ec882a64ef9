"""An idle session costs disk, not memory: it sleeps, and wakes as if nothing had been."""

import asyncio

from tests.model_server import Reply
from tests.stories.conftest import NewStory
from tests.stories.scene import Story, bash, calls
from tests.stories.test_dashboard import Dashboard, dashboard

SLEEPY = {"hibernate_after_seconds": 1}


async def asleep(story: Story) -> None:
    """Nothing is live any more."""
    async with dashboard(story) as socket:
        board = Dashboard(socket)
        await board.take()
        await board.total(live=0)


async def test_an_idle_session_sleeps_and_wakes_with_its_memory(alone: NewStory) -> None:
    story = await alone(SLEEPY)
    session, viewer = await story.begin()
    await story.turn(viewer, "My name is Ada.", Reply(text="Hello, Ada."))
    log = await viewer.leave()
    await asleep(story)
    head = (await story.api.look(session))["head"]
    assert head == log.last
    back = await story.join(session, log=log)
    await back.say("What is my name?")
    await story.model.request_arrived(2)
    await back.until("turn_ended", status="completed")
    assert "Hello, Ada." in str(story.model.requests[1].messages)


async def test_a_question_sleeps_too(alone: NewStory) -> None:
    story = await alone(SLEEPY)
    session, viewer = await story.begin()
    story.model.play(calls(bash("echo please-ask")))
    await viewer.say("Go")
    question = await viewer.until("approval_required")
    log = await viewer.leave()
    await asleep(story)
    assert (await story.api.look(session))["state"] == "awaiting_approval"
    back = await story.join(session, log=log)
    assert back.status["state"] == "awaiting_approval"
    story.model.play(Reply(text="Thank you."))
    call = question["calls"][0]["call"]
    await back.accepted("approval", decisions=[{"call": call, "decision": "approve"}])
    ended = await back.until("turn_ended")
    assert (ended["turn"], ended["status"]) == (question["turn"], "completed")


async def test_held_input_receipts_and_undo_survive_the_sleep(alone: NewStory) -> None:
    story = await alone(SLEEPY)
    session, viewer = await story.begin()
    await story.turn(viewer, "One")
    story.model.play(calls(bash("echo up; sleep 1000")))
    await viewer.say("Two", id="two-1")
    await viewer.shows("up", "log")
    queued = (await viewer.say("Three"))["id"]
    await viewer.accepted("interrupt")
    await viewer.until("turn_ended", status="interrupted")
    log = await viewer.leave()
    await asleep(story)
    back = await story.join(session, log=log)
    assert back.status["held"] is True
    again = await back.ask({"type": "user_input", "id": "two-1", "text": "Two"})
    assert again["duplicate"] is True
    await back.accepted("undo")
    await back.accepted("resume")
    await back.until("user_message", submission=queued)
    await back.until("turn_ended", status="completed")
    assert "Two" not in str(story.model.requests[-1].messages)


async def test_many_sleepers_wake_at_once(alone: NewStory) -> None:
    story = await alone(SLEEPY)
    viewers = [(await story.begin())[1] for _ in range(8)]
    for viewer in viewers:
        await story.turn(viewer, "Hello")
    sessions = [viewer.session for viewer in viewers]
    logs = [await viewer.leave() for viewer in viewers]
    await asleep(story)
    pairs = zip(sessions, logs, strict=True)
    backs = [await story.join(session, log=log) for session, log in pairs]
    await asyncio.gather(*(back.say("Good morning") for back in backs))
    for back in backs:
        await back.until("turn_ended", status="completed")
