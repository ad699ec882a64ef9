"""What the server says before a client has asked anything."""

import pytest

from tests.client import Viewer
from tests.model_server import Reply
from tests.oracle import Log
from tests.stories.scene import Story, handshake_refusal, named

GONE = "s-that-never-was"


async def test_a_new_session_greets_replays_its_creation_and_is_idle(story: Story) -> None:
    session, viewer = await story.begin(title="First contact")
    created = await story.api.look(session)
    hello, creation, synced, status = viewer.frames[:4]
    assert hello == {
        "type": "hello",
        "protocol": 1,
        "session": created,
        "log": hello["log"],
        "head": 1,
        "mode": "replay",
        "from": 1,
    }
    assert creation == {
        "type": "session_created",
        "seq": 1,
        "at": creation["at"],
        "model": created["model"],
        "title": "First contact",
    }
    assert synced == {"type": "synced", "seq": 1}
    assert status == {
        "type": "status",
        "state": "idle",
        "queue": [],
        "held": False,
        "context": {"used": status["context"]["used"], "limit": status["context"]["limit"]},
        "viewers": 1,
        "people": [{"id": "dev", "name": "dev", "role": "owner"}],
    }


async def test_the_subprotocol_is_chosen_when_it_is_offered(story: Story) -> None:
    session = await story.api.session()
    viewer = await story.join(session, subprotocols=("other.v9", "mooring.v1"))
    assert viewer.protocol == "mooring.v1"


async def test_without_a_subprotocol_version_1_is_assumed(story: Story) -> None:
    session = await story.api.session()
    viewer = await story.join(session, subprotocols=())
    assert viewer.protocol is None
    assert viewer.hello["protocol"] == 1


async def test_no_after_is_the_same_as_after_0(story: Story) -> None:
    session, first = await story.begin()
    second = await story.join(session, after=0)
    assert "after=0" in second.uri
    assert "after" not in first.uri
    assert second.events == first.events
    assert second.hello["mode"] == "replay"


async def test_at_the_head_nothing_is_replayed_and_from_is_the_next_number(story: Story) -> None:
    session = await story.api.session()
    viewer = await story.join(session, after=1)
    assert [frame["type"] for frame in viewer.frames[:3]] == ["hello", "synced", "status"]
    assert viewer.hello["mode"] == "replay"
    assert viewer.hello["from"] == 2
    assert viewer.connection.synced_at == 1


async def test_a_replay_is_every_event_behind_after(story: Story) -> None:
    session, first = await story.begin()
    await story.turn(first, "Hello")
    viewer = await story.join(session, after=2)
    assert viewer.hello["mode"] == "replay"
    assert viewer.hello["from"] == 3
    assert viewer.events == first.events[2:]


@pytest.mark.parametrize("after", ["-1", "one", "1.5", "0x1"])
async def test_a_position_that_is_no_number_is_refused_before_the_upgrade(
    story: Story, after: str
) -> None:
    session = await story.api.session()
    viewer = Viewer(story.server.url, session)
    viewer.uri += f"?after={after}"
    assert await handshake_refusal(viewer) == (400, "bad_request")


async def test_an_empty_query_value_counts_as_absent(story: Story) -> None:
    session = await story.api.session()
    viewer = Viewer(story.server.url, session)
    viewer.uri += "?after=&log=&deltas="
    async with viewer:
        await viewer.synced()
        assert viewer.hello["mode"] == "replay"
        assert viewer.hello["from"] == 1


async def test_deltas_takes_only_all_and_none(story: Story) -> None:
    session = await story.api.session()
    viewer = await story.join(session, deltas="all")
    assert viewer.hello["mode"] == "replay"
    strange = Viewer(story.server.url, session, deltas="some")
    assert await handshake_refusal(strange) == (400, "bad_request")


async def test_a_position_beyond_the_head_gets_a_tail(story: Story) -> None:
    session, first = await story.begin()
    await story.turn(first, "Hello")
    viewer = await story.join(session, after=1_000)
    assert named(viewer.hello, "session", "log", "type", "protocol") == {
        "head": first.log.last,
        "mode": "tail",
        "reason": "unknown_position",
        "from": 1,
    }
    assert viewer.events == first.events


async def test_a_log_of_another_generation_gets_a_tail(story: Story) -> None:
    session, first = await story.begin()
    viewer = await story.join(session, after=1, generation="another-life")
    assert viewer.hello["mode"] == "tail"
    assert viewer.hello["from"] == 1
    assert viewer.events == first.events


