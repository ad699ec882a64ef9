"""API tokens: who is asking, and that nobody sees what is another's."""

import time

import pytest

from tests.api import Api
from tests.client import WITHIN, Viewer
from tests.oracle import Frame
from tests.serving import Server
from tests.stories.conftest import NewStory
from tests.stories.scene import Story, handshake_refusal

BELOW = ["", "/events", "/export", "/files", "/files/a.txt", "/socket", "/nonsense"]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def create(server: Server, user: str, *more: str) -> str:
    where = ("--data-dir", str(server.data))
    status, printed = await server.command("token", "create", "--user", user, *where, *more)
    assert status == 0, server.stderr
    token = printed.strip()
    assert printed == f"{token}\n"
    assert token
    assert " " not in token
    return token


async def tokened(alone: NewStory, config: Frame | None = None) -> tuple[Story, str, str]:
    """A server in token mode with two users, and the story as the first."""
    story = await alone(config, arguments=["--auth", "token"])
    ada, bob = await create(story.server, "ada"), await create(story.server, "bob")
    await story.connect(bearer(ada))
    await known(story.api)
    return story, ada, bob


async def known(api: Api, status: int = 200) -> None:
    """A running server sees new and revoked tokens (within a second, says its own test)."""
    until = time.monotonic() + WITHIN
    while (await api.get("/api/me")).status != status:
        assert time.monotonic() < until, f"not {status} within {WITHIN} s"


async def test_a_token_says_who_is_asking(alone: NewStory) -> None:
    story, ada, _ = await tokened(alone)
    me = await story.api.good("GET", "/api/me")
    assert me == {
        "user": {"id": "ada", "name": me["user"]["name"], "role": "user"},
        "auth": "token",
    }
    session, viewer = await story.begin()
    assert (await story.api.look(session))["owner"] == "ada"
    await story.turn(viewer, "Hello")
    assert viewer.of("user_message")[0]["author"] == "ada"
    await story.api.good("PATCH", f"/api/sessions/{session}", {"title": "Mine"})
    assert (await viewer.until("session_updated"))["by"] == "ada"
    stored = b"".join(p.read_bytes() for p in story.server.data.rglob("*") if p.is_file())
    assert ada.encode() not in stored
    assert ada not in story.server.stderr


