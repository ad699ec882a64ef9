"""What a running call asks of people: put into the log, waited for, and closed once."""

import asyncio
from typing import Protocol

from agent.history import CallState
from agent.means import Means
from agent.protocol import (
    MOORING,
    AnyEvent,
    Field,
    QuestionAnswered,
    QuestionAsked,
    QuestionId,
)
from agent.questions import form_of, page_of
from agent.tools.port import Inquiry, Response

MOST = 50
"""Questions of one call; more are not answered."""
LONGEST_MESSAGE = 4000
DECLINED = Response("decline")
CANCELLED = Response("cancel")
Answer = asyncio.Future[QuestionAnswered]


class QuestionDesk(Protocol):
    """What questions are put into the log through."""

    def hand_over(self, *events: AnyEvent) -> None:
        """To be committed, without waiting for it. Raises CancelledError where the work is over."""
        ...

    def answer_to(self, question: QuestionId) -> Answer:
        """Done when an answer is committed; who cancels it no longer waits for one."""
        ...


class Questioner:
    """Of one call. Any task may ask, such as the one that keeps a shared connection: what ends the
    call ends the waiting, and hurts nobody else."""

    def __init__(self, call: CallState, means: Means, desk: QuestionDesk) -> None:
        self._call = call
        self._means = means
        self._desk = desk
        self._waiting: set[Answer] = set()
        self._over = False

    async def ask(self, inquiry: Inquiry) -> Response:
        """`decline` where a person cannot be shown it, `cancel` where none answered in time."""
        asked = self._question(inquiry)
        if asked is None:
            return DECLINED
        if self._over or len(self._call.questions) >= MOST:
            return CANCELLED
        answer = self._desk.answer_to(asked.question)
        self._waiting.add(answer)
        try:
            if not self._record(asked):
                return CANCELLED
            await asyncio.wait([answer], timeout=inquiry.patience)
            self._take_back(asked)
            await asyncio.wait([answer])
            return _told(answer)
        finally:
            self._take_back(asked)  # where the server, or the connection, gave it up
            self._waiting.discard(answer)
            _ = answer.cancel()

    def close(self) -> None:
        """The call is over, and its questions with it."""
        self._over = True
        for answer in self._waiting:
            _ = answer.cancel()

    def _question(self, inquiry: Inquiry) -> QuestionAsked | None:
        fields: tuple[Field, ...] | None = ()
        host, url = None, inquiry.url
        if url is None:
            fields = form_of(inquiry.fields)
        elif (host := page_of(url)) is None or self._means.redactor.text(url) != url:
            return None  # a page that is none, or a link that the log would have to change
        if fields is None:
            return None
        made = self._call.made
        id, text = self._means.new_id("question"), inquiry.text[:LONGEST_MESSAGE]
        return QuestionAsked(made.turn, made.call, id, inquiry.server, text, fields, url, host)

    def _take_back(self, asked: QuestionAsked) -> None:
        """Nothing where it is answered, also by an answer that is on its way to the log."""
        inquired = self._call.questions.get(asked.question)
        if inquired is not None and inquired.answer is None:
            turn, call, id = asked.turn, asked.call, asked.question
            self._record(QuestionAnswered(turn, call, id, "cancel", MOORING))

    def _record(self, event: QuestionAsked | QuestionAnswered) -> bool:
        """False where the call is over, or the turn: what ends them closes its questions."""
        if self._over:
            return False
        try:
            self._desk.hand_over(event)
        except asyncio.CancelledError:  # of the turn, not of the task that asks
            self._over = True
            return False
        return True


def _told(answer: Answer) -> Response:
    if answer.cancelled():
        return CANCELLED
    given = answer.result()
    return Response(given.action, given.content)
