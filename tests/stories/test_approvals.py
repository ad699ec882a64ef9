"""The agent asks, and a human rules: once, with the exact arguments that will run."""

from tests.model_server import CallScript, Reply
from tests.stories.scene import Story, asked, bash, calls, named, rule, shown, told

OVERLAY = {"approval": {"ask": ["write", "plan"]}}
ASKS = bash("echo please-ask")


async def test_a_call_that_needs_a_human_is_asked_and_waits(story: Story) -> None:
    session, viewer = await story.begin()
    question = await asked(story, viewer, ASKS)
    call = viewer.of("tool_call")[0]
    assert named(question, "seq") == {
        "type": "approval_required",
        "turn": call["turn"],
        "calls": [
            {
                "call": call["call"],
                "tool": "bash",
                "arguments": {"command": "echo please-ask"},
                "reason": "the story asks",
            }
        ],
    }
    await viewer.status_is(state="awaiting_approval", turn=call["turn"])
    row = await story.api.look(session)
    assert (row["state"], row["pending_approvals"]) == ("awaiting_approval", 1)
    assert viewer.of("tool_started") == []
    await viewer.accepted("interrupt")


async def test_an_approved_call_runs_and_the_turn_goes_on(story: Story) -> None:
    session, viewer = await story.begin()
    question = await asked(story, viewer, ASKS)
    call = question["calls"][0]["call"]
    story.model.play(Reply(text="Thank you."))
    answer = await viewer.ask(
        {"type": "approval", "id": "yes-1", "decisions": [{"call": call, "decision": "approve"}]}
    )
    ended = await viewer.until("turn_ended")
    resolved = viewer.of("approval_resolved")[0]
    assert answer == {"type": "accepted", "id": "yes-1", "seq": resolved["seq"]}
    assert named(resolved, "seq") == {
        "type": "approval_resolved",
        "turn": question["turn"],
        "decisions": [{"call": call, "decision": "approve"}],
        "by": "dev",
        "submission": "yes-1",
    }
    kinds = ["approval_resolved", "tool_started", "tool_output", "assistant_message", "turn_ended"]
    assert told(viewer.events[question["seq"] :]) == kinds
    assert "arguments" not in viewer.of("tool_started")[0]
    assert viewer.of("tool_output")[0]["output"].startswith("please-ask")
    assert ended == {**ended, "turn": question["turn"], "status": "completed"}
    assert (await story.api.look(session))["pending_approvals"] == 0


async def test_a_rejected_call_never_starts_and_the_model_hears_why(story: Story) -> None:
    _, viewer = await story.begin()
    question = await asked(story, viewer, ASKS)
    story.model.play(Reply(text="I see."))
    reject = rule(question["calls"][0]["call"], "reject", feedback="Not on a Friday.")
    await viewer.accepted("approval", decisions=[reject])
    await viewer.until("turn_ended", status="completed")
    assert viewer.of("approval_resolved")[0]["decisions"] == [reject]
    assert viewer.of("tool_output")[0]["status"] == "rejected"
    assert viewer.of("tool_started") == []
    assert "Not on a Friday." in shown(story.model.requests[1])


async def test_no_call_of_a_reply_starts_while_another_of_it_is_open(story: Story) -> None:
    _, viewer = await story.begin()
    question = await asked(story, viewer, bash("echo free"), ASKS)
    free, held = (call["call"] for call in viewer.of("tool_call"))
    assert [call["call"] for call in question["calls"]] == [held]
    await viewer.status_is(state="awaiting_approval")
    assert viewer.of("tool_started") == []
    story.model.play(Reply(text="Both."))
    await viewer.accepted("approval", decisions=[rule(held, "approve")])
    await viewer.until("turn_ended")
    assert {event["call"] for event in viewer.of("tool_started")} == {free, held}


async def test_calls_that_are_not_named_stay_open(story: Story) -> None:
    session, viewer = await story.begin()
    question = await asked(story, viewer, ASKS, bash("echo please-ask 2"), bash("please-ask 3"))
    one, two, three = (call["call"] for call in question["calls"])
    await viewer.accepted("approval", decisions=[rule(one, "approve")])
    await viewer.accepted("approval", decisions=[rule(three, "reject")])
    rejected = await viewer.until("tool_output")  # at once, although one is still open
    assert (rejected["call"], rejected["status"]) == (three, "rejected")
    assert (await story.api.look(session))["pending_approvals"] == 1
    assert viewer.of("tool_started") == []
    story.model.play(Reply(text="Thank you."))
    await viewer.accepted("approval", decisions=[rule(two, "approve")])
    await viewer.until("turn_ended", status="completed")
    assert {event["call"] for event in viewer.of("tool_started")} == {one, two}
    assert len(viewer.of("approval_required")) == 1


