"""A tool call from its first word to its output."""

import time

import pytest

from tests.model_server import CallScript, Reply
from tests.oracle import Frame
from tests.stories.scene import UNTIL_GO, Story, bash, calls, named, told


async def test_a_call_runs_and_its_output_goes_back_to_the_model(story: Story) -> None:
    session, viewer = await story.begin()
    replies = [calls(bash("echo out; echo err >&2"), text="Let me look."), Reply(text="I see.")]
    begun = time.monotonic()
    ended = await story.turn(viewer, "Look", *replies)
    took = time.monotonic() - begun
    kinds = ["assistant_message", "tool_call", "tool_started", "tool_output", "assistant_message"]
    assert told(viewer.events)[1:] == ["user_message", "turn_started", *kinds, "turn_ended"]
    call, started, output = (viewer.of(k)[0] for k in ("tool_call", "tool_started", "tool_output"))
    assert named(call, "seq") == {
        "type": "tool_call",
        "turn": ended["turn"],
        "call": call["call"],
        "tool": "bash",
        "arguments": {"command": "echo out; echo err >&2"},
        "effect": "execute",
    }
    assert named(started, "seq") == {
        "type": "tool_started",
        "turn": ended["turn"],
        "call": call["call"],
    }
    assert named(output, "seq") == {
        "type": "tool_output",
        "turn": ended["turn"],
        "call": call["call"],
        "status": "ok",
        "output": output["output"],
        "truncated": False,
        "size": len(output["output"]),
        "seconds": output["seconds"],
    }
    assert {"out", "err"} <= set(output["output"].split())
    assert 0 <= output["seconds"] <= took
    results = [m for m in story.model.requests[1].messages if m["role"] == "tool"]
    assert output["output"] in str(results[0]["content"])
    used = (await story.api.look(session))["usage"]
    assert used == {"input_tokens": 200, "output_tokens": 40, "cost_usd": None}


async def test_the_log_of_a_running_call_is_live(story: Story) -> None:
    session, viewer = await story.begin()
    story.model.play(calls(bash("printf one; while [ ! -e go ]; do sleep 0.02; done; printf two")))
    await viewer.say("Go")
    await viewer.shows("one", "log")
    assert viewer.of("tool_output") == []
    call = viewer.of("tool_call")[0]
    first = await viewer.live("tool_log")
    assert first == {
        "type": "tool_log",
        "turn": call["turn"],
        "call": call["call"],
        "offset": 0,
        "text": "one",
    }
    await story.put(session, "go")
    output = await viewer.until("tool_output")
    assert output["output"].startswith("onetwo")


async def test_calls_of_one_reply_run_side_by_side(story: Story) -> None:
    _, viewer = await story.begin()
    meet = "touch {0}; while [ ! -e {1} ]; do sleep 0.02; done; echo met {1}"
    scripts = calls(bash(meet.format("a", "b")), bash(meet.format("b", "a")))
    await story.turn(viewer, "Meet", scripts, Reply(text="They met."))
    outputs = viewer.of("tool_output")
    assert sorted(o["output"].split()[1] for o in outputs) == ["a", "b"]
    results = [m for m in story.model.requests[1].messages if m["role"] == "tool"]
    assert ["met b" in str(results[0]), "met a" in str(results[1])] == [True, True]


async def test_ids_are_the_servers_although_the_provider_repeats_its_own(story: Story) -> None:
    _, viewer = await story.begin()
    same = CallScript("bash", {"command": "true"}, id="call_1")
    await story.turn(viewer, "One", calls(same, same), calls(same), Reply(text="Done."))
    assert len({call["call"] for call in viewer.of("tool_call")}) == 3


async def test_an_unknown_tool_is_answered_with_an_error_and_never_started(story: Story) -> None:
    _, viewer = await story.begin()
    script = calls(CallScript("teleport", {"where": "Mars"}))
    await story.turn(viewer, "Go", script, Reply(text="I cannot."))
    call, output = viewer.of("tool_call")[0], viewer.of("tool_output")[0]
    assert call["tool"] == "teleport"
    assert call["effect"] == "read"
    assert call["arguments"] == {"where": "Mars"}
    assert output["status"] == "error"
    assert viewer.of("tool_started") == []
    assert viewer.of("approval_required") == []


@pytest.mark.parametrize("text", ['{"command": "ec', "[1, 2]", '"bash"', "null", "rm -rf /"])
async def test_arguments_that_are_no_object_are_kept_as_text(story: Story, text: str) -> None:
    _, viewer = await story.begin()
    await story.turn(viewer, "Go", calls(CallScript("bash", text)), Reply(text="Sorry."))
    call, output = viewer.of("tool_call")[0], viewer.of("tool_output")[0]
    assert call["arguments"] == {}
    assert call["malformed"] == text
    assert output["status"] == "error"
    assert viewer.of("tool_started") == []


