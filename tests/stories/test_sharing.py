"""Sharing over the real socket: who sees what, who may do what, and how it ends."""

from tests.api import Api
from tests.client import WITHIN, Viewer
from tests.oracle import Frame
from tests.stories.conftest import NewStory
from tests.stories.scene import Story, asked, bash, calls, handshake_refusal, rule
from tests.stories.test_tokens import bearer, create, known


class Team:
    """A server in token mode, and a caller for each of its users; the story is Ada's."""

    def __init__(self, story: Story, tokens: dict[str, str]) -> None:
        self.story = story
        self.tokens = tokens
        self.apis: dict[str, Api] = {}

    def __getitem__(self, user: str) -> Api:
        return self.apis[user]

    async def join(self, user: str, session: str) -> Viewer:
        return await self.story.join(session, headers=bearer(self.tokens[user]))

    async def refused(self, user: str, session: str) -> tuple[int, str]:
        """What this user's handshake is refused with."""
        headers = bearer(self.tokens[user])
        return await handshake_refusal(Viewer(self.story.server.url, session, headers=headers))

    async def share(self, session: str, role: str, user: str | None = None) -> Frame:
        named = {} if user is None else {"user": user}
        path = f"/api/sessions/{session}/shares"
        share: Frame = await self["ada"].good("POST", path, {"role": role, **named})
        return share

    async def listed(self, user: str, **query: str) -> list[str]:
        page = await self[user].good("GET", "/api/sessions", **query)
        return [session["id"] for session in page["sessions"]]


async def team(alone: NewStory, *users: str) -> Team:
    story = await alone(arguments=["--auth", "token"])
    tokens = {}
    for user in ("ada", "bob", *users):
        role = ["--role", "operator"] if user == "root" else []
        tokens[user] = await create(story.server, user, *role)
    members = Team(story, tokens)
    for user in (*users, "bob", "ada"):
        members.apis[user] = await story.connect(bearer(tokens[user]))
        await known(story.api)
    return members


async def test_a_named_user_sees_and_reads_what_is_shared_with_them(alone: NewStory) -> None:
    here = await team(alone)
    session, viewer = await here.story.begin(title="Secret lighthouse")
    await here.story.turn(viewer, "Where is it?")
    assert await here.refused("bob", session) == (404, "no_such_session")
    share = await here.share(session, "viewer", "bob")
    assert (share["role"], share["user"], share["by"]) == ("viewer", "bob", "ada")
    assert "secret" not in share
    assert (await here["bob"].look(session))["access"] == "viewer"
    assert await here.listed("bob") == [session]
    assert await here.listed("bob", q="lighthouse") == [session]
    guest = await here.join("bob", session)
    assert guest.hello["session"]["access"] == "viewer"
    assert guest.events == viewer.events
    assert await here["bob"].events(session) == viewer.events
    assert (await guest.refused("user_input", text="Me too"))["code"] == "forbidden"
    posted = await here["bob"].submit(session, {"type": "undo", "id": "u1"})
    assert (posted.status, posted.json["code"]) == (403, "forbidden")


async def test_a_link_gives_what_it_says_to_whoever_has_its_secret(alone: NewStory) -> None:
    here = await team(alone)
    session, _ = await here.story.begin()
    share = await here.share(session, "driver")
    assert share["link"] == f"{here.story.server.url}/#/join/{share['secret']}"
    assert await here.listed("bob") == []
    for _ in range(2):
        redeemed = await here["bob"].good("POST", "/api/shares/redeem", {"secret": share["secret"]})
        assert redeemed["session"]["id"] == session
        assert redeemed["session"]["access"] == "driver"
    (shown,) = (await here["ada"].good("GET", f"/api/sessions/{session}/shares"))["shares"]
    assert [used["user"] for used in shown["used"]] == ["bob"]
    assert "secret" not in shown
    wrong = share["secret"][:-4] + "0000"
    for secret in (wrong, "", "mooring_share_x"):
        answer = await here["bob"].call("POST", "/api/shares/redeem", {"secret": secret})
        assert (answer.status, answer.code) == (404, "no_such_share")
    stored = b"".join(p.read_bytes() for p in here.story.server.data.rglob("*") if p.is_file())
    assert share["secret"].encode() not in stored
    assert share["secret"] not in here.story.server.stderr


async def test_what_a_driver_says_and_rules_bears_their_name(alone: NewStory) -> None:
    here = await team(alone)
    session, viewer = await here.story.begin()
    await here.share(session, "driver", "bob")
    driver = await here.join("bob", session)
    required = await asked(here.story, viewer, bash("please-ask; echo done"))
    call = required["calls"][0]["call"]
    await driver.accepted("approval", decisions=[rule(call, "approve")])
    assert (await viewer.until("approval_resolved"))["by"] == "bob"
    await viewer.until("turn_ended")
    await here.story.turn(driver, "And now me")
    said = {event["text"]: event["author"] for event in viewer.of("user_message")}
    assert said == {"Go": "ada", "And now me": "bob"}
    assert (await here["bob"].look(session))["owner"] == "ada"


