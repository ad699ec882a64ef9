"""What an answer to a question of a server of tools does, and why it is refused."""

from collections.abc import Callable

from agent.errors import Refused
from agent.history import History
from agent.protocol import Answer, JsonObject, QuestionAnswered, QuestionAsked, UserId
from agent.questions import misfit

Redact = Callable[[str], str]
"""A text -> the same without the credentials in it."""


def answered(history: History, answer: Answer, by: UserId, redact: Redact) -> QuestionAnswered:
    """First ruling wins. Raises Refused."""
    found = history.find_question(answer.question)
    if found is not None and found[1].answer is not None:
        raise Refused("already_decided", f"Somebody answered {answer.question} before.")
    turn = history.open_turn
    if turn is None or not turn.open_questions:
        raise Refused("nothing_asked", "No server of tools asks anything at the moment.")
    if found is None or not found[0].is_open:
        raise Refused(
            "no_such_question", f"{answer.question!r} is not among the questions that are open."
        )
    asked = found[1].asked
    return QuestionAnswered(
        turn=asked.turn,
        call=asked.call,
        question=asked.question,
        action=answer.action,
        by=by,
        submission=answer.id,
        content=_content(asked, answer, redact),
    )


def _content(asked: QuestionAsked, answer: Answer, redact: Redact) -> JsonObject | None:
    """Only a form that is accepted has any."""
    if answer.action != "accept" or asked.url is not None:
        if answer.content is not None:
            raise Refused("malformed", "`content` goes with `accept`, and with a form only.")
        return None
    content = answer.content or {}
    if (wrong := misfit(asked.fields, content)) is not None:
        raise Refused("malformed", wrong)
    for name, value in content.items():
        if isinstance(value, str) and redact(value) != value:
            raise Refused(
                "malformed",
                f"`content.{name}` holds a credential. No server of tools may ask for one in a "
                "form: leave it out, or decline.",
            )
    return content