async def test_the_log_generation_that_hello_gave_is_taken_back(story: Story) -> None:
    session, first = await story.begin()
    viewer = await story.join(session, after=1, generation=first.hello["log"])
    assert viewer.hello["mode"] == "replay"
    assert viewer.hello["log"] == first.hello["log"]


async def test_after_0_is_valid_in_every_generation(story: Story) -> None:
    session, first = await story.begin()
    viewer = await story.join(session, after=0, generation=first.hello["log"])
    assert viewer.hello["mode"] == "replay"
    assert viewer.events == first.events


async def test_too_much_is_given_as_the_longest_tail_that_begins_with_a_turn(story: Story) -> None:
    session, first = await story.begin()
    size = 300_000
    for number in range(9):
        text = f"{number}" + "🛟" * (size // 4)
        await story.turn(first, text, Reply(text=f"read {number}"))
        await first.accepted("undo")  # so that the model's context stays small
        await first.until("turn_undone")
    viewer = await story.join(session, log=Log())
    assert viewer.hello["mode"] == "tail"
    assert "reason" not in viewer.hello
    start = viewer.hello["from"]
    begun = viewer.events[0]
    assert begun["type"] == "user_message"
    assert begun["seq"] == start
    # Six such turns fit into 2 MiB, a seventh does not.
    assert viewer.of("user_message")[0]["text"][0] == "3"
    assert viewer.events == first.events[start - 1 :]
    # A client that misses less is given just that.
    near = await story.join(session, after=start)
    assert near.hello["mode"] == "replay"
    assert near.events == first.events[start:]
    # The older ones are on the pages before.
    path = f"/api/sessions/{session}/events"
    older: list[dict[str, object]] = []
    while start > 1:
        page = await story.api.good("GET", path, before=start)
        older, start = page["events"] + older, page["events"][0]["seq"]
        assert page["more"] == (start > 1)
    assert older + viewer.events == first.events


async def test_who_wants_no_more_than_so_many_events_is_given_the_last_turns(story: Story) -> None:
    session, first = await story.begin()
    for number in range(4):
        await story.turn(first, f"Turn {number}")
    messages = [event["seq"] for event in first.of("user_message")]
    most = first.log.last - messages[2] + 2
    viewer = await story.join(session, log=Log(), most=most)
    assert (viewer.hello["mode"], viewer.hello["from"]) == ("tail", messages[2])
    assert viewer.events == first.events[messages[2] - 1 :]
    near = await story.join(session, after=messages[2], most=most)
    assert near.hello["mode"] == "replay"
    whole = await story.join(session, most=99)
    assert (whole.hello["mode"], whole.events) == ("replay", first.events)


async def test_too_many_events_are_given_as_a_tail(story: Story) -> None:
    session, first = await story.begin()
    await story.turn(first, "Hello")
    frames = [
        {"type": "set_auto_approval", "id": f"many-{number}", "enabled": False}
        for number in range(5_100)
    ]
    futures = [await first.send(frame) for frame in frames]
    for future in futures:
        assert (await first.answer(future))["type"] == "accepted"
    head = (await story.api.look(session))["head"]
    assert head == 5_106
    viewer = await story.join(session)
    assert viewer.hello["mode"] == "tail"
    assert viewer.hello["from"] == head - 5_000 + 1
    near = await story.join(session, after=head - 5_000)
    assert near.hello["mode"] == "replay"
    assert near.events == viewer.events
    path = f"/api/sessions/{session}/events"
    page = await story.api.good("GET", path, before=viewer.hello["from"])
    assert [event["seq"] for event in page["events"]] == list(range(1, head - 5_000 + 1))


async def test_a_missing_session_is_refused_before_the_upgrade(story: Story) -> None:
    viewer = Viewer(story.server.url, GONE)
    assert await handshake_refusal(viewer) == (404, "no_such_session")


async def test_ownership_is_checked_before_the_position(story: Story) -> None:
    viewer = Viewer(story.server.url, GONE)
    viewer.uri += "?after=-1"
    assert await handshake_refusal(viewer) == (404, "no_such_session")


async def test_the_socket_without_an_upgrade_is_a_bad_request(story: Story) -> None:
    session = await story.api.session()
    answer = await story.api.get(f"/api/sessions/{session}/socket")
    assert 400 <= answer.status < 500
    assert answer.code


async def test_viewers_are_counted_for_everyone(story: Story) -> None:
    session, first = await story.begin()
    second = await story.join(session)
    await first.status_is(viewers=2)
    await second.status_is(viewers=2)
    await second.leave()
    assert (await first.status_is(viewers=1))["state"] == "idle"
