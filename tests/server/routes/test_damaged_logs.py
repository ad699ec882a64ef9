"""A damaged event: the doors of its session say so, and nothing else suffers."""

import pytest

from server.store.port import Append
from tests.server.routes.doors import Doors
from tests.server.sessions.house import AT


@pytest.fixture
async def damaged(guarded: Doors) -> str:
    """A session whose second event is none."""
    session = await guarded.session()
    row = await guarded.store.row(session)
    assert row is not None
    await guarded.store.append(
        Append(session, 2, AT, (b'{"seq":2,"at":"%s","ty' % AT.encode(),), (), (), (), row.indexed)
    )
    return session


@pytest.mark.parametrize(
    "path", ["events", "events?after=1", "events?before=3", "export", "export?format=jsonl"]
)
async def test_what_cannot_be_read_is_said_to_be_damaged(
    path: str, damaged: str, guarded: Doors
) -> None:
    answer = await guarded.call("GET", f"/api/sessions/{damaged}/{path}")
    assert answer.error == (503, "log_damaged")
    assert "Event 2" in answer.json["error"]["message"]


async def test_the_events_before_it_can_be_read(damaged: str, guarded: Doors) -> None:
    answer = await guarded.call("GET", f"/api/sessions/{damaged}/events?before=2")
    assert [event["seq"] for event in answer.json["events"]] == [1]


async def test_it_takes_no_input_and_does_not_ask_to_try_again(
    damaged: str, guarded: Doors
) -> None:
    frame = {"type": "user_input", "id": "c1", "text": "Hello"}
    answer = await guarded.call("POST", f"/api/sessions/{damaged}/submissions", frame)
    assert (answer.status, answer.json["code"]) == (503, "unavailable")
    assert "Event 2" in answer.json["message"]
    assert answer.json.get("retry_after") is None
    assert "Retry-After" not in answer.headers


async def test_the_others_go_on(damaged: str, guarded: Doors) -> None:
    path = f"/api/sessions/{await guarded.session()}/events"
    assert (await guarded.call("GET", path)).status == 200
