"""The world of a run: a server that may be killed, a model, and a story to look at them with."""

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

from tests.api import Api
from tests.client import WITHIN, Viewer
from tests.faults.report import Report
from tests.faults.talk import EFFECTS, marks
from tests.oracle import Frame, Log
from tests.serving import Server
from tests.stories.conftest import overlay
from tests.stories.scene import Story, StoryModel

ROOMY = {
    "queued_per_session": 1_000,
    "connections_per_user": 1_000,
    "handshakes_per_minute": 100_000,
    "creations_per_minute": 100_000,
}


@asynccontextmanager
async def world(
    folder: Path,
    config: Frame | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
    **limits: int,
) -> AsyncIterator[Story]:
    """A story on a server of its own in `folder`; `config` is laid over the stories' own."""
    laid = overlay({"limits": {**ROOMY, **limits}}, config or {})
    async with (
        StoryModel() as model,
        Server(
            folder, model.url, config=laid, environment=environment, arguments=arguments
        ) as server,
        AsyncExitStack() as stack,
    ):
        story = Story(server, model, stack)
        await story.connect()
        yield story


async def exported(api: Api, session: str) -> bytes:
    """The log as `export` gives it, an event a line."""
    answer = await api.get(f"/api/sessions/{session}/export", format="jsonl")
    assert answer.status == 200, answer.body
    return answer.body


def same_bytes(log: Log, text: bytes, report: Report) -> None:
    """What a client was sent of each event is the line of the export, byte by byte.

    The deltas, the status and answers to a client alone are no part of the log. Whether a client
    has what is not in the export is for `Report.seen`.
    """
    lines = text.splitlines()
    for event, raw in zip(log.events, log.raw, strict=True):
        for line in lines[event["seq"] - 1 : event["seq"]]:
            report.checked["events compared byte by byte"] += 1
            if raw.encode() != line:
                report.find("different", f"{raw}, and {line!r} in the export")


async def same_in_the_end(story: Story, viewer: Viewer, report: Report) -> None:
    """It comes to have all of the log, byte by byte; what happens meanwhile aside."""
    text = await exported(story.api, viewer.session)
    stored = [json.loads(line) for line in text.splitlines()]
    report.log(stored)
    while viewer.log.last < len(stored):
        await viewer.more()
    by_then = [event for event in viewer.events if event["seq"] <= len(stored)]
    report.seen(by_then, stored, whole=True)
    same_bytes(viewer.log, text, report)


async def effects(api: Api, session: str) -> Counter[str]:
    """How often each call has left its mark in the workspace as it is now."""
    answer = await api.get(f"/api/sessions/{session}/files/{EFFECTS}")
    assert answer.status in (200, 404), answer.body
    return marks(answer.body.decode()) if answer.status == 200 else Counter()


async def drafted(story: Story, length: int) -> None:
    """As much of the open texts is on disk, all sessions together."""
    on_disk = "SELECT total(length(text)) FROM drafts WHERE kind = 'text'"
    store = sqlite3.connect(f"file:{story.server.data}/mooring.db?mode=ro", uri=True)
    with closing(store):
        async with asyncio.timeout(WITHIN):
            while store.execute(on_disk).fetchone()[0] < length:  # noqa: ASYNC110 - tells nobody
                await asyncio.sleep(0.02)


def without(frame: Frame, *dropped: str) -> Frame:
    return {key: value for key, value in frame.items() if key not in dropped}
