"""The judge of the faults: a server that loses, doubles, reorders or runs again is found out."""

from typing import Any

import pytest

from tests.faults.report import Report
from tests.oracle import Broken, Frame, Log


def event(seq: int, kind: str = "notice", **fields: Any) -> Frame:
    return {"seq": seq, "type": kind, **fields}


STORED = [event(1), event(2), event(3)]
INPUT = [event(1), event(2, "user_message", submission="a")]
SUPERSEDED = [event(1, "turn_ended"), event(2, "user_message", submission="a")]
CALL = event(1, "tool_call", call="k", turn="t", arguments={"command": "echo mark-1 >> f"})
RAN = [CALL, event(2, "tool_started", call="k"), event(3, "tool_output", call="k", status="ok")]
UNDONE = [*RAN, event(4, "turn_undone", turn="t")]


@pytest.mark.parametrize(
    ("stored", "found"),
    [
        (STORED, []),
        ([event(1), event(3)], ["lost"]),
        ([event(1), event(1)], ["doubled"]),
        ([event(2), event(1)], ["reordered"]),
    ],
)
def test_a_log_is_dense(stored: list[Frame], found: list[str]) -> None:
    report = Report()
    report.log(stored)
    assert sorted(report.wrong) == found
    assert report.clean is not bool(found)


@pytest.mark.parametrize(
    ("seen", "whole", "found"),
    [
        (STORED, True, []),
        (STORED[:2], False, []),
        (STORED[1:], True, []),
        ([], False, []),
        ([], True, ["lost"]),
        (STORED[:2], True, ["lost"]),
        ([*STORED, event(4)], False, ["lost"]),
        ([event(1), event(2, "usage")], False, ["lost"]),
        ([event(1), event(3)], False, ["lost"]),
        ([event(2), event(1)], False, ["reordered"]),
        ([event(1), event(1)], False, ["doubled"]),
    ],
)
def test_a_client_has_a_part_of_the_log(seen: list[Frame], whole: bool, found: list[str]) -> None:
    report = Report()
    report.seen(seen, STORED, whole=whole)
    assert sorted(report.wrong) == found


def noted(seq: int, text: str = "") -> Frame:
    """An event that keeps all laws but that of its number."""
    at = "2026-11-01T10:00:00.000Z"
    if seq == 1:
        return event(1, "session_created", at=at, model="m", title="")
    return event(seq, at=at, code="c", text=text)


@pytest.mark.parametrize(
    ("numbers", "kind", "count"),
    [
        ([1, 2, 3, 9], "lost", 5),
        ([3], "lost", 2),
        ([1, 2, 2], "doubled", 1),
        ([1, 2, 3, 1], "doubled", 1),
    ],
)
def test_what_a_client_refuses_is_counted_as_what_it_is(
    numbers: list[int], kind: str, count: int
) -> None:
    report, log = Report(), Log()
    with report.filing("cuts 1/0"):
        for seq in numbers:
            log.apply(noted(seq))
    assert report.wrong == {kind: count}
    assert f"{kind}: {count}" in report.printed()
    assert f"{kind}: cuts 1/0: Broken seq must follow" in report.printed()


def test_another_event_under_a_number_that_a_client_has_is_reordered() -> None:
    report, log = Report(), Log()
    with report.filing("cuts 1/0"):
        for seen in (noted(1), noted(2), noted(3, "one"), noted(3, "another")):
            log.apply(seen)
    assert report.wrong == {"reordered": 1}


def test_the_size_of_what_is_missing_counts() -> None:
    report = Report()
    report.log([event(1), event(5)])
    report.seen([event(1)], [event(n) for n in range(1, 6)], whole=True)
    report.seen([], STORED, whole=True)
    assert report.wrong == {"lost": 3 + 4 + 3}


def fail(error: Exception) -> None:
    raise error


def test_whatever_else_goes_wrong_is_filed_with_its_place_and_kind() -> None:
    report = Report()
    with report.filing("kills 1/0"):
        fail(ExceptionGroup("two", [ZeroDivisionError("nothing"), Broken("a hole", "lost", 4)]))
    assert report.wrong == {"broken": 1, "lost": 4}
    with report.filing("kills 1/1"):
        _ = STORED[9]
    assert report.wrong["broken"] == 2
    assert "test_report.py" in report.findings[-1]


def test_kills_and_cuts_of_all_kinds_are_added_up() -> None:
    report = Report()
    report.tried.update({"kill -9 at: a tool": 2, "kill -9 under load": 3, "killjoys": 5})
    report.tried.update({"cuts towards a client": 4, "cuts towards the server": 5, "cursors": 9})
    assert (report.kills, report.cuts) == (5, 9)
    assert "faults tried: 28, of these 5 kills and 9 cuts" in report.printed()


@pytest.mark.parametrize(
    ("stored", "accepted", "found"),
    [
        (INPUT, {"a": 2}, []),
        (INPUT, {}, []),
        (STORED, {}, []),
        (SUPERSEDED, {"a": 1}, []),
        (INPUT, {"a": 1}, ["lost"]),
        (STORED, {"a": 2}, ["lost"]),
        ([*INPUT, {**INPUT[1], "seq": 3}], {"a": 2}, ["doubled"]),
    ],
)
def test_an_input_acts_once(
    stored: list[Frame], accepted: dict[str, int], found: list[str]
) -> None:
    report = Report()
    report.submissions(stored, ["a"], accepted)
    assert sorted(report.wrong) == found


@pytest.mark.parametrize(
    ("stored", "most", "now", "found"),
    [
        (RAN, 1, 1, []),
        (RAN, 1, None, []),
        (UNDONE, 1, 0, []),
        (RAN, 2, 2, ["re-run"]),
        ([CALL], 1, 1, ["re-run"]),
        (RAN, 0, 0, ["lost"]),
    ],
)
def test_a_call_leaves_one_mark(
    stored: list[Frame], most: int, now: int | None, found: list[str]
) -> None:
    report = Report()
    left = None if now is None else {"mark-1": now}
    report.effects(stored, {"mark-1": most}, left)
    assert sorted(report.wrong) == found
    assert all(f"{kind}:" in report.printed() for kind in found)
