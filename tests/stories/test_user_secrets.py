"""What users keep secret: told to nobody, hidden everywhere, given by name, sealed on the disk."""

import asyncio
import json
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.api import Api
from tests.client import WITHIN
from tests.fakes.hub.server import ADA, FakeHub
from tests.fakes.openid import OpenIDProvider
from tests.model_server import CallScript, Gate, Reply
from tests.serving import COMMAND, Server
from tests.stories.browsing import Browsing
from tests.stories.conftest import NewStory
from tests.stories.scene import Story, calls, rule
from tests.stories.test_hub import LOOK
from tests.stories.test_secrets import frames, outside
from tests.stories.test_tokens import bearer, tokened

VALUE = "a wholly unremarkable value"
HIDDEN = "[hidden: key]"


@pytest_asyncio.fixture(loop_scope="session")
async def hub() -> AsyncIterator[FakeHub]:
    async with FakeHub() as hub:
        hub.viewer.splits["ada/films"] = {("default", "train"): [{"text": "A film."}]}
        hub.viewer.features["ada/films"] = [{"name": "text", "type": {"dtype": "string"}}]
        yield hub


async def keep(api: Api, name: str, value: str = VALUE) -> None:
    answer = await api.call("PUT", f"/api/secrets/{name}", {"value": value})
    assert (answer.status, answer.body) == (204, b"")


async def names(api: Api) -> list[str]:
    return [one["name"] for one in (await api.good("GET", "/api/secrets"))["secrets"]]


async def set_by_command(server: Server, user: str, name: str, value: str) -> int:
    """The value on stdin."""
    where = ("--user", user, "--data-dir", str(server.data))
    process = await asyncio.create_subprocess_exec(
        COMMAND, "secret", "set", name, *where, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    await process.communicate(value.encode())
    assert process.returncode is not None
    return process.returncode


async def test_a_secret_is_listed_by_name_and_never_told(alone: NewStory) -> None:
    story, _, bob = await tokened(alone)
    await keep(story.api, "WANDB_API_KEY")
    listed = await story.api.get("/api/secrets")
    ((secret,),) = [listed.json["secrets"]]
    assert (secret["name"], set(secret)) == ("WANDB_API_KEY", {"name", "changed_at"})
    assert VALUE.encode() not in listed.body
    assert (await story.api.get("/api/secrets/WANDB_API_KEY")).status == 405
    async with Api(story.server.url, bearer(bob)) as other:
        assert await names(other) == []
        gone = await other.call("DELETE", "/api/secrets/WANDB_API_KEY")
        assert (gone.status, gone.code) == (404, "no_such_secret")
    stored = b"".join(p.read_bytes() for p in story.server.data.rglob("*") if p.is_file())
    assert VALUE.encode() not in stored
    assert b"WANDB_API_KEY" in stored
    mine = story.api.headers
    await story.restart()
    await story.connect(mine)
    assert await names(story.api) == ["WANDB_API_KEY"]
    assert (await story.api.call("DELETE", "/api/secrets/WANDB_API_KEY")).status == 204
    assert await names(story.api) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("A-B", VALUE),
        ("1A", VALUE),
        ("A" * 65, VALUE),
        ("A%20B", VALUE),
        ("SHORT", "1234567"),
        ("LONG", "x" * 4097),
        ("SPACED", f" {VALUE}"),
        ("NUL", "12345678\0"),
    ],
)
async def test_what_could_not_be_hidden_or_given_is_refused(
    story: Story, name: str, value: str
) -> None:
    answer = await story.api.call("PUT", f"/api/secrets/{name}", {"value": value})
    assert (answer.status, answer.code) == (400, "bad_request")
    assert await names(story.api) == []


async def test_there_are_fifty_at_most(story: Story) -> None:
    for number in range(50):
        await keep(story.api, f"S{number}", f"the value number {number}")
    answer = await story.api.call("PUT", "/api/secrets/S50", {"value": VALUE})
    assert (answer.status, answer.code) == (409, "too_many_secrets")
    await keep(story.api, "S49", "another value of it")
    for number in range(50):
        assert (await story.api.call("DELETE", f"/api/secrets/S{number}")).status == 204


async def test_sessions_that_live_already_hide_what_is_kept_now(story: Story) -> None:
    """Also in a sentence that has begun."""
    session, viewer = await story.begin()
    half = len(VALUE) // 2
    gate = Gate()
    story.model.play(Reply(pieces=["It is ", VALUE[:half], VALUE[half:], "!"], hold={1: gate}))
    await viewer.say("Say it")
    await viewer.shows("It is ")
    await keep(story.api, "MINE")
    gate.set()
    await viewer.until("turn_ended")
    assert viewer.of("assistant_message")[0]["text"] == f"It is {HIDDEN}!"
    await story.turn(viewer, f"So it is {VALUE}?", Reply(text="Yes."))
    for shown in (frames(viewer), await outside(story, session)):
        assert VALUE not in shown
    assert VALUE not in json.dumps(story.model.requests[-1].messages)
    await story.api.call("DELETE", "/api/secrets/MINE")