async def test_a_denied_call_is_neither_asked_nor_started(story: Story) -> None:
    _, viewer = await story.begin()
    script = calls(bash("echo forbidden"), bash("echo fine"))
    await story.turn(viewer, "Go", script, Reply(text="I see."))
    denied, fine = (call["call"] for call in viewer.of("tool_call"))
    statuses = {output["call"]: output["status"] for output in viewer.of("tool_output")}
    assert statuses == {denied: "rejected", fine: "ok"}
    assert [event["call"] for event in viewer.of("tool_started")] == [fine]
    assert viewer.of("approval_required") == []
    assert "the house forbids it" in shown(story.model.requests[1])


async def test_effects_and_tools_of_the_configuration_always_ask(story: Story) -> None:
    _, viewer = await story.begin()
    plan = CallScript("plan", {"items": []})
    scripts = (
        CallScript("write", {"path": "a.txt", "content": "x"}),
        CallScript("edit", {"path": "a.txt", "old": "x", "new": "y"}),
        plan,
        bash("true"),
        CallScript("read", {"path": "a.txt"}),
    )
    question = await asked(story, viewer, *scripts)
    assert [call["tool"] for call in question["calls"]] == ["write", "edit", "plan"]
    assert all(call["reason"] for call in question["calls"])
    await viewer.accepted("interrupt")


async def test_unknown_and_malformed_calls_are_answered_beside_a_question(story: Story) -> None:
    _, viewer = await story.begin()
    question = await asked(story, viewer, CallScript("teleport", {}), CallScript("bash", "{"), ASKS)
    unknown, broken, held = (call["call"] for call in viewer.of("tool_call"))
    assert [call["call"] for call in question["calls"]] == [held]
    story.model.play(Reply(text="I see."))
    await viewer.accepted("approval", decisions=[rule(held, "approve")])
    await viewer.until("turn_ended")
    statuses = {output["call"]: output["status"] for output in viewer.of("tool_output")}
    assert statuses == {unknown: "error", broken: "error", held: "ok"}


async def test_a_message_instead_of_a_ruling_begins_a_new_turn(story: Story) -> None:
    _, viewer = await story.begin()
    question = await asked(story, viewer, ASKS)
    story.model.play(Reply(text="Gladly."))
    answer = await viewer.say("Never mind. Do this instead.")
    ended = await viewer.until("turn_ended")
    assert named(ended, "seq") == {
        "type": "turn_ended",
        "turn": question["turn"],
        "status": "interrupted",
        "reason": "superseded",
    }
    output = viewer.of("tool_output")[0]
    assert (output["call"], output["status"]) == (question["calls"][0]["call"], "cancelled")
    message = await viewer.until("user_message", submission=answer["id"])
    assert message["seq"] == ended["seq"] + 1
    assert message["turn"] != question["turn"]
    assert (await viewer.until("turn_ended"))["status"] == "completed"
    assert "input_queued" not in viewer.kinds()


async def test_a_steered_message_waits_for_the_ruling_and_joins(story: Story) -> None:
    _, viewer = await story.begin()
    question = await asked(story, viewer, ASKS)
    steer = await viewer.say("And be quick.", delivery="steer")
    queued = await viewer.until("input_queued")
    assert (queued["submission"], queued["delivery"]) == (steer["id"], "steer")
    assert (await viewer.status_is(state="awaiting_approval"))["held"] is False
    story.model.play(Reply(text="Quick."))
    approve = rule(question["calls"][0]["call"], "approve")
    await viewer.accepted("approval", decisions=[approve])
    joined = await viewer.until("user_message", steered=True)
    assert (joined["turn"], joined["submission"]) == (question["turn"], steer["id"])
    await viewer.until("turn_ended", status="completed")
    assert "And be quick." in shown(story.model.requests[1])


async def test_every_viewer_may_rule_and_sees_the_ruling(story: Story) -> None:
    session, viewer = await story.begin()
    question = await asked(story, viewer, ASKS)
    await viewer.leave()
    phone = await story.join(session)
    assert phone.of("approval_required") == [question]
    assert phone.status["state"] == "awaiting_approval"
    story.model.play(Reply(text="Thank you."))
    await phone.accepted("approval", decisions=[rule(question["calls"][0]["call"], "approve")])
    await phone.until("turn_ended", status="completed")


async def test_an_interrupted_question_is_closed(story: Story) -> None:
    session, viewer = await story.begin()
    question = await asked(story, viewer, ASKS, bash("echo free"))
    await viewer.accepted("interrupt", turn=question["turn"])
    ended = await viewer.until("turn_ended")
    assert ended["status"] == "interrupted"
    assert [output["status"] for output in viewer.of("tool_output")] == ["cancelled", "cancelled"]
    assert viewer.of("tool_started") == []
    await viewer.status_is(state="idle")
    assert (await story.api.look(session))["pending_approvals"] == 0
