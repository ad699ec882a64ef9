"""What a running call asks of people: told once, answered once, and nobody hangs on it."""

import pytest

from agent.protocol import Answer, Interrupt, QuestionAnswered, QuestionAsked, ToolOutput
from agent.questioner import MOST
from agent.tools.port import Inquiry
from tests.agent.doubles import calls, calm, says, until
from tests.agent.stage import Stage, check, finish

ASK = ("ask", "{}")


async def asking(*made: tuple[str, str], **inquiry: object) -> Stage:
    stage = Stage()
    if inquiry:
        stage.ask.inquiry = Inquiry(**inquiry)  # type: ignore[arg-type]
    stage.model.replies += [calls(*(made or (ASK,))), says("Done.")]
    await stage.say()
    await until(lambda: stage.of(QuestionAsked))
    return stage


def answer(stage: Stage, id: str = "a1", action: str = "accept", **content: object) -> Answer:
    (*_, asked) = stage.of(QuestionAsked)
    return Answer(id, asked.question, action, content or None)  # type: ignore[arg-type]


async def test_a_server_is_told_what_a_person_answers_once_it_is_committed() -> None:
    stage = await asking()
    (asked,) = stage.of(QuestionAsked)
    assert (asked.server, asked.message) == ("shop", "Who?")
    assert [field.name for field in asked.fields] == ["name"]
    assert stage.history.state == "running"
    assert stage.history.digest(0).pending_questions == 1
    stage.journal.hold(at=QuestionAnswered)
    await stage.send(answer(stage, name="Ada"))
    await calm()
    assert not stage.of(ToolOutput)
    stage.journal.release()
    await stage.rest()
    await check(stage)
    assert [o.output for o in stage.of(ToolOutput)] == ["accept {'name': 'Ada'}"]
    assert stage.history.digest(0).pending_questions == 0


async def test_the_first_answer_wins_and_a_repeat_is_the_same() -> None:
    stage = await asking()
    first = answer(stage, "a1", name="Ada")
    answers = [
        await stage.send(submission)
        for submission in (first, answer(stage, "a2", "decline"), first)
    ]
    assert not (await answers[0].accepted()).duplicate
    assert await answers[1].refused() == "already_decided"
    assert (await answers[2].accepted()).duplicate
    await stage.rest()
    await check(stage)
    assert len(stage.of(QuestionAnswered)) == 1


async def test_several_calls_ask_at_a_time_and_each_has_its_own_answer() -> None:
    stage = await asking(ASK, ASK)
    await until(lambda: len(stage.of(QuestionAsked)) == 2)
    first, second = stage.of(QuestionAsked)
    await stage.send(Answer("a2", second.question, "accept", {"name": "Two"}))
    await stage.send(Answer("a1", first.question, "accept", {"name": "One"}))
    await stage.rest()
    await check(stage)
    outputs = {o.call: o.output for o in stage.of(ToolOutput)}
    assert outputs[first.call] == "accept {'name': 'One'}"
    assert outputs[second.call] == "accept {'name': 'Two'}"


async def test_who_does_not_answer_in_time_has_cancelled() -> None:
    stage = await asking(server="shop", text="Who?", fields={}, patience=0.0)
    await stage.rest()
    await check(stage)
    (taken_back,) = stage.of(QuestionAnswered)
    assert (taken_back.action, taken_back.by, taken_back.submission) == ("cancel", "mooring", None)
    assert [o.output for o in stage.of(ToolOutput)] == ["cancel None"]


async def test_a_server_that_takes_its_question_back_closes_it() -> None:
    stage = await asking()
    stage.ask.asking[0].cancel()
    await stage.rest()
    await check(stage)
    assert [a.action for a in stage.of(QuestionAnswered)] == ["cancel"]
    assert [o.output for o in stage.of(ToolOutput)] == ["taken back"]


async def test_an_interrupt_closes_the_question_with_its_call() -> None:
    stage = await asking()
    late = answer(stage, name="Ada")
    await stage.send(Interrupt("stop"))
    await stage.rest()
    await check(stage)
    assert [o.status for o in stage.of(ToolOutput)] == ["cancelled"]
    assert not stage.of(QuestionAnswered)
    assert await (await stage.send(late)).refused() == "nothing_asked"
    assert all(task.done() for task in stage.ask.asking), "nobody waits any more"


async def test_after_a_crash_the_call_is_unknown_and_its_question_closed() -> None:
    stage = await asking()
    late = answer(stage, name="Ada")
    await stage.crash()
    await stage.rest()
    assert [o.status for o in stage.of(ToolOutput)] == ["unknown"]
    assert await (await stage.send(late)).refused() == "nothing_asked"
    await finish(stage)


async def test_a_call_that_ends_takes_its_question_with_it() -> None:
    stage = await asking()
    stage.ask.impatient.set()
    await stage.rest()
    await check(stage)
    assert [o.output for o in stage.of(ToolOutput)] == ["I did not wait."]
    assert not stage.of(QuestionAnswered)
    assert [task.result().action for task in stage.ask.asking] == ["cancel"]
    late = await stage.ask.again()
    assert late.action == "cancel"
    assert len(stage.of(QuestionAsked)) == 1


@pytest.mark.parametrize(
    "inquiry",
    [
        Inquiry("shop", "Who?", {"properties": {"x": {"type": "object"}}}),
        Inquiry("shop", "Open", {}, "javascript:alert(1)"),
        Inquiry("shop", "Open", {}, "https://a.b/?token=hf_" + "a1" * 17),
    ],
    ids=["no form", "no page", "a link with a credential"],
)
async def test_what_a_person_cannot_be_shown_is_declined(inquiry: Inquiry) -> None:
    stage = Stage()
    stage.ask.inquiry = inquiry
    stage.model.replies += [calls(ASK), says("Done.")]
    await stage.say()
    await stage.rest()
    await check(stage)
    assert not stage.of(QuestionAsked)
    assert [o.output for o in stage.of(ToolOutput)] == ["decline None"]


async def test_a_page_to_open_is_shown_with_its_host() -> None:
    stage = await asking(server="shop", text="Sign in", fields={}, url="https://a.b/c")
    (asked,) = stage.of(QuestionAsked)
    assert (asked.url, asked.host, asked.fields) == ("https://a.b/c", "a.b", ())
    await stage.send(answer(stage))
    await finish(stage)
    assert [o.output for o in stage.of(ToolOutput)] == ["accept None"]


async def test_a_call_asks_only_so_often() -> None:
    stage = Stage()
    stage.ask.times = MOST + 1
    stage.ask.inquiry = Inquiry("shop", "Who?", {}, patience=0.0)
    stage.model.replies += [calls(ASK), says("Done.")]
    await stage.say()
    await stage.rest()
    await check(stage)
    assert len(stage.of(QuestionAsked)) == MOST


async def test_a_failing_log_lets_go_of_who_asks() -> None:
    stage = await asking()
    await stage.discarding()
    await calm()
    assert all(task.done() for task in stage.ask.asking)
