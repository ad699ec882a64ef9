"""What a viewer saw, without what differs from run to run: ids, times, how texts were cut."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tests.oracle import DELTAS, Frame

PIECE = 9
"""Code points of one delta."""
DROPPED = {"accepted", "refused", "pong", "heartbeat", "status"}
IDS = {
    "turn": "t",
    "item": "i",
    "call": "c",
    "step": "p",
    "question": "q",
    "session": "s",
    "log": "L",
    "id": "s",
}
DRAINED = {"used": 0, "limit": 200_000}


def steady(frames: Sequence[Frame]) -> list[Frame]:
    """Deltas are joined and cut anew, of all `status` only the last is left."""
    last = [frame for frame in frames if frame["type"] == "status"][-1:]
    last = [{**frame, "viewers": 1, "context": DRAINED} for frame in last]
    kept = [frame for frame in frames if frame["type"] not in DROPPED]
    names: dict[tuple[str, str], str] = {}
    whole = [*_cut(_joined(kept)), *last]
    return [_timed(frame, _named(frame, names)) for frame in whole]


def _joined(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Neighbours that are deltas of the same text become one."""
    held: Frame | None = None
    for frame in frames:
        if held is not None and _place(held) == _place(frame):
            held = {**held, "text": held["text"] + frame["text"]}
            continue
        if held is not None:
            yield held
        held = frame if frame["type"] in DELTAS else None
        if held is None:
            yield frame
    if held is not None:
        yield held


def _place(frame: Frame) -> tuple[Any, ...]:
    return (frame["type"], frame.get("item"), frame.get("call"), frame["type"] in DELTAS)


def _cut(frames: Iterable[Frame]) -> Iterator[Frame]:
    for frame in frames:
        if frame["type"] not in DELTAS:
            yield frame
            continue
        text = frame["text"]
        for start in range(0, len(text), PIECE):
            piece = text[start : start + PIECE]
            yield {**frame, "offset": frame["offset"] + start, "text": piece}


def _named(frame: Frame, names: dict[tuple[str, str], str]) -> Frame:
    """The server's ids, numbered as they appear."""
    found = json.dumps(frame, ensure_ascii=False)
    for field, value in re.findall(r'"(\w+)": "([^"]*)"', found):
        if field in IDS and len(value) > 3:
            kind = IDS[field]
            count = sum(known == kind for known, _ in names)
            names.setdefault((kind, value), f"{kind}{count + 1}")
    for (_, value), name in names.items():
        found = found.replace(f'"{value}"', f'"{name}"')
    named: Frame = json.loads(found)
    return named


def _timed(before: Frame, frame: Frame) -> Frame:
    """An event's time is its number, in seconds."""
    if "at" in frame:
        minutes, seconds = divmod(before["seq"], 60)
        frame["at"] = f"2026-01-01T00:{minutes:02}:{seconds:02}.000Z"
    if "seconds" in frame:
        frame["seconds"] = 0.25
    if frame["type"] == "hello":
        born = "2026-01-01T00:00:00.000Z"
        frame["session"] |= {"created_at": born, "active_at": born}
    return frame
