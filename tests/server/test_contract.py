"""The published schema says of every frame what the code says of it."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from msgspec import Struct

from agent.protocol import AnyEvent, AnySubmission, decode_submission
from server.contract.frames import BOARD, EVENTS, LIVE, SUBMISSIONS, Shape, document, name_of
from server.wire import Frame, encode, outgoing
from tests.server.contract_samples import LOGGED, SUBMITTED
from tests.server.test_wire import FRAMES

SCHEMA = document()
JUDGE = Draft202012Validator(SCHEMA)
AT = "2026-11-20T10:00:00.000Z"
JUNK: tuple[Any, ...] = (None, True, 7, 2.5, "", "x" * 65, [], {}, [{}], ["x"])


def frame_of(said: Struct) -> dict[str, Any]:
    """As it is on the wire."""
    is_event = isinstance(said, EVENTS)
    body = outgoing(7, AT, said).body if is_event else encode(said)  # type: ignore[arg-type]
    return dict(json.loads(body))


def judge_of(kind: str) -> Draft202012Validator:
    return Draft202012Validator(SCHEMA | {"anyOf": [{"$ref": f"#/$defs/{kind}"}]})


def objects_in(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a JSON value, itself included, but not what a tool takes."""
    if isinstance(value, dict):
        yield value
        for name, inner in value.items():
            if name != "arguments":
                yield from objects_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from objects_in(inner)


def named(said: Any) -> str | None:
    return type(said).__name__ if isinstance(said, Struct) else None


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert JUDGE.is_valid({"type": "ping", "id": "c"})
    assert not JUDGE.is_valid({"type": "teleport", "id": "c"})


def test_every_frame_there_is_has_its_sample() -> None:
    samples = {type(said) for said in (*SUBMITTED, *LOGGED, *(frame for frame, _ in FRAMES))}
    assert samples == {*SUBMISSIONS, *EVENTS, *LIVE, *BOARD}
    assert {*LIVE, *BOARD} == set(Frame.__subclasses__())


@pytest.mark.parametrize("frame", [*SUBMISSIONS, *EVENTS, *LIVE, *BOARD], ids=name_of)
def test_a_frame_is_defined_by_its_type_with_all_its_fields(frame: Shape) -> None:
    defined = SCHEMA["$defs"][name_of(frame)]
    place = ["seq", "at"] if frame in EVENTS else []
    names = [field.encode_name for field in msgspec.structs.fields(frame)]
    assert defined["title"] == name_of(frame)
    assert list(defined["properties"]) == [*place, "type", *names]
    assert defined["required"][: len(place) + 1] == [*place, "type"]


# ---- what the server sends ---------------------------------------------------------------------

SENT = [*LOGGED, *(frame for frame, _ in FRAMES)]


@pytest.mark.parametrize("said", SENT, ids=named)
def test_what_the_server_sends_is_valid(said: Struct) -> None:
    frame = frame_of(said)
    assert list(JUDGE.iter_errors(frame)) == []
    assert judge_of(frame["type"]).is_valid(frame)


@pytest.mark.parametrize("said", SENT, ids=named)
def test_what_the_server_may_add_is_allowed_anywhere(said: Struct) -> None:
    frame = frame_of(said)
    for inner in objects_in(frame):
        inner["of_a_later_version"] = [1]
    assert list(JUDGE.iter_errors(frame)) == []


@pytest.mark.parametrize("event", LOGGED, ids=named)
def test_an_event_has_a_place_in_the_log(event: AnyEvent) -> None:
    frame = frame_of(event)
    wrong: list[dict[str, Any]] = [{"seq": 0}, {"seq": "7"}, {"seq": None}, {"at": 7}]
    assert not any(JUDGE.is_valid(frame | change) for change in wrong)


@pytest.mark.parametrize("said", SENT, ids=named)
def test_what_is_always_there_may_not_be_missing(said: Struct) -> None:
    frame = frame_of(said)
    required = SCHEMA["$defs"][frame["type"]]["required"]
    assert set(required) <= set(frame)
    for name in required:
        assert not JUDGE.is_valid({key: value for key, value in frame.items() if key != name})


def test_hello_always_says_which_protocol_it_speaks() -> None:
    assert "protocol" in SCHEMA["$defs"]["hello"]["required"]
    assert "reason" not in SCHEMA["$defs"]["hello"]["required"]


# ---- what clients send -------------------------------------------------------------------------


def is_read(frame: dict[str, Any]) -> bool:
    try:
        decode_submission(json.dumps(frame))
    except msgspec.ValidationError:
        return False
    return True


def spoilt(frame: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The frame with one thing missing, changed or added, at any depth."""
    text = json.dumps(frame)
    for place, inner in enumerate(objects_in(frame)):
        for name in inner:
            dropped = json.loads(text)
            del [*objects_in(dropped)][place][name]
            yield dropped
            for junk in JUNK:
                changed = json.loads(text)
                [*objects_in(changed)][place][name] = junk
                yield changed
        added = json.loads(text)
        [*objects_in(added)][place]["surprise"] = 1
        yield added


@pytest.mark.parametrize("submission", SUBMITTED, ids=named)
def test_what_a_client_sends_is_valid(submission: AnySubmission) -> None:
    frame = frame_of(submission)
    assert list(JUDGE.iter_errors(frame)) == []
    assert is_read(frame)


@pytest.mark.parametrize("submission", SUBMITTED, ids=named)
def test_the_schema_refuses_exactly_what_the_server_refuses(submission: AnySubmission) -> None:
    frames = list(spoilt(frame_of(submission)))
    judge = judge_of(frame_of(submission)["type"])
    assert [f for f in frames if judge.is_valid(f) != is_read(f)] == []
    assert not all(map(judge.is_valid, frames))
