"""Sessions are listed by last activity, filtered, paged, and found by what was said in them."""

import pytest

from tests.connection import check_session
from tests.model_server import Gate, Reply
from tests.oracle import Frame
from tests.stories.conftest import NewStory
from tests.stories.scene import Story, bash, calls
from tests.stories.test_dashboard import Dashboard, dashboard


async def listed(story: Story, **query: object) -> list[str]:
    page = await story.api.good("GET", "/api/sessions", **query)
    assert page.keys() >= {"sessions", "next_cursor"}
    for row in page["sessions"]:
        check_session(row)
    return [row["id"] for row in page["sessions"]]


async def test_the_newest_activity_comes_first(story: Story) -> None:
    sessions = [await story.api.session(title=f"Number {n}") for n in range(3)]
    assert await listed(story) == sessions[::-1]
    await story.turn(await story.join(sessions[0]), "Hello")
    assert await listed(story) == [sessions[0], sessions[2], sessions[1]]


async def test_looking_is_no_activity(story: Story) -> None:
    one, two = await story.api.session(), await story.api.session()
    await story.join(one)
    await story.api.events(one)
    assert await listed(story) == [two, one]


async def test_pages_follow_each_other_without_overlap(story: Story) -> None:
    sessions = [await story.api.session(title=f"Number {n}") for n in range(7)]
    seen: list[str] = []
    page: Frame = {"next_cursor": ""}
    pages = 0
    while page["next_cursor"] is not None:
        cursor = page["next_cursor"]
        page = await story.api.good("GET", "/api/sessions", limit=3, cursor=cursor)
        assert len(page["sessions"]) <= 3
        seen += [row["id"] for row in page["sessions"]]
        pages += 1
    assert seen == sessions[::-1]
    assert pages == 3


async def test_a_title_is_found(story: Story) -> None:
    boat = await story.api.session(title="Painting the boat")
    await story.api.session(title="Mending the net")
    assert await listed(story, q="boat") == [boat]
    assert await listed(story, q="BOAT paint") in ([boat], [])
    await story.api.good("PATCH", f"/api/sessions/{boat}", {"title": "Painting the ship"})
    assert await listed(story, q="ship") == [boat]
    assert await listed(story, q="boat") == []


async def test_messages_of_both_sides_are_found(story: Story) -> None:
    session, viewer = await story.begin()
    await story.begin()
    await story.turn(viewer, "Where is the lighthouse?", Reply(text="On Skerryvore."))
    assert await listed(story, q="lighthouse") == [session]
    assert await listed(story, q="skerryvore") == [session]
    assert await listed(story, q="submarine") == []


async def test_what_was_accepted_is_found_however_soon_the_server_dies(story: Story) -> None:
    session, viewer = await story.begin()
    await story.turn(viewer, "Where is the lighthouse?", Reply(text="On Skerryvore."))
    await story.server.kill9()
    await story.restart()
    assert await listed(story, q="lighthouse skerry") == []  # no message has both
    assert await listed(story, q="ightHous") == [session]
    assert await listed(story, q="skerry") == [session]


@pytest.mark.parametrize("q", ['"', "'", "*", "a AND", "NOT", "(", "title:x", "%", "\\", "-"])
async def test_any_text_may_be_searched_for(story: Story, q: str) -> None:
    await story.api.session(title="Plain")
    assert isinstance(await listed(story, q=q), list)


async def test_how_the_last_turn_ended_is_told_of_in_lists_and_on_the_dashboard(
    alone: NewStory,
) -> None:
    story = await alone()
    session, viewer = await story.begin()
    refused = Reply(status=404, body={"error": {"message": "no such luck"}})
    ended = await story.turn(viewer, "Go", refused)
    failed = {"status": "failed", "reason": ended["error"]["code"]}
    await story.restart()
    async with dashboard(story) as socket:
        board = Dashboard(socket)
        await board.until(session, last_turn=failed)
        assert (await story.api.look(session))["last_turn"] == failed
        viewer = await story.join(session)
        assert viewer.hello["session"]["last_turn"] == failed
        gate = Gate()
        story.model.play(Reply(text="This time.", hold={1: gate}))
        await viewer.accepted("retry")
        await board.until(session, state="running", last_turn=None)
        gate.set()
        await board.until(session, state="idle", last_turn={"status": "completed"})
        await viewer.accepted("undo")
        await board.until(session, last_turn=None)


async def test_sessions_are_filtered_by_state(story: Story) -> None:
    idle = await story.api.session()
    running, runner = await story.begin()
    story.model.play(Reply(text="Working on it.", hold={1: Gate()}))
    await runner.say("Go")
    await runner.shows("Working ")
    asking, asker = await story.begin()
    story.model.play(calls(bash("please-ask")))
    await asker.say("Go")
    await asker.until("approval_required")
    ended, ender = await story.begin()
    await ender.tell({"type": "shutdown", "id": "end-1"})
    await ender.closed()
    states = {"idle": idle, "running": running, "awaiting_approval": asking, "ended": ended}
    for state, session in states.items():
        assert await listed(story, state=state) == [session]
    assert set(await listed(story, state="")) == set(states.values())
    await runner.accepted("interrupt")
    await asker.accepted("interrupt")


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "x"}, {"cursor": "nonsense"}, {"state": "asleep"}],
)
async def test_a_listing_that_makes_no_sense_is_a_bad_request(
    story: Story, query: dict[str, str]
) -> None:
    answer = await story.api.get("/api/sessions", **query)
    assert (answer.status, answer.code) == (400, "bad_request")


async def test_empty_values_count_as_absent_and_a_large_limit_is_500(story: Story) -> None:
    session = await story.api.session()
    assert await listed(story, limit="", cursor="", q="", state="") == [session]
    assert await listed(story, limit=100_000) == [session]


async def test_a_session_without_a_title_gets_one_without_delaying_its_turn(story: Story) -> None:
    row = await story.api.good("POST", "/api/sessions", {})
    viewer = await story.join(row["id"])
    titling = Gate()
    story.model.play_plain(Reply(text="Lighthouse keeping", hold={"start": titling}))
    await story.turn(viewer, "How do I keep a lighthouse?", Reply(text="Patiently."))
    await titling.reached.wait()
    titling.set()
    updated = await viewer.until("session_updated")
    assert (updated["title"], updated["by"]) == ("Lighthouse keeping", "mooring")
    assert (await story.api.look(row["id"]))["title"] == "Lighthouse keeping"
    await story.api.good("DELETE", f"/api/sessions/{row['id']}")