async def test_tools_act_with_the_hub_token_that_a_user_keeps(
    alone: NewStory, hub: FakeHub
) -> None:
    story, _, bob = await tokened(alone, {"hub": hub.config})
    await keep(story.api, "HF_TOKEN", ADA)
    _, viewer = await story.begin()
    await story.turn(viewer, "What is in it?", calls(LOOK), Reply(text="Films."))
    assert hub.tokens == {f"Bearer {ADA}"}
    await story.connect(bearer(bob))
    _, viewer = await story.begin()
    await story.turn(viewer, "What is in it?", calls(LOOK), Reply(text="Films."))
    assert hub.tokens == {f"Bearer {ADA}", None}


async def test_a_job_is_given_a_secret_by_its_name_with_consent(
    alone: NewStory, hub: FakeHub
) -> None:
    story, _, _ = await tokened(alone, {"hub": hub.config})
    await keep(story.api, "HF_TOKEN", ADA)
    await keep(story.api, "WANDB_API_KEY")
    session, viewer = await story.begin()
    job = {"operation": "run", "command": ["env"], "secrets": ["HF_TOKEN", "WANDB_API_KEY"]}
    story.model.play(calls(CallScript("hf_jobs", job)), Reply(text="It runs."))
    await viewer.say("Run it")
    question = (await viewer.until("approval_required"))["calls"][0]
    assert question["arguments"]["secrets"] == ["HF_TOKEN", "WANDB_API_KEY"]
    await viewer.accepted("approval", decisions=[rule(question["call"], "approve")])
    await viewer.until("turn_ended")
    (started,) = hub.jobs.started
    assert started.asked["secrets"] == {"HF_TOKEN": ADA, "WANDB_API_KEY": VALUE}
    started.print(f"WANDB_API_KEY={VALUE}")
    started.end()
    story.model.play(Reply(text="It has ended."))
    ended = await viewer.until("job_ended")
    assert f"WANDB_API_KEY={HIDDEN}" in ended["output"]
    await viewer.until("turn_ended")
    for shown in (frames(viewer), await outside(story, session), story.server.stderr):
        assert VALUE not in shown


async def test_a_secret_that_a_user_does_not_keep_is_named_to_the_model(
    alone: NewStory, hub: FakeHub
) -> None:
    story, _, _ = await tokened(alone, {"hub": hub.config})
    await keep(story.api, "HF_TOKEN", ADA)
    _, viewer = await story.begin()
    job = {"operation": "run", "command": ["env"], "secrets": ["AWS_KEY"]}
    story.model.play(calls(CallScript("hf_jobs", job)), Reply(text="I cannot."))
    await viewer.say("Run it")
    question = (await viewer.until("approval_required"))["calls"][0]
    await viewer.accepted("approval", decisions=[rule(question["call"], "approve")])
    await viewer.until("turn_ended")
    said = viewer.of("tool_output")[0]
    assert (said["status"], hub.jobs.started) == ("error", [])
    assert "no secret AWS_KEY. There are: HF_TOKEN." in said["output"]


async def test_the_token_of_a_login_at_hugging_face_is_the_hub_token(
    alone: NewStory, hub: FakeHub
) -> None:
    async with OpenIDProvider() as provider:
        settings = provider.settings(provider="huggingface")
        story = await alone({"oauth": settings, "hub": hub.config}, arguments=["--auth", "oauth"])
        async with Browsing(story.server.url) as browser:
            await browser.log_in()
            (token,) = provider.access
            hub.users[token] = "ada"
            await story.connect(browser.headers)
            _, viewer = await story.begin()
            await story.turn(viewer, "What is in it?", calls(LOOK), Reply(text="Films."))
            assert hub.tokens == {f"Bearer {token}"}
            await story.restart()
            browser.url = story.server.url
            await story.connect(browser.headers)
            _, viewer = await story.begin()
            await story.turn(viewer, "And now?", calls(LOOK), Reply(text="Films."))
            assert hub.tokens == {f"Bearer {token}"}


