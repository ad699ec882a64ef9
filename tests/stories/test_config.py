"""The configuration file and the command line: what is refused, and what it changes."""

import json
from pathlib import Path

import pytest

from tests.model_server import Reply
from tests.oracle import Frame
from tests.stories.conftest import NewStory
from tests.stories.scene import Story, bash, calls

WRONG: list[tuple[Frame, str]] = [
    ({"limit": {}}, "limit"),
    ({"limits": {"sessions": 3}}, "sessions"),
    ({"limits": {"sessions_per_user": "many"}}, "sessions_per_user"),
    ({"limits": {"sessions_per_user": -1}}, "sessions_per_user"),
    ({"limits": 3}, "limits"),
    ({"retry": {"transient_seconds": "5"}}, "transient_seconds"),
    ({"turn": {"max_iterations": 1.5}}, "max_iterations"),
    ({"approval": {"ask": "bash"}}, "ask"),
    ({"approval": {"rules": [{"tool": "bash", "decision": "maybe"}]}}, "decision"),
    ({"approval": {"rules": [{"tool": "bash", "colour": "red"}]}}, "colour"),
    (
        {"approval": {"rules": [{"tool": "bash", "match": {"command": "("}, "decision": "ask"}]}},
        "rules",
    ),
    ({"hibernate_after_seconds": None}, "hibernate_after_seconds"),
    ({"research": {"model": "nobody/knows-it"}}, "research.model"),
    ({"research": {"max_iterations": 0}}, "max_iterations"),
]


async def run(story: Story, folder: Path, text: str, *more: str) -> tuple[int, str, str]:
    """Start a server with that configuration: exit status, stdout and what it logged."""
    path = folder / "wrong.json"
    path.write_text(text)
    before = len(story.server.stderr)
    where = ("--port", "0", "--no-browser", "--data-dir", str(folder / "data"), "--model", "demo")
    status, printed = await story.server.command("serve", *where, "--config", str(path), *more)
    return status, printed, story.server.stderr[before:]


@pytest.mark.parametrize(("config", "key"), WRONG)
async def test_a_setting_that_is_wrong_is_named_and_the_start_refused(
    story: Story, tmp_path: Path, config: Frame, key: str
) -> None:
    status, printed, logged = await run(story, tmp_path, json.dumps(config))
    assert (status, printed) == (2, "")
    assert key in logged
    assert "Traceback" not in logged


@pytest.mark.parametrize("text", ["{", "[]", "", "null"])
async def test_a_file_that_is_no_object_is_refused(story: Story, tmp_path: Path, text: str) -> None:
    status, _, logged = await run(story, tmp_path, text)
    assert status == 2
    assert "wrong.json" in logged


async def test_a_missing_file_is_refused(story: Story, tmp_path: Path) -> None:
    status, printed = await story.server.command(
        "serve", "--port", "0", "--data-dir", str(tmp_path / "d"), "--config", "/nowhere.json"
    )
    assert (status, printed) == (2, "")


@pytest.mark.parametrize("flag", ["--colour", "--port=many", "--port=99999"])
async def test_an_unknown_or_wrong_flag_is_refused(story: Story, flag: str) -> None:
    status, printed = await story.server.command("serve", "--no-browser", flag)
    assert (status, printed) == (2, "")


async def test_values_come_from_the_environment(alone: NewStory) -> None:
    config: Frame = {
        "approval": {
            "rules": [
                {
                    "tool": "bash",
                    "match": {"command": "${STORY_PATTERN}"},
                    "decision": "deny",
                    "reason": "${STORY_REASON:-by default}",
                }
            ]
        }
    }
    story = await alone(config, environment={"STORY_PATTERN": "sesame"})
    _, viewer = await story.begin()
    script = calls(bash("echo sesame"), bash("echo other"))
    await story.turn(viewer, "Open", script, Reply(text="Well."))
    outputs = {output["status"]: output for output in viewer.of("tool_output")}
    assert set(outputs) == {"rejected", "ok"}
    assert "by default" in outputs["rejected"]["output"]


async def test_a_variable_that_is_missing_is_named(story: Story, tmp_path: Path) -> None:
    config = {"approval": {"ask": ["${STORY_NOT_SET}"]}}
    status, _, logged = await run(story, tmp_path, json.dumps(config))
    assert status == 2
    assert "STORY_NOT_SET" in logged


async def test_flags_may_come_from_the_environment(alone: NewStory, tmp_path: Path) -> None:
    story = await alone(environment={"MOORING_AUTH": "token"})
    assert (await story.api.get("/api/me")).status == 401


