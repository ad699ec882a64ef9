"""What was answered to whom: a submission takes effect once, however often it is sent."""

import asyncio
from collections.abc import Iterable

from msgspec import Struct

from agent.errors import Problem, Refused
from agent.fingerprint import fingerprint
from agent.journal import NewReceipt, Receipt
from agent.protocol import AnySubmission, SubmissionId


class Accepted(Struct, frozen=True):
    """It is committed; `seq` is the first event it caused."""

    seq: int
    duplicate: bool = False


Answer = asyncio.Future[Accepted | Problem]


class Receipts:
    """Receipts of what was committed, and the answers that are still on their way."""

    def __init__(self, kept: Iterable[Receipt]) -> None:
        self._kept = {receipt.id: receipt for receipt in kept}
        self._expected: dict[SubmissionId, tuple[bytes, Answer]] = {}
        self._handed_over: set[SubmissionId] = set()

    @property
    def pending(self) -> bool:
        return bool(self._expected)

    def knows(self, id: SubmissionId) -> bool:
        """It was sent before, and is committed or being judged."""
        return id in self._kept or id in self._expected

    def expects(self, id: SubmissionId) -> bool:
        """Somebody waits for its answer, and no commit carries it yet."""
        return id in self._expected and id not in self._handed_over

    async def repeated(self, submission: AnySubmission) -> Accepted | None:
        """The answer that was given before, waiting for it where it is on its way; None if new.

        Runs without a pause up to the first answer that has to be waited for.
        """
        mark = fingerprint(submission)
        if (receipt := self._kept.get(submission.id)) is not None:
            _same(receipt.fingerprint, mark)
            return Accepted(receipt.seq, duplicate=True)
        if (expected := self._expected.get(submission.id)) is not None:
            _same(expected[0], mark)
            answer = await given(expected[1])
            return Accepted(answer.seq, duplicate=True)
        return None

    def expect(self, submission: AnySubmission) -> Answer:
        answer: Answer = asyncio.get_running_loop().create_future()
        self._expected[submission.id] = (fingerprint(submission), answer)
        return answer

    def to_record(self, id: SubmissionId) -> NewReceipt:
        self._handed_over.add(id)
        return NewReceipt(id, self._expected[id][0])

    def committed(self, receipt: NewReceipt, seq: int) -> None:
        self._kept[receipt.id] = Receipt(receipt.id, receipt.fingerprint, seq)
        self._answer(receipt.id, Accepted(seq))

    def refused(self, id: SubmissionId, why: Problem) -> None:
        """No effect: the id stays free."""
        self._answer(id, why)

    def lost(self, why: Problem) -> None:
        """Nobody knows what became of the ones on their way."""
        for id in tuple(self._expected):
            self._answer(id, why)

    def _answer(self, id: SubmissionId, answer: Accepted | Problem) -> None:
        _, future = self._expected.pop(id)
        self._handed_over.discard(id)
        future.set_result(answer)


async def given(answer: Answer) -> Accepted:
    """Wait for an answer without owning it: whoever asks may go away. Raises a refusal."""
    match await asyncio.shield(answer):
        case Accepted() as accepted:
            return accepted
        case problem:
            raise problem


def _same(known: bytes, mark: bytes) -> None:
    if known != mark:
        raise Refused("id_conflict", "This id was used for something else. Send it under a new id.")