@pytest.mark.parametrize("arguments", [{}, {"command": 7}, {"command": "true", "colour": "red"}])
async def test_arguments_of_the_wrong_shape_are_an_error_for_that_call(
    story: Story, arguments: Frame
) -> None:
    _, viewer = await story.begin()
    script = calls(CallScript("bash", arguments), bash("echo fine"))
    ended = await story.turn(viewer, "Go", script, Reply(text="Sorry."))
    wrong, fine = (call["call"] for call in viewer.of("tool_call"))
    statuses = {output["call"]: output["status"] for output in viewer.of("tool_output")}
    assert statuses == {wrong: "error", fine: "ok"}
    assert viewer.of("tool_call")[0]["arguments"] == arguments
    assert ended["status"] == "completed"


async def test_each_tool_has_its_effect(story: Story) -> None:
    _, viewer = await story.begin()
    plan = [{"id": "1", "content": "Look", "status": "completed"}]
    scripts = calls(
        bash("true"),
        CallScript("read", {"path": "missing.txt"}),
        CallScript("plan", {"items": plan}),
        CallScript("write", {"path": "a.txt", "content": "one\n"}),
        CallScript("edit", {"path": "other.txt", "old": "a", "new": "b"}),
    )
    await story.turn(viewer, "All", scripts, Reply(text="Done."))
    assert {call["tool"]: call["effect"] for call in viewer.of("tool_call")} == {
        "bash": "execute",
        "read": "read",
        "plan": "read",
        "write": "write",
        "edit": "write",
    }
    assert [named(event, "seq", "turn") for event in viewer.of("plan_updated")] == [
        {"type": "plan_updated", "items": plan}
    ]


async def test_what_the_output_says_of_the_exit_is_in_the_log_too(story: Story) -> None:
    _, viewer = await story.begin()
    await story.turn(viewer, "Fail", calls(bash("echo no; exit 3")), Reply(text="It failed."))
    output = viewer.of("tool_output")[0]
    logs = [frame["text"] for frame in viewer.frames if frame["type"] == "tool_log"]
    assert "3" in output["output"]
    assert "".join(logs) == output["output"]


async def test_a_long_output_is_cut_and_its_whole_is_kept_and_named(story: Story) -> None:
    session, viewer = await story.begin()
    command = "i=0; while [ $i -lt 6000 ]; do echo line-$i-0123456789; i=$((i+1)); done"
    await story.turn(viewer, "Flood", calls(bash(command)), Reply(text="Much."))
    output = viewer.of("tool_output")[0]
    whole = sum(len(f"line-{i}-0123456789\n") for i in range(6000))
    assert output["truncated"] is True
    assert output["size"] >= whole
    assert len(output["output"]) < whole
    assert "line-0-" in output["output"]
    assert "line-5999-" in output["output"]
    (kept,) = output["files"]
    answer = await story.api.get(f"/api/sessions/{session}/files/{kept}")
    assert answer.body.decode() == "".join(f"line-{i}-0123456789\n" for i in range(6000))


async def test_a_long_output_that_was_stopped_is_kept_and_named_too(story: Story) -> None:
    session, viewer = await story.begin()
    story.model.play(calls(bash(f"seq 1 20000; {UNTIL_GO}")))
    await viewer.say("Count")
    await viewer.shows("waiting", "log")
    await viewer.accepted("interrupt")
    output = await viewer.until("tool_output")
    assert (output["status"], output["truncated"]) == ("cancelled", True)
    (kept,) = output["files"]
    answer = await story.api.get(f"/api/sessions/{session}/files/{kept}")
    assert answer.body.decode().split()[:20001] == [*map(str, range(1, 20001)), "waiting"]


async def test_bytes_that_are_no_text_are_replaced_and_characters_are_never_cut(
    story: Story,
) -> None:
    _, viewer = await story.begin()
    command = (
        "printf 'a\\377b'; printf '\\342'; sleep 0.1; printf '\\202\\254'; printf '\\033[1mx\\r'"
    )
    await story.turn(viewer, "Print", calls(bash(command)), Reply(text="Odd."))
    assert viewer.of("tool_output")[0]["output"].startswith("a\ufffdb€\x1b[1mx\r")


async def test_a_flood_of_output_is_cut_and_the_session_goes_on(story: Story) -> None:
    _, viewer = await story.begin()
    ended = await story.turn(viewer, "Flood", calls(bash("yes 0123456789", timeout=20)))
    output = viewer.of("tool_output")[0]
    assert output["status"] == "error"
    assert output["truncated"] is True
    assert output["size"] > len(output["output"])
    assert ended["status"] == "completed"


async def test_an_event_larger_than_a_page_is_a_page_of_its_own(story: Story) -> None:
    session, viewer = await story.begin()
    viewer.connection.lagged = True  # such an event is more than a viewer may lag
    content = "0123456789abcdef" * 100_000
    write = CallScript("write", {"path": "big.txt", "content": content})
    script = Reply(calls=[write], argument_size=65_536)
    await story.turn(viewer, "Write", script, Reply(text="Done."))
    call = viewer.of("tool_call")[0]
    assert call["arguments"]["content"] == content
    path = f"/api/sessions/{session}/events"
    page = await story.api.good("GET", path, after=call["seq"] - 1)
    assert page["events"] == [call]
    assert page["more"] is True
    assert await story.api.events(session) == viewer.events
    late = await story.join(session)
    assert late.events == viewer.events[late.hello["from"] - 1 :]