async def test_the_command_sets_lists_and_removes_beside_a_running_server(
    alone: NewStory,
) -> None:
    story, _, _ = await tokened(alone)
    assert await set_by_command(story.server, "ada", "GITHUB_TOKEN", f"{VALUE}\n") == 0
    await until_named(story.api, ["GITHUB_TOKEN"])
    _, viewer = await story.begin()
    await story.turn(viewer, f"It is {VALUE}.", Reply(text="Good."))
    assert viewer.of("user_message")[0]["text"] == f"It is {HIDDEN}."
    where = ("--user", "ada", "--data-dir", str(story.server.data))
    status, printed = await story.server.command("secret", "list", *where)
    assert (status, printed.split()[0]) == (0, "GITHUB_TOKEN")
    assert VALUE not in printed
    assert (await story.server.command("secret", "remove", "GITHUB_TOKEN", *where))[0] == 0
    await until_named(story.api, [])
    assert (await story.server.command("secret", "remove", "GITHUB_TOKEN", *where))[0] == 1
    assert await set_by_command(story.server, "ada", "SHORT", "short") == 1


async def until_named(api: Api, expected: list[str]) -> None:
    until = time.monotonic() + WITHIN
    while await names(api) != expected:
        assert time.monotonic() < until


async def test_keys_are_rotated_while_no_server_runs(alone: NewStory) -> None:
    story, _, _ = await tokened(alone)
    await keep(story.api, "MINE")
    where = ("--data-dir", str(story.server.data))
    file = story.server.data / "vault.keys"
    before = file.read_text()
    assert (await story.server.command("keys", "rotate", *where))[0] == 1
    assert file.read_text() == before
    await story.server.terminate()
    status, printed = await story.server.command("keys", "rotate", *where)
    assert (status, printed[:2]) == (0, "1 ")
    assert not set(before.splitlines()[1:]) & set(file.read_text().splitlines())
    await story.server.start()
    await story.connect(story.api.headers)
    assert await names(story.api) == ["MINE"]
    _, viewer = await story.begin()
    await story.turn(viewer, f"It is {VALUE}.", Reply(text="Good."))
    assert viewer.of("user_message")[0]["text"] == f"It is {HIDDEN}."


async def test_without_its_keys_it_does_not_start_and_says_what_to_do(alone: NewStory) -> None:
    story, _, _ = await tokened(alone)
    await keep(story.api, "MINE")
    where = ("--data-dir", str(story.server.data))
    assert (await story.server.command("keys", "forget", *where))[0] == 1
    await story.server.terminate()
    assert (await story.server.command("keys", "forget", *where))[0] == 2
    file = story.server.data / "vault.keys"
    right = file.read_bytes()
    file.unlink()
    serve = ("serve", "--port", "0", "--no-browser", "--model", "demo", *where)
    assert await story.server.command(*serve) == (2, "")
    assert "vault.keys is missing" in story.server.stderr
    file.write_bytes(right.replace(right.splitlines()[1], b"A" * 43 + b"="))
    file.chmod(0o600)
    assert await story.server.command(*serve) == (2, "")
    assert "vault.keys holds other keys" in story.server.stderr
    file.write_bytes(right)
    file.chmod(0o644)
    assert await story.server.command(*serve) == (2, "")
    assert "can be read by others" in story.server.stderr
    file.unlink()
    status, printed = await story.server.command("keys", "forget", *where)
    assert (status, printed[:2]) == (0, "1 ")
    await story.server.start()
    await story.connect(story.api.headers)
    assert await names(story.api) == []


async def test_a_backup_brings_the_keys_unless_told_not_to(alone: NewStory) -> None:
    story, _, _ = await tokened(alone)
    await keep(story.api, "MINE")
    where = ("--data-dir", str(story.server.data))
    whole, bare = story.server.data.with_name("whole"), story.server.data.with_name("bare")
    status, printed = await story.server.command("backup", str(whole), *where)
    assert (status, "vault.keys opens the secrets" in printed) == (0, True)
    assert (whole / "vault.keys").stat().st_mode & 0o777 == 0o600
    status, printed = await story.server.command("backup", str(bare), "--without-keys", *where)
    assert (status, "keep vault.keys elsewhere" in printed) == (0, True)
    assert not (bare / "vault.keys").exists()
    listed = ("secret", "list", "--user", "ada", "--data-dir")
    assert (await story.server.command(*listed, str(whole)))[1].startswith("MINE ")
    assert (await story.server.command(*listed, str(bare)))[0] == 2


async def test_two_who_hide_the_same_do_not_hide_it_for_others(alone: NewStory) -> None:
    story, _, bob = await tokened(alone)
    await keep(story.api, "MINE")
    await story.connect(bearer(bob))
    _, viewer = await story.begin()
    await story.turn(viewer, f"It is {VALUE}.", Reply(text="Good."))
    assert viewer.of("user_message")[0]["text"] == f"It is {VALUE}."
