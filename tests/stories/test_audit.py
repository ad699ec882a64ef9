"""The audit log over the real server: rulings, what ran without one, and who may read it."""

import hashlib
import json
from typing import Any

from tests.api import Api
from tests.oracle import Frame
from tests.serving import Server
from tests.stories.conftest import NewStory
from tests.stories.scene import asked, bash, calls, rule


async def acts(api: Api, *what: str) -> list[Frame]:
    """Those of these kinds, all pages of them."""
    found: list[Frame] = []
    after = 0
    while True:
        page = await api.good("GET", "/api/audit", after=after, limit=2)
        found += page["entries"]
        if not page["more"]:
            return [act for act in found if act["what"] in what]
        after = found[-1]["number"]


async def exported(server: Server) -> tuple[int, list[Any]]:
    status, printed = await server.command("audit", "--jsonl", "--data-dir", str(server.data))
    return status, [json.loads(line) for line in printed.splitlines()]


def hash_of(arguments: Frame) -> str:
    """As the contract says it is made."""
    written = json.dumps(arguments, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(written.encode()).hexdigest()}"


async def test_a_ruling_is_kept_with_the_hash_of_what_ran(alone: NewStory) -> None:
    story = await alone()
    session, viewer = await story.begin()
    required = await asked(story, viewer, bash("please-ask; echo ü"), bash("please-ask; false"))
    first, second = (call["call"] for call in required["calls"])
    edited = {"command": "echo better"}
    await viewer.accepted(
        "approval",
        decisions=[rule(first, "approve", arguments=edited), rule(second, "reject")],
    )
    await viewer.until("turn_ended")
    approved, rejected = await acts(story.api, "approval")
    assert (approved["who"], approved["session"]) == ("dev", session)
    assert approved["detail"]["arguments"] == hash_of(edited)
    assert approved["detail"]["edited"] == "true"
    assert (rejected["detail"]["decision"], rejected["detail"]["tool"]) == ("reject", "bash")
    assert rejected["detail"]["arguments"] == hash_of({"command": "please-ask; false"})


async def test_what_runs_by_auto_approval_is_kept_call_by_call(alone: NewStory) -> None:
    story = await alone()
    session, viewer = await story.begin()
    await viewer.accepted("set_auto_approval", enabled=True)
    story.model.play(calls(bash("please-ask; echo a"), bash("echo b")))
    await viewer.say("Go")
    await viewer.until("turn_ended")
    started = {event["call"]: event.get("unasked") for event in viewer.of("tool_started")}
    assert sorted(map(str, started.values())) == ["None", "True"]
    (switched,) = await acts(story.api, "auto_approval")
    assert switched["detail"] == {"enabled": "true"}
    (ran,) = await acts(story.api, "auto_approved")
    assert started[ran["detail"]["call"]]
    assert ran["detail"]["arguments"] == hash_of({"command": "please-ask; echo a"})
    await story.api.good("DELETE", f"/api/sessions/{session}")
    assert await acts(story.api, "auto_approved") == [ran]


async def test_the_export_of_a_running_server_is_whole_also_after_kill_9(alone: NewStory) -> None:
    story = await alone()
    session = await story.api.session()
    for role in ("viewer", "driver"):
        await story.api.good("POST", f"/api/sessions/{session}/shares", {"role": role})
    await story.restart()
    status, rows = await exported(story.server)
    assert status == 0
    assert [row["detail"]["role"] for row in rows] == ["viewer", "driver"]
    seal = bytes(32)
    for row in rows:
        detail = json.dumps(row["detail"], sort_keys=True, separators=(",", ":"))
        names = ("number", "at", "who", "what", "address", "session")
        sealed = json.dumps([*(row[n] for n in names), detail], separators=(",", ":"))
        seal = hashlib.sha256(seal + sealed.encode()).digest()
        assert row["seal"] == seal.hex()


async def test_tokens_that_the_command_makes_and_revokes_are_kept_without_their_secret(
    alone: NewStory,
) -> None:
    story = await alone()
    where = ("--data-dir", str(story.server.data))
    made = ("token", "create", "--user", "ada", "--role", "viewer", *where)
    _, token = await story.server.command(*made)
    name = token.split("_")[1]
    assert (await story.server.command("token", "revoke", name, *where))[0] == 0
    created, revoked = await acts(story.api, "token_created", "token_revoked")
    assert created["detail"] == {"token": name, "user": "ada", "role": "viewer"}
    assert (revoked["who"], revoked["detail"]) == ("mooring", {"token": name})