async def test_a_turn_has_so_many_model_calls(alone: NewStory) -> None:
    story = await alone({"turn": {"max_iterations": 3}})
    _, viewer = await story.begin()
    steps = [calls(bash(f"echo {number}")) for number in range(3)]
    ended = await story.turn(viewer, "Go on and on", *steps)
    assert (ended["status"], ended["reason"]) == ("limit", "iterations")
    assert len(story.model.requests) == 3
    assert len(viewer.of("tool_output")) == 3
    assert (await story.turn(viewer, "Once more"))["status"] == "completed"


async def test_a_limit_holds_the_queue(alone: NewStory) -> None:
    story = await alone({"turn": {"max_iterations": 1}})
    session, viewer = await story.begin()
    story.model.play(calls(bash("echo up; while [ ! -e go ]; do sleep 0.02; done")))
    await viewer.say("Go")
    await viewer.shows("up", "log")
    name = (await viewer.say("Next"))["id"]
    await story.put(session, "go")
    await viewer.until("turn_ended", status="limit", reason="iterations")
    await viewer.status_is(state="idle", held=True)
    await viewer.accepted("resume")
    await viewer.until("user_message", submission=name)
    await viewer.until("turn_ended", status="completed")


async def test_the_first_rule_that_matches_decides(alone: NewStory) -> None:
    rules = [
        {"tool": "bash", "match": {"command": "^echo safe"}, "decision": "allow"},
        {"tool": "bash", "match": {"command": "echo"}, "decision": "deny", "reason": "no echo"},
        {"tool": "bash", "decision": "ask", "reason": "the rest asks"},
    ]
    story = await alone({"approval": {"ask": ["execute"], "rules": rules}})
    _, viewer = await story.begin()
    story.model.play(calls(bash("echo safe"), bash("echo other"), bash("true")))
    await viewer.say("Go")
    question = await viewer.until("approval_required")
    _, other, rest = (call["call"] for call in viewer.of("tool_call"))
    assert [(call["call"], call["reason"]) for call in question["calls"]] == [
        (rest, "the rest asks")
    ]
    story.model.play(Reply(text="Done."))
    await viewer.accepted("approval", decisions=[{"call": rest, "decision": "approve"}])
    await viewer.until("turn_ended")
    statuses = {output["call"]: output["status"] for output in viewer.of("tool_output")}
    assert statuses.pop(other) == "rejected"
    assert set(statuses.values()) == {"ok"}


async def test_by_default_the_sandboxed_tools_run_freely(alone: NewStory) -> None:
    story = await alone(bare=True)
    _, viewer = await story.begin()
    await story.turn(viewer, "Go", calls(bash("rm -rf nothing")), Reply(text="Done."))
    assert viewer.of("approval_required") == []
    assert viewer.of("tool_output")[0]["status"] == "ok"


async def test_an_export_on_the_command_line_is_the_one_of_http(story: Story) -> None:
    session, viewer = await story.begin(title="On paper")
    await story.turn(viewer, "Hello 🛟")
    where = ("--data-dir", str(story.server.data))
    status, printed = await story.server.command("export", session, *where)
    assert status == 0
    assert "Hello 🛟" in printed
    status, _ = await story.server.command("export", "s-nobody", *where)
    assert status != 0


async def test_the_doctor_says_what_is_usable(story: Story) -> None:
    where = ("--data-dir", str(story.server.data.with_name("fresh")))
    status, printed = await story.server.command("doctor", *where)
    assert status == 0
    assert "sandbox" in printed.lower()
    assert "Traceback" not in printed


async def test_without_a_sandbox_it_is_ready_with_a_warning_and_commands_are_refused(
    alone: NewStory, tmp_path: Path
) -> None:
    story = await alone(environment={"PATH": str(tmp_path)})
    ready = await story.api.get("/readyz")
    assert ready.status == 200
    assert ready.json["warnings"]
    _, viewer = await story.begin()
    story.model.play(calls(bash("echo bare")), Reply(text="I see."))
    await viewer.say("Go")
    ended = await viewer.wait(
        lambda: next((e for e in viewer.events if e["type"] in ENDS), None), "an end or a question"
    )
    if ended["type"] == "approval_required":
        await viewer.accepted("interrupt")
    assert all("bare" not in output["output"].split() for output in viewer.of("tool_output"))
    assert "ok" not in {output["status"] for output in viewer.of("tool_output")}


ENDS = ("turn_ended", "approval_required")
