"""The golden logs are logs: the server's code reads them, and still writes them."""

import json
from pathlib import Path

import jsonschema
import pytest

from agent.history import History
from agent.protocol import Recorded, decode_event
from server.contract.frames import document
from tests.golden.__main__ import led
from tests.golden.summary import summary
from tests.golden.talks import TALKS
from tests.oracle import DURABLE, Frame, Log

HERE = Path(__file__).parent
VALID = jsonschema.Draft202012Validator(document())
named = pytest.mark.parametrize("name", sorted(TALKS))


def frames_of(name: str) -> list[Frame]:
    return [json.loads(line) for line in (HERE / f"{name}.jsonl").read_text().splitlines()]


def events_in(frames: list[Frame]) -> list[Frame]:
    return [frame for frame in frames if frame["type"] in DURABLE]


@named
def test_each_frame_is_one_of_the_contract(name: str) -> None:
    for frame in frames_of(name):
        VALID.validate(frame)


@named
def test_the_events_obey_the_laws_of_a_log(name: str) -> None:
    log = Log()
    for event in events_in(frames_of(name)):
        log.apply(event)
    assert log.last == len(events_in(frames_of(name)))


@named
def test_the_agent_folds_it_to_the_plan_and_the_queue_that_are_to_be_shown(name: str) -> None:
    events = events_in(frames_of(name))
    history = History(
        Recorded(event["seq"], event["at"], decode_event(json.dumps(event))) for event in events
    )
    shown = summary(events)
    assert [item.content for item in history.plan] == shown["plan"]
    assert [queued.text for queued in history.queue.values()] == shown["queued"]


@named
def test_what_is_to_be_shown_is_written_beside_it(name: str) -> None:
    expected = json.loads((HERE / f"{name}.expected.json").read_text())
    assert summary(frames_of(name)) == expected


@pytest.mark.slow
@named
async def test_the_server_still_tells_it_so(name: str) -> None:
    """If it should not any more: `python -m tests.golden`, and look at what changed."""
    assert events_in(await led(name)) == events_in(frames_of(name))
