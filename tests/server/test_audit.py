"""What is recorded of an act: short, without secrets, and never in its way."""

import asyncio
import logging

import pytest

from agent.errors import Unrecorded
from agent.redaction import Redactor
from server.audit import LONGEST, Audit
from server.store.audit import AuditPage, AuditRow

AT = "2026-11-29T08:00:00.000Z"


class Kept:
    """An audit log that answers when it is told to."""

    def __init__(self) -> None:
        self.rows: list[AuditRow] = []
        self.answers: list[asyncio.Future[None]] = []

    def add(self, row: AuditRow) -> asyncio.Future[None]:
        self.rows.append(row)
        self.answers.append(asyncio.get_running_loop().create_future())
        return self.answers[-1]

    async def page(self, after: int, *, limit: int) -> AuditPage:
        raise AssertionError("nobody reads here")


def audit(kept: Kept) -> Audit:
    return Audit(kept, lambda: AT, Redactor(["hunter2-hunter2"]))


async def test_an_act_is_recorded_with_its_detail() -> None:
    kept = Kept()
    audit(kept).record("login", "ada", address="10.0.0.1", session="s_1", method="token")
    assert kept.rows == [AuditRow(AT, "ada", "login", "10.0.0.1", "s_1", {"method": "token"})]


async def test_no_secret_and_no_endless_text_gets_in() -> None:
    kept = Kept()
    secret = "mooring_0123456789ab_" + "0123456789abcdef" * 4
    audit(kept).record("login", "a\ud800\0", said=f"{secret} hunter2-hunter2", long="x" * 10_000)
    (row,) = kept.rows
    assert secret not in row.detail["said"]
    assert "hunter2" not in row.detail["said"]
    assert len(row.detail["long"]) == LONGEST
    assert row.who == "a? "


@pytest.mark.parametrize("error", [Unrecorded("The disk is full."), OSError("gone"), None])
async def test_an_act_that_cannot_be_recorded_stands_and_is_logged(
    caplog: pytest.LogCaptureFixture, error: Exception | None
) -> None:
    kept = Kept()
    audit(kept).record("logout", "ada")
    with caplog.at_level(logging.ERROR):
        if error is None:
            kept.answers[0].cancel()
        else:
            kept.answers[0].set_exception(error)
        await asyncio.wait(kept.answers)
        await asyncio.sleep(0)
    assert "not in the audit log: logout by ada" in caplog.text


async def test_who_has_to_know_waits_until_an_act_is_kept_or_lost() -> None:
    kept = Kept()
    port = audit(kept)
    await port.settled()
    port.record("login", "ada")
    waiting = asyncio.create_task(port.settled())
    await asyncio.sleep(0)
    assert not waiting.done()
    kept.answers[0].set_exception(Unrecorded("The disk is full."))
    await waiting