async def test_a_revoked_share_ends_open_sockets_at_once(alone: NewStory) -> None:
    here = await team(alone)
    session, viewer = await here.story.begin()
    named = await here.share(session, "viewer", "bob")
    link = await here.share(session, "driver")
    await here["bob"].good("POST", "/api/shares/redeem", {"secret": link["secret"]})
    guest = await here.join("bob", session)
    path = f"/api/sessions/{session}/shares"
    await here["ada"].good("DELETE", f"{path}/{link['id']}")
    await viewer.status_is(people=[person("ada", "owner"), person("bob", "viewer")])
    assert (await guest.refused("undo"))["code"] == "forbidden"
    await here["ada"].good("DELETE", f"{path}/{named['id']}")
    assert await guest.closed() == 4404
    assert guest.bye is not None
    assert guest.bye["code"] == 4404
    assert await here.refused("bob", session) == (404, "no_such_session")
    assert await here.listed("bob") == []
    again = await here["bob"].call("POST", "/api/shares/redeem", {"secret": link["secret"]})
    assert (again.status, again.code) == (404, "no_such_share")
    gone = await here["ada"].call("DELETE", f"{path}/{named['id']}")
    assert (gone.status, gone.code) == (404, "no_such_share")
    assert viewer.close_code is None


def person(user: str, role: str) -> Frame:
    return {"id": user, "name": user, "role": role}


async def test_who_is_here_is_told_by_name(alone: NewStory) -> None:
    here = await team(alone)
    session, viewer = await here.story.begin()
    await viewer.status_is(people=[person("ada", "owner")])
    await here.share(session, "driver", "bob")
    guest = await here.join("bob", session)
    await viewer.status_is(people=[person("ada", "owner"), person("bob", "driver")])
    await guest.leave()
    await viewer.status_is(people=[person("ada", "owner")], viewers=1)


async def test_a_fork_belongs_to_whoever_forks_and_deletion_takes_shares_along(
    alone: NewStory,
) -> None:
    here = await team(alone)
    session, viewer = await here.story.begin()
    await here.story.turn(viewer, "Hello")
    await here.share(session, "viewer", "bob")
    fork = await here["bob"].good("POST", f"/api/sessions/{session}/fork", {})
    assert (fork["owner"], fork["access"]) == ("bob", "owner")
    assert (await here["ada"].get(f"/api/sessions/{fork['id']}")).status == 404
    await here["ada"].good("DELETE", f"/api/sessions/{session}")
    assert await here.listed("bob") == [fork["id"]]


async def test_an_operator_reads_and_stops_and_speaks_for_nobody(alone: NewStory) -> None:
    here = await team(alone, "root")
    session, viewer = await here.story.begin()
    watcher = await here.join("root", session)
    assert watcher.hello["session"]["access"] == "operator"
    here.story.model.play(calls(bash("echo x; sleep 1000")))
    await viewer.say("Go")
    await viewer.shows("x", "log")
    assert (await watcher.refused("user_input", text="Hurry"))["code"] == "forbidden"
    await watcher.accepted("interrupt")
    assert (await viewer.until("turn_ended"))["status"] == "interrupted"
    assert (await here["root"].call("PATCH", f"/api/sessions/{session}", {})).status == 403
    assert (await here["root"].call("DELETE", f"/api/sessions/{session}")).status == 204
    assert await viewer.closed() == 4404
    acts = (await here["root"].good("GET", "/api/audit"))["entries"]
    found = [(act["what"], act["who"], act.get("session")) for act in acts]
    assert ("session_stopped", "root", session) in found
    assert ("session_deleted", "root", session) in found
    assert (await here["ada"].get("/api/audit")).code == "forbidden"


async def test_dashboards_follow_what_is_shared_and_revoked(alone: NewStory) -> None:
    here = await team(alone)
    session, _ = await here.story.begin()
    async with here["bob"].socket("/api/dashboard/socket") as board:
        first = await board.receive_json(timeout=WITHIN)
        assert (first["full"], first["sessions"]) == (True, [])
        share = await here.share(session, "viewer", "bob")
        while not (shown := await board.receive_json(timeout=WITHIN)).get("sessions"):
            pass
        assert [(row["id"], row["access"]) for row in shown["sessions"]] == [(session, "viewer")]
        assert shown["totals"]["sessions"]["stored"] == 0
        await here["ada"].good("DELETE", f"/api/sessions/{session}/shares/{share['id']}")
        while not (gone := await board.receive_json(timeout=WITHIN)).get("gone"):
            pass
        assert gone["gone"] == [session]


async def test_a_share_that_changes_changes_what_an_open_socket_may(alone: NewStory) -> None:
    here = await team(alone)
    session, viewer = await here.story.begin()
    await here.share(session, "viewer", "bob")
    guest = await here.join("bob", session)
    assert (await guest.refused("undo"))["code"] == "forbidden"
    await here.share(session, "driver", "bob")
    await viewer.status_is(people=[person("ada", "owner"), person("bob", "driver")])
    assert (await guest.refused("undo"))["code"] == "nothing_to_undo"


async def test_what_a_share_may_not_be_is_refused_with_a_reason(alone: NewStory) -> None:
    here = await team(alone)
    session, _ = await here.story.begin()
    path = f"/api/sessions/{session}/shares"
    for body in (
        {},
        {"role": "owner"},
        {"role": "viewer", "user": "ada"},
        {"role": "viewer", "user": "mooring"},
        {"role": "viewer", "user": "a b"},
        {"role": "viewer", "user": ""},
        {"role": "viewer", "days": 0},
        {"role": "viewer", "more": 1},
    ):
        answer = await here["ada"].call("POST", path, body)
        assert (answer.status, answer.code) == (400, "bad_request"), body
    for _ in range(100):
        await here.share(session, "viewer")
    full = await here["ada"].call("POST", path, {"role": "viewer"})
    assert (full.status, full.code) == (429, "too_many_shares")
    assert "100 of 100" in full.json["error"]["message"]


async def test_shares_are_there_after_kill_9(alone: NewStory) -> None:
    here = await team(alone)
    session, _ = await here.story.begin()
    await here.share(session, "viewer", "bob")
    await here.story.restart()
    api = await here.story.connect(bearer(here.tokens["bob"]))
    assert (await api.look(session))["access"] == "viewer"
