"""Sessions over HTTP: made once, listed, renamed, forked, erased, read page by page."""

from pathlib import Path

import pytest

from tests.server.routes.doors import Doors, doors


async def turn(guarded: Doors, session: str, id: str, text: str = "Hello") -> None:
    """A whole turn."""
    path = f"/api/sessions/{session}"
    said = await guarded.call(
        "POST", f"{path}/submissions", {"type": "user_input", "id": id, "text": text}
    )
    assert said.status == 200, said
    while (await guarded.call("GET", path)).json["state"] != "idle":
        pass


async def events(guarded: Doors, session: str, query: str = "") -> list[dict[str, object]]:
    page = await guarded.call("GET", f"/api/sessions/{session}/events{query}")
    found: list[dict[str, object]] = page.json["events"]
    return found


async def test_a_session_is_made_with_what_was_asked_for_and_shown_alike(guarded: Doors) -> None:
    made = await guarded.call("POST", "/api/sessions", {"title": "  Mine ", "model": "demo"})
    assert made.status == 201
    row = made.json
    assert (row["title"], row["model"], row["owner"]) == ("Mine", "demo", "ada")
    assert (row["state"], row["head"], row["queue"], row["pending_approvals"]) == ("idle", 1, 0, 0)
    assert row["usage"] == {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0}
    assert (await guarded.call("GET", f"/api/sessions/{row['id']}")).json == row


async def test_without_a_body_it_has_the_default_model_and_no_title(guarded: Doors) -> None:
    made = await guarded.call("POST", "/api/sessions")
    assert (made.status, made.json["title"]) == (201, "")
    assert made.json["model"] == "openai/test-model"


@pytest.mark.parametrize("model", ["nope", "far/away", "hf/a/b"])
async def test_a_model_that_cannot_be_used_is_refused(model: str, guarded: Doors) -> None:
    made = await guarded.call("POST", "/api/sessions", {"model": model})
    assert made.error == (409, "no_such_model")


@pytest.mark.parametrize(
    "body",
    [{"title": 1}, {"title": "x" * 201}, {"name": "x"}, [], "x", {"model": None, "x": 0}],
)
async def test_a_wish_that_makes_no_sense_is_refused(body: object, guarded: Doors) -> None:
    made = await guarded.call("POST", "/api/sessions", body)
    assert made.error == (400, "bad_request")


async def test_a_repeat_with_the_same_key_is_the_same_session_for_one_user(
    guarded: Doors,
) -> None:
    key = {"Idempotency-Key": "k1"}
    first = await guarded.call("POST", "/api/sessions", {"title": "A"}, headers=key)
    again = await guarded.call("POST", "/api/sessions", {"title": "A"}, headers=key)
    other = await guarded.call("POST", "/api/sessions", {"title": "A"}, headers=key, user="bob")
    assert (first.status, again.status, other.status) == (201, 200, 201)
    assert first.json["id"] == again.json["id"] != other.json["id"]
    long = {"Idempotency-Key": "k" * 201}
    refused = await guarded.call("POST", "/api/sessions", {}, headers=long)
    assert refused.error == (400, "bad_request")


async def test_too_many_sessions_are_refused_until_one_is_gone(tmp_path: Path) -> None:
    async with doors(tmp_path, sessions_per_user=2) as guarded:
        first = await guarded.session()
        await guarded.session()
        refused = await guarded.call("POST", "/api/sessions")
        assert refused.error == (429, "too_many_sessions")
        assert "2 of 2" in refused.json["error"]["message"]
        assert (await guarded.call("POST", "/api/sessions", user="bob")).status == 201
        assert (await guarded.call("DELETE", f"/api/sessions/{first}")).status == 204
        assert (await guarded.call("POST", "/api/sessions")).status == 201


