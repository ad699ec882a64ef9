"""Answers to what servers of tools ask: what they do, and why they are refused."""

import pytest

from agent.answering import answered
from agent.errors import Refused
from agent.protocol import Action, Answer, Field, JsonObject, QuestionAnswered, QuestionAsked
from agent.redaction import Redactor
from tests.agent.logs import Log, call

NAME = Field("name", "string", required=True)
RUNNING = Log().begin().reply("", call("c1"), call("c2")).start("c1", "c2")
ASKING = RUNNING.inquire("q1", "c1", (NAME,)).inquire("q2", "c2")
PAGE = RUNNING.add(
    QuestionAsked("t1", "c1", "q1", "shop", "Sign in", url="https://a.b/c", host="a.b")
)
redact = Redactor().text


def answer(
    question: str = "q1", action: Action = "accept", content: JsonObject | None = None
) -> Answer:
    return Answer("s9", question, action, content)


def test_an_answer_is_told_whole() -> None:
    told = answered(ASKING.history, answer(content={"name": "Ada"}), "ann", redact)
    assert told == QuestionAnswered("t1", "c1", "q1", "accept", "ann", "s9", {"name": "Ada"})
    told = answered(ASKING.history, answer(action="cancel"), "ann", redact)
    assert told == QuestionAnswered("t1", "c1", "q1", "cancel", "ann", "s9")
    told = answered(ASKING.history, answer("q2"), "ann", redact)
    assert told.content == {}, "a form without fields is filled in, too"
    told = answered(PAGE.history, answer(), "ann", redact)
    assert told.content is None


@pytest.mark.parametrize(
    ("log", "answer", "code"),
    [
        pytest.param(ASKING.answer(), answer(), "already_decided", id="the first ruling wins"),
        pytest.param(
            ASKING.output("c1"), answer(), "no_such_question", id="its call is over, others ask"
        ),
        pytest.param(
            RUNNING.inquire().output("c1"), answer(), "nothing_asked", id="its call is over"
        ),
        pytest.param(ASKING, answer("q9"), "no_such_question", id="unknown"),
        pytest.param(RUNNING, answer(), "nothing_asked", id="nothing was asked"),
        pytest.param(Log(), answer(), "nothing_asked", id="nothing runs"),
    ],
)
def test_what_is_not_open_is_not_answered(log: Log, answer: Answer, code: str) -> None:
    with pytest.raises(Refused) as refused:
        answered(log.history, answer, "ann", redact)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("log", "answer", "named"),
    [
        (ASKING, answer(), "`content.name` is required"),
        (ASKING, answer(content={"name": 7}), "`content.name` must be a text"),
        (ASKING, answer(action="decline", content={}), "`content` goes with `accept`"),
        (PAGE, answer(content={}), "with a form only"),
        (ASKING, answer(content={"name": "hf_" + "a1" * 17}), "`content.name` holds a credential"),
    ],
)
def test_a_wrong_answer_names_what_is_wrong(log: Log, answer: Answer, named: str) -> None:
    with pytest.raises(Refused) as refused:
        answered(log.history, answer, "ann", redact)
    assert refused.value.code == "malformed"
    assert named in refused.value.message
    assert "hf_" not in refused.value.message
