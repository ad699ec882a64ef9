"""Answers are given once, and the same to everybody who sends the same."""

import asyncio

import pytest

from agent.errors import Refused, Unrecorded
from agent.fingerprint import fingerprint
from agent.journal import NewReceipt, Receipt
from agent.protocol import UserInput
from agent.receipts import Accepted, Receipts, given

SAID = UserInput("u1", "Do it.")
OTHER = UserInput("u1", "Do something else.")
KEPT = Receipt("u1", fingerprint(SAID), 7)


async def test_a_new_submission_was_not_answered_before() -> None:
    receipts = Receipts(())
    assert await receipts.repeated(SAID) is None
    assert not receipts.knows("u1")
    assert not receipts.pending


async def test_what_is_kept_is_answered_as_before() -> None:
    receipts = Receipts([KEPT])
    assert await receipts.repeated(SAID) == Accepted(7, duplicate=True)
    assert receipts.knows("u1")


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "on its way"])
async def test_other_content_under_the_same_id_is_refused(kept: bool) -> None:
    receipts = Receipts([KEPT] if kept else [])
    if not kept:
        _ = receipts.expect(SAID)
    with pytest.raises(Refused) as refusal:
        await receipts.repeated(OTHER)
    assert refusal.value.code == "id_conflict"


async def test_a_repeat_waits_for_the_answer_of_the_first() -> None:
    receipts = Receipts(())
    answer = receipts.expect(SAID)
    repeat = asyncio.create_task(receipts.repeated(SAID))
    await asyncio.sleep(0)
    assert not repeat.done()
    receipts.committed(receipts.to_record("u1"), 9)
    assert (await given(answer), await repeat) == (Accepted(9), Accepted(9, duplicate=True))
    assert await receipts.repeated(SAID) == Accepted(9, duplicate=True)
    assert not receipts.pending


async def test_a_refusal_reaches_all_who_wait_and_frees_the_id() -> None:
    receipts = Receipts(())
    answer = receipts.expect(SAID)
    repeat = asyncio.create_task(receipts.repeated(SAID))
    await asyncio.sleep(0)
    receipts.refused("u1", Refused("busy", "Not now."))
    for waiting in (given(answer), repeat):
        with pytest.raises(Refused, match="Not now"):
            await waiting
    assert await receipts.repeated(OTHER) is None


async def test_who_waits_may_go_away_without_taking_the_answer_along() -> None:
    receipts = Receipts(())
    answer = receipts.expect(SAID)
    repeat = asyncio.create_task(receipts.repeated(SAID))
    await asyncio.sleep(0)
    repeat.cancel()
    await asyncio.wait([repeat])
    receipts.committed(receipts.to_record("u1"), 3)
    assert await given(answer) == Accepted(3)


async def test_an_answer_is_expected_until_a_commit_carries_it() -> None:
    receipts = Receipts(())
    assert not receipts.expects("u1")
    _ = receipts.expect(SAID)
    assert receipts.expects("u1")
    assert receipts.to_record("u1") == NewReceipt("u1", fingerprint(SAID))
    assert not receipts.expects("u1")
    assert receipts.knows("u1")


async def test_an_id_that_was_lost_on_its_way_is_expected_anew() -> None:
    receipts = Receipts(())
    answer = receipts.expect(SAID)
    receipts.to_record("u1")
    receipts.lost(Unrecorded("The log could not be written."))
    with pytest.raises(Unrecorded):
        await given(answer)
    assert not receipts.knows("u1")
    _ = receipts.expect(OTHER)
    assert receipts.expects("u1")
