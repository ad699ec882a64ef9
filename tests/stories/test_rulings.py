"""What a ruling may say, who wins, and what it is good for."""

import pytest

from tests.model_server import Reply
from tests.oracle import Frame
from tests.stories.scene import Story, asked, bash, calls, rule

ASKS = bash("echo please-ask")


async def test_edited_arguments_are_what_runs(story: Story) -> None:
    _, viewer = await story.begin()
    question = await asked(story, viewer, bash("echo please-ask; exit 1", description="Greets"))
    story.model.play(Reply(text="Thank you."))
    edited = {"command": "echo edited"}
    approve = rule(question["calls"][0]["call"], "approve", arguments=edited)
    await viewer.accepted("approval", decisions=[approve])
    await viewer.until("turn_ended")
    assert viewer.of("approval_resolved")[0]["decisions"] == [approve]
    assert viewer.of("tool_started")[0]["arguments"] == edited
    output = viewer.of("tool_output")[0]
    assert output["status"] == "ok"
    assert output["output"].startswith("edited")
    assert "please-ask" not in output["output"]


@pytest.mark.parametrize(
    "arguments",
    [{}, {"command": 7}, {"command": "true", "colour": "red"}, {"command": "forbidden"}],
)
async def test_edited_arguments_are_checked_again(story: Story, arguments: Frame) -> None:
    _, viewer = await story.begin()
    question = await asked(story, viewer, ASKS)
    call = question["calls"][0]["call"]
    bad = rule(call, "approve", arguments=arguments)
    refused = await viewer.refused("approval", decisions=[bad])
    assert refused["code"] in ("malformed", "forbidden")
    assert viewer.kinds()[-1] == "approval_required"
    await viewer.accepted("approval", decisions=[rule(call, "reject")])
    await viewer.until("turn_ended")


async def test_the_first_ruling_wins(story: Story) -> None:
    session, viewer = await story.begin()
    other = await story.join(session)
    question = await asked(story, viewer, ASKS, bash("please-ask 2"))
    one, two = (call["call"] for call in question["calls"])
    await viewer.accepted("approval", decisions=[rule(one, "reject")])
    await other.until("approval_resolved")
    late = await other.refused("approval", decisions=[rule(one, "approve")])
    assert late["code"] == "already_decided"
    await other.accepted("approval", decisions=[rule(two, "reject")])
    await viewer.until("turn_ended")


async def test_two_that_rule_at_once_have_one_winner(story: Story) -> None:
    session, viewer = await story.begin()
    other = await story.join(session)
    question = await asked(story, viewer, ASKS, bash("please-ask 2"))
    one, two = (call["call"] for call in question["calls"])
    frames = [
        {"type": "approval", "id": "a1", "decisions": [rule(one, "approve")]},
        {"type": "approval", "id": "b1", "decisions": [rule(one, "reject")]},
    ]
    futures = [await viewer.send(frames[0]), await other.send(frames[1])]
    answers = [await viewer.answer(futures[0]), await other.answer(futures[1])]
    assert sorted(answer["type"] for answer in answers) == ["accepted", "refused"]
    loser = next(answer for answer in answers if answer["type"] == "refused")
    assert loser["code"] == "already_decided"
    await viewer.accepted("approval", decisions=[rule(two, "reject")])
    await viewer.until("turn_ended")


async def test_one_bad_decision_refuses_the_whole_frame(story: Story) -> None:
    session, viewer = await story.begin()
    question = await asked(story, viewer, ASKS)
    good = rule(question["calls"][0]["call"], "approve")
    refused = await viewer.refused("approval", decisions=[good, rule("k-nobody", "approve")])
    assert refused["code"] == "no_such_call"
    assert viewer.of("approval_resolved") == []
    assert (await story.api.look(session))["pending_approvals"] == 1
    story.model.play(Reply(text="Thank you."))
    await viewer.accepted("approval", decisions=[good])
    await viewer.until("turn_ended")


async def test_without_an_open_question_nothing_was_asked(story: Story) -> None:
    _, viewer = await story.begin()
    refused = await viewer.refused("approval", decisions=[rule("k-nobody", "approve")])
    assert refused["code"] == "nothing_asked"


async def test_a_ruling_after_the_turn_changes_nothing(story: Story) -> None:
    _, viewer = await story.begin()
    question = await asked(story, viewer, ASKS)
    reject = [rule(question["calls"][0]["call"], "reject")]
    await viewer.accepted("approval", decisions=reject)
    await viewer.until("turn_ended")
    late = await viewer.refused("approval", decisions=reject)
    assert late["code"] in ("already_decided", "nothing_asked")
    assert viewer.kinds()[-1] == "turn_ended"


@pytest.mark.parametrize(
    "decisions",
    [
        [],
        [{"call": "k1"}],
        [{"call": "k1", "decision": "maybe"}],
        [{"call": "k1", "decision": "approve", "remember": "for ever"}],
        [{"call": "k1", "decision": "approve", "arguments": "ls"}],
        [{"call": "k1", "decision": "approve", "colour": "red"}],
        "k1",
        None,
    ],
)
async def test_decisions_have_a_shape(story: Story, decisions: object) -> None:
    _, viewer = await story.begin()
    assert (await viewer.refused("approval", decisions=decisions))["code"] == "malformed"


async def test_remembered_tools_are_not_asked_again_in_this_session(story: Story) -> None:
    _, viewer = await story.begin()
    question = await asked(story, viewer, ASKS)
    call = question["calls"][0]["call"]
    story.model.play(calls(bash("echo please-ask again")), Reply(text="Thank you."))
    decisions = [rule(call, "approve", remember="session")]
    await viewer.accepted("approval", decisions=decisions)
    await viewer.until("turn_ended")
    assert viewer.of("approval_resolved")[0]["decisions"] == decisions
    assert len(viewer.of("tool_started")) == 2
    assert len(viewer.of("approval_required")) == 1
    # What always asks asks all the same, and so does another session.
    await asked(story, viewer, bash("echo always-ask"))
    await viewer.accepted("interrupt")
    _, elsewhere = await story.begin()
    await asked(story, elsewhere, ASKS)
    await elsewhere.accepted("interrupt")


async def test_what_an_undone_turn_remembered_is_forgotten(story: Story) -> None:
    _, viewer = await story.begin()
    question = await asked(story, viewer, ASKS)
    approve = rule(question["calls"][0]["call"], "approve", remember="session")
    await viewer.accepted("approval", decisions=[approve])
    await viewer.until("turn_ended")
    await viewer.accepted("undo")
    await asked(story, viewer, ASKS)
    await viewer.accepted("interrupt")
