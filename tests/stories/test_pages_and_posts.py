"""The log in pages, submissions over HTTP, and exports."""

import json

import pytest

from tests.model_server import Reply
from tests.oracle import Frame
from tests.stories.scene import Story, bash, calls

HELLO: Frame = {"type": "user_input", "id": "http-1", "text": "Hello"}


async def test_the_events_are_paged_in_both_directions(story: Story) -> None:
    session, viewer = await story.begin()
    for number in range(3):
        await story.turn(viewer, f"Turn {number}")
    head = viewer.log.last
    path = f"/api/sessions/{session}/events"
    everything = await story.api.good("GET", path)
    assert everything == {"events": viewer.events, "head": head, "oldest": 1, "more": False}
    page = await story.api.good("GET", path, after=2, limit=3)
    assert page["events"] == viewer.events[2:5]
    assert (page["head"], page["oldest"], page["more"]) == (head, 1, True)
    last = await story.api.good("GET", path, after=head - 1, limit=1)
    assert (last["events"], last["more"]) == (viewer.events[-1:], False)
    none = await story.api.good("GET", path, after=head)
    assert (none["events"], none["more"]) == ([], False)
    before = await story.api.good("GET", path, before=6, limit=2)
    assert (before["events"], before["more"]) == (viewer.events[3:5], True)
    start = await story.api.good("GET", path, before=3, limit=2)
    assert (start["events"], start["more"]) == (viewer.events[:2], False)
    first = await story.api.good("GET", path, before=1)
    assert (first["events"], first["more"]) == ([], False)


async def test_the_events_are_found_by_their_types(story: Story) -> None:
    session, viewer = await story.begin()
    for number in range(3):
        await story.turn(viewer, f"Turn {number}")
    path = f"/api/sessions/{session}/events"
    wanted = [e for e in viewer.events if e["type"] in ("turn_ended", "session_created")]
    page = await story.api.good("GET", path, types="turn_ended,session_created")
    assert page == {"events": wanted, "head": viewer.log.last, "oldest": 1, "more": False}
    last = await story.api.good("GET", path, types="turn_ended", limit=1)
    assert (last["events"], last["more"]) == (wanted[-1:], True)
    older = await story.api.good("GET", path, types="turn_ended", before=wanted[-1]["seq"])
    assert (older["events"], older["more"]) == (wanted[1:-1], False)


async def test_a_page_is_at_most_1_mib_but_at_least_one_event(story: Story) -> None:
    session, viewer = await story.begin()
    for _ in range(3):
        await story.turn(viewer, "🛟" * 100_000)
        await viewer.accepted("undo")
    await viewer.until("turn_undone")
    path = f"/api/sessions/{session}/events"
    page = await story.api.get(path, after=1)
    assert 0 < len(page.body) <= 2**20 + 2**12
    assert page.json["more"] is True
    assert await story.api.events(session) == viewer.events


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "many"},
        {"limit": "1.5"},
        {"after": "-1"},
        {"after": "x"},
        {"before": "x"},
    ],
)
async def test_numbers_in_a_query_are_numbers(story: Story, query: dict[str, str]) -> None:
    session = await story.api.session()
    answer = await story.api.get(f"/api/sessions/{session}/events", **query)
    assert (answer.status, answer.code) == (400, "bad_request")


async def test_a_larger_limit_is_500_and_an_empty_value_is_absent(story: Story) -> None:
    session, viewer = await story.begin()
    path = f"/api/sessions/{session}/events"
    for query in ({"limit": "100000"}, {"limit": ""}, {"after": "", "limit": "", "before": ""}):
        assert (await story.api.good("GET", path, **query))["events"] == viewer.events


async def test_a_submission_over_http_answers_as_the_socket_does(story: Story) -> None:
    session, viewer = await story.begin()
    answer = await story.api.submit(session, HELLO)
    assert (answer.status, answer.json) == (200, {"type": "accepted", "id": "http-1", "seq": 2})
    await viewer.until("turn_ended", status="completed")
    pong = await story.api.submit(session, {"type": "ping", "id": "p1"})
    assert (pong.status, pong.json["type"], pong.json["id"]) == (200, "pong", "p1")


async def test_refusals_over_http_have_their_status(story: Story) -> None:
    session = await story.api.session()
    cases: list[tuple[Frame, int, str]] = [
        ({"type": "undo", "id": "c1"}, 409, "nothing_to_undo"),
        ({"type": "interrupt", "id": "c1"}, 409, "nothing_running"),
        ({"type": "resume", "id": "c1"}, 409, "nothing_held"),
        ({"type": "compact", "id": "c1"}, 409, "nothing_to_compact"),
        ({"type": "withdraw", "id": "c1", "submission": "x"}, 409, "not_queued"),
        ({"type": "set_model", "id": "c1", "model": "no/such"}, 409, "no_such_model"),
        ({"type": "teleport", "id": "c1"}, 422, "malformed"),
        ({"type": "user_input", "id": "c1", "text": "x" * 100_001}, 422, "too_long"),
    ]
    for frame, status, code in cases:
        answer = await story.api.submit(session, frame)
        assert (answer.status, answer.json) == (
            status,
            {"type": "refused", "id": "c1", "code": code, "message": answer.json["message"]},
        )


async def test_a_body_that_is_no_frame_is_refused_under_no_id(story: Story) -> None:
    session = await story.api.session()
    path = f"/api/sessions/{session}/submissions"
    for raw in (b"nonsense", b"[]", b"", b"\xff"):
        answer = await story.api.call("POST", path, data=raw)
        assert answer.status == 422
        assert (answer.json["type"], answer.json["id"], answer.json["code"]) == (
            "refused",
            None,
            "malformed",
        )


async def test_the_conversation_is_exported_as_markdown(story: Story) -> None:
    session, viewer = await story.begin(title="Exported")
    replies = [calls(bash("echo out"), text="Let me look."), Reply(text="It **works**.")]
    await story.turn(viewer, "Does it work?", *replies)
    answer = await story.api.get(f"/api/sessions/{session}/export", format="md")
    text = answer.body.decode()
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/markdown")
    places = [text.index(t) for t in ("Exported", "Does it work?", "echo out", "It **works**.")]
    assert places == sorted(places)


async def test_the_conversation_is_exported_as_its_events(story: Story) -> None:
    session, viewer = await story.begin()
    await story.turn(viewer, "Hello 🛟")
    answer = await story.api.get(f"/api/sessions/{session}/export", format="jsonl")
    assert answer.status == 200
    lines = [json.loads(line) for line in answer.body.decode().splitlines()]
    assert lines == viewer.events
    strange = await story.api.get(f"/api/sessions/{session}/export", format="exe")
    assert (strange.status, strange.code) == (400, "bad_request")