@pytest.mark.parametrize(
    "headers",
    [{}, bearer("wrong"), bearer(""), {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"}],
)
async def test_without_a_good_token_everything_is_401(
    alone: NewStory, headers: dict[str, str]
) -> None:
    story, _, _ = await tokened(alone)
    session = await story.api.session()
    api = await story.connect(headers)
    for path in ("/api/me", "/api/sessions", "/api/models", f"/api/sessions/{session}"):
        answer = await api.get(path)
        assert (answer.status, bool(answer.code)) == (401, True), path
    status, code = await handshake_refusal(Viewer(story.server.url, session, headers=headers))
    assert (status, bool(code)) == (401, True)
    assert (await api.get("/healthz")).status == 200


async def test_anothers_session_is_as_if_it_did_not_exist(alone: NewStory) -> None:
    story, _, bob = await tokened(alone)
    session, viewer = await story.begin(title="Secret lighthouse")
    await story.turn(viewer, "Where is the lighthouse?")
    await story.put(session, "a.txt", b"x")
    api = await story.connect(bearer(bob))
    await known(api)
    for below in BELOW:
        for method in ("GET", "POST", "PATCH", "DELETE", "PUT"):
            mine = await api.call(method, f"/api/sessions/{session}{below}?limit=x")
            none = await api.call(method, f"/api/sessions/s-nobody{below}?limit=x")
            assert mine.status == none.status == 404, (method, below)
            assert mine.code == none.code == "no_such_session"
            assert mine.body.replace(session.encode(), b"") == none.body.replace(b"s-nobody", b"")
    posted = await api.submit(session, {"type": "ping", "id": "p1"})
    assert (posted.status, posted.code) == (404, "no_such_session")
    stranger = Viewer(story.server.url, session, headers=bearer(bob))
    assert await handshake_refusal(stranger) == (404, "no_such_session")
    assert (await api.good("GET", "/api/sessions"))["sessions"] == []
    assert (await api.good("GET", "/api/sessions", q="lighthouse"))["sessions"] == []
    assert viewer.log.last == len(viewer.events)


async def test_idempotency_keys_are_each_users_own(alone: NewStory) -> None:
    story, ada, bob = await tokened(alone)
    ids = []
    for token in (ada, bob):
        api = await story.connect(bearer(token))
        await known(api)
        answer = await api.call("POST", "/api/sessions", {}, headers={"Idempotency-Key": "same"})
        assert answer.status == 201
        ids.append(answer.json["id"])
    assert ids[0] != ids[1]


async def test_an_operator_sees_the_fleet_and_the_metrics(alone: NewStory) -> None:
    story, _, _ = await tokened(alone)
    root = await create(story.server, "root", "--role", "operator")
    api = await story.connect(bearer(root))
    await known(api)
    assert (await api.good("GET", "/api/me"))["user"]["role"] == "operator"
    assert (await api.get("/metrics")).status == 200


async def test_a_viewers_token_creates_nothing(alone: NewStory) -> None:
    story, _, _ = await tokened(alone)
    api = await story.connect(bearer(await create(story.server, "eve", "--role", "viewer")))
    await known(api)
    assert (await api.good("GET", "/api/me"))["user"]["role"] == "viewer"
    answer = await api.call("POST", "/api/sessions", {})
    assert (answer.status, answer.code) == (403, "forbidden")


async def test_a_revoked_token_is_refused_and_its_sockets_are_closed(alone: NewStory) -> None:
    story, ada, _ = await tokened(alone)
    session, viewer = await story.begin()
    where = ("--data-dir", str(story.server.data))
    status, table = await story.server.command("token", "list", *where)
    assert status == 0
    assert ada not in table
    names = {line.split()[0]: line for line in table.splitlines() if "ada" in line.split()}
    ((name, _),) = names.items()
    status, _ = await story.server.command("token", "revoke", name, *where)
    assert status == 0
    await known(story.api, 401)
    assert await viewer.closed() == 4401
    assert viewer.bye is not None
    assert viewer.bye["code"] == 4401
    back = Viewer(story.server.url, session, headers=bearer(ada))
    assert (await handshake_refusal(back))[0] == 401


async def test_revoking_what_is_not_there_fails(alone: NewStory) -> None:
    story, _, _ = await tokened(alone)
    where = ("--data-dir", str(story.server.data))
    status, _ = await story.server.command("token", "revoke", "nobody", *where)
    assert status != 0


async def test_auto_is_token_mode_as_soon_as_there_is_a_token_at_the_start(
    alone: NewStory,
) -> None:
    story = await alone()
    assert (await story.api.good("GET", "/api/me"))["auth"] == "dev"
    token = await create(story.server, "ada")
    await story.restart()
    assert (await story.api.get("/api/me")).status == 401
    await story.connect(bearer(token))
    assert (await story.api.good("GET", "/api/me"))["auth"] == "token"


@pytest.mark.parametrize(
    "arguments",
    [("--auth", "dev", "--host", "0.0.0.0"), ("--host", "0.0.0.0"), ("--auth", "ldap")],
)
async def test_an_open_bind_without_auth_is_refused_at_the_start(
    story: Story, arguments: tuple[str, ...]
) -> None:
    data = story.server.data.with_name("other")
    where = ("--port", "0", "--no-browser", "--data-dir", str(data), "--model", "demo")
    status, printed = await story.server.command("serve", *where, *arguments)
    assert status == 2
    assert printed == ""


async def test_a_second_server_on_the_same_data_is_refused(story: Story) -> None:
    where = ("--port", "0", "--no-browser", "--data-dir", str(story.server.data))
    status, printed = await story.server.command("serve", *where, "--model", "demo")
    assert status != 0
    assert printed == ""
    assert (await story.api.get("/readyz")).status == 200


async def test_an_open_bind_without_auth_needs_the_word_insecure(story: Story) -> None:
    data = story.server.data.with_name("insecure")
    where = ("--port", "0", "--no-browser", "--data-dir", str(data), "--model", "demo")
    process = await story.server.spawn(
        "serve", *where, "--host", "0.0.0.0", "--auth", "dev", "--insecure-no-auth"
    )
    assert process.stdout is not None
    line = await process.stdout.readline()
    process.terminate()
    await process.communicate()
    assert line.decode().startswith("Mooring listens on http://0.0.0.0:")
    assert process.returncode == 0