async def test_lists_show_ones_own_page_by_page(guarded: Doors) -> None:
    mine = [await guarded.session(title=f"Paper {number}") for number in range(5)]
    await guarded.session("bob")
    seen, cursor = [], ""
    while True:
        page = (await guarded.call("GET", f"/api/sessions?limit=2&cursor={cursor}")).json
        seen += [row["id"] for row in page["sessions"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert sorted(seen) == sorted(mine)
    found = await guarded.call("GET", "/api/sessions?q=Paper+3&state=idle&limit=9999")
    assert [row["title"] for row in found.json["sessions"]] == ["Paper 3"]
    assert (await guarded.call("GET", "/api/sessions?state=ended")).json["sessions"] == []
    empty = await guarded.call("GET", "/api/sessions?q=&state=&limit=&cursor=")
    assert len(empty.json["sessions"]) == 5


@pytest.mark.parametrize(
    "query",
    (
        "limit=0 limit=-1 limit=x limit=1.5 limit=%D9%A1 state=asleep cursor=x"
        " limit=999999999999999999999999999999"
    ).split(),
)
async def test_a_list_that_makes_no_sense_is_refused(query: str, guarded: Doors) -> None:
    assert (await guarded.call("GET", f"/api/sessions?{query}")).error == (400, "bad_request")


async def test_a_title_is_changed_and_nothing_else_can_be(guarded: Doors) -> None:
    path = f"/api/sessions/{await guarded.session()}"
    changed = await guarded.call("PATCH", path, {"title": " New "})
    assert (changed.status, changed.json["title"]) == (200, "New")
    same = await guarded.call("PATCH", path, {})
    assert same.json == changed.json == (await guarded.call("GET", path)).json
    assert (await guarded.call("PATCH", path, {"model": "demo"})).error == (400, "bad_request")


async def test_a_full_disk_is_no_fault_of_the_client(guarded: Doors) -> None:
    path = f"/api/sessions/{await guarded.session()}"
    guarded.store.mood = "fails"
    assert (await guarded.call("PATCH", path, {"title": "New"})).error == (503, "unavailable")
    guarded.store.mood = "well"
    assert (await guarded.call("PATCH", path, {"title": "New"})).status == 200


async def test_what_was_erased_is_gone_and_cannot_be_erased_again(guarded: Doors) -> None:
    path = f"/api/sessions/{await guarded.session()}"
    assert (await guarded.call("DELETE", path)).status == 204
    for method, below in (("GET", ""), ("DELETE", ""), ("GET", "/events"), ("POST", "/fork")):
        assert (await guarded.call(method, path + below)).error == (404, "no_such_session")


async def test_a_fork_is_a_session_of_its_own(guarded: Doors) -> None:
    session = await guarded.session()
    path = f"/api/sessions/{session}"
    assert (await guarded.call("POST", f"{path}/fork")).error == (409, "no_such_turn")
    await turn(guarded, session, "c1")
    turn_id = (await events(guarded, session))[1]["turn"]
    await turn(guarded, session, "c2")
    forked = await guarded.call("POST", f"{path}/fork", {"after_turn": turn_id})
    assert forked.status == 201
    copy, whole = (
        await events(guarded, forked.json["id"]),
        await events(guarded, session),
    )
    assert copy[0]["forked_from"] == {"session": session, "turn": turn_id}
    assert copy[1:] == whole[1 : len(copy)]
    assert (await guarded.call("POST", f"{path}/fork", {"after_turn": "t_x"})).error[0] == 409
    assert (await guarded.call("POST", f"{path}/fork", {"turn": "t"})).error[0] == 400


async def test_a_log_is_read_forwards_and_backwards_without_a_hole(guarded: Doors) -> None:
    session = await guarded.session()
    await turn(guarded, session, "c1")
    whole = await events(guarded, session)
    path = f"/api/sessions/{session}/events"
    page = (await guarded.call("GET", f"{path}?after=2&limit=2")).json
    assert page["events"] == whole[2:4]
    assert (page["head"], page["oldest"], page["more"]) == (len(whole), 1, True)
    page = (await guarded.call("GET", f"{path}?before=4&limit=2")).json
    assert (page["events"], page["more"]) == (whole[1:3], True)
    page = (await guarded.call("GET", f"{path}?before=3")).json
    assert (page["events"], page["more"]) == (whole[:2], False)
    assert await events(guarded, session, "?after=&before=&limit=") == whole
    assert await events(guarded, session, "?after=999999") == []
    assert await events(guarded, session, "?before=0") == []


@pytest.mark.parametrize(
    "query",
    [
        *("after=-1", "after=x", "before=-1", "before=x", "limit=0"),
        *("types=nonsense", "types=usage,", "types=usage&after=1"),
    ],
)
async def test_a_page_that_makes_no_sense_is_refused(query: str, guarded: Doors) -> None:
    path = f"/api/sessions/{await guarded.session()}/events?{query}"
    assert (await guarded.call("GET", path)).error == (400, "bad_request")


async def test_a_conversation_is_taken_along_as_a_file(guarded: Doors) -> None:
    session = await guarded.session()
    await turn(guarded, session, "c1", "What is a mooring?")
    path = f"/api/sessions/{session}/export"
    text = await guarded.call("GET", path)
    assert text.headers["Content-Type"].startswith("text/markdown")
    assert f"{session}.md" in text.headers["Content-Disposition"]
    assert b"What is a mooring?" in text.body
    lines = (await guarded.call("GET", f"{path}?format=jsonl")).body.splitlines()
    assert len(lines) == len(await events(guarded, session))
    assert (await guarded.call("GET", f"{path}?format=pdf")).error == (400, "bad_request")


async def test_an_export_that_cannot_be_finished_is_cut_off_not_ended(guarded: Doors) -> None:
    session = await guarded.session()
    for number in range(3):
        await turn(guarded, session, f"c{number}", "x" * 90_000)
    head = f"GET /api/sessions/{session}/export?format=jsonl HTTP/1.1\r\nHost: x\r\n"
    token = f"Authorization: Bearer {guarded.secrets['ada']}\r\n\r\n"
    guarded.store.pages_left = 1
    got = await guarded.raw((head + token).encode())
    assert got.startswith(b"HTTP/1.1 200 OK")
    assert got.count(b"HTTP/1.1") == 1
    assert not got.endswith(b"0\r\n\r\n")


async def test_the_state_in_lists_is_that_of_the_log(guarded: Doors) -> None:
    session = await guarded.session()
    path = f"/api/sessions/{session}"
    shutdown = {"type": "shutdown", "id": "c1"}
    assert (await guarded.call("POST", f"{path}/submissions", shutdown)).status == 200
    listed = await guarded.call("GET", "/api/sessions?state=ended")
    assert [row["id"] for row in listed.json["sessions"]] == [session]
    refused = await guarded.call("PATCH", path, {"title": "New"})
    assert refused.error == (409, "session_ended")
