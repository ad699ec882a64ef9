"""The judge of the faults: a server that loses, doubles, reorders or runs again is found out."""

from typing import Any

import pytest

from tests.faults.report import Report
from tests.oracle import Frame


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
        ([event(1), event(3)], False, ["reordered"]),
        ([event(1), event(1)], False, ["doubled"]),
    ],
)
def test_a_client_has_a_part_of_the_log(seen: list[Frame], whole: bool, found: list[str]) -> None:
    report = Report()
    report.seen(seen, STORED, whole=whole)
    assert sorted(report.wrong) == found


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
