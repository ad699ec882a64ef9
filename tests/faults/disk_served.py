"""A real server on a damaged store: it ends with a line about it, or serves what was written."""

import asyncio
import random
import shutil
import struct
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from websockets.exceptions import InvalidHandshake

from server.store.sqlite import DATABASE
from tests.api import Answer
from tests.client import WITHIN, Viewer
from tests.faults.disk_damage import MANY, cut, flip
from tests.faults.disk_wal import WAL, WARNS
from tests.faults.report import Report
from tests.model_server import Reply
from tests.oracle import Broken, Frame
from tests.serving import Server
from tests.stories.scene import Story, StoryModel, bash, calls

SESSIONS = 4
HEADER_BYTES = 100
"""By which SQLite knows a database."""
REFUSALS = {"log_damaged", "store_corrupt", "store_failed", "store_io_error", "unavailable"}
KEPT = (DATABASE, WAL, "mooring.mark")
Written = dict[str, list[Frame]]


async def serve_damaged(story: Story, chance: random.Random, report: Report, times: int) -> None:
    """The server is killed and its store copied, then it goes on; each copy is damaged alone."""
    written = await _write(story, chance)
    await story.server.kill9()
    with tempfile.TemporaryDirectory(prefix="mooring-served-") as folder:
        whole = Path(folder, "whole")
        whole.mkdir()
        for name in KEPT:
            shutil.copy(story.server.data / name, whole / name)
        for number in range(times):
            place = Path(folder, str(number))
            shutil.copytree(whole, place / "data")
            _same_file(whole, place / "data")
            how = _hurt(place / "data", number, chance)
            report.tried["servers started on a damaged store"] += 1
            await _serve(place, story.model, written, how, report)
    await story.restart()


async def _write(story: Story, chance: random.Random) -> Written:
    story.model.fresh()
    written: Written = {}
    for _ in range(SESSIONS):
        session, viewer = await story.begin()
        for _ in range(chance.randrange(1, 4)):
            command = calls(bash("echo here; echo there"), text="So.")
            await story.turn(viewer, "Speak", command, Reply(text="word " * 800))
        written[session] = await story.api.events(session)
    return written


def _same_file(whole: Path, copy: Path) -> None:
    """Else the copy would be taken for a backup that was restored."""
    _, commits = struct.unpack("<QQ", (whole / "mooring.mark").read_bytes())
    inode = (copy / DATABASE).stat().st_ino
    (copy / "mooring.mark").write_bytes(struct.pack("<QQ", inode, commits))


def _hurt(data: Path, number: int, chance: random.Random) -> str:
    """The database and its log in turn; without both there is nothing to serve."""
    used = len((data / WAL).read_bytes().rstrip(b"\0"))
    match number % 6:
        case 0:
            return cut(data / DATABASE, chance)
        case 5:
            (data / WAL).unlink()
            with (data / DATABASE).open("r+b") as file:
                file.write(chance.randbytes(HEADER_BYTES))
            return f"no {WAL}, no header of {DATABASE}"
        case 1:
            return cut(data / WAL, chance, used)
        case 2:
            return flip(data / WAL, chance, used)
        case _:
            hits = chance.choice((1, MANY))
            return "; ".join(flip(data / DATABASE, chance) for _ in range(hits))


async def _serve(
    folder: Path, model: StoryModel, written: Written, how: str, report: Report
) -> None:
    server = Server(folder, model.url)
    try:
        await server.start()
    except AssertionError:
        if (wrong := _refusal(server)) is not None:
            report.find("silently wrong", f"{how}: {wrong}")
        report.checked["damaged stores that no server was started on"] += 1
        return
    try:
        async with AsyncExitStack() as stack:
            story = Story(server, model, stack)
            await story.connect()
            for session, events in written.items():
                await _read(story, session, events, how, report)
    finally:
        await server.kill9()
    if "Traceback" in server.stderr:
        report.find("silently wrong", f"{how}: {server.stderr[-600:]}")


def _refusal(server: Server) -> str | None:
    """What is wrong with how it ended."""
    said = [line for line in server.stderr.splitlines() if line.startswith("mooring: ")]
    if server.status != 1 or len(said) != 1 or "Traceback" in server.stderr:
        return f"it exits with {server.status} and says {server.stderr[-600:]!r}"
    return None


async def _read(story: Story, session: str, events: list[Frame], how: str, report: Report) -> None:
    """Over HTTP page by page, and over the socket."""
    got: list[Frame] = []
    while True:
        path = f"/api/sessions/{session}/events"
        page = await story.api.get(path, after=len(got), limit=7)
        if page.status != 200:
            break
        got += page.json["events"]
        if not page.json["more"]:
            break
    whole = page.status == 200
    other = page.status == 404 or got != (events if whole else events[: len(got)])
    earlier = await _lost_its_end(story.server, suspected=other)
    if not whole:
        _judge_refusal(page, how, report, gone=earlier)
    _judge(got, events, how, report, whole=whole, earlier=earlier)
    viewer = Viewer(story.server.url, session)
    try:
        async with viewer:
            await viewer.synced()
    except (Broken, InvalidHandshake, OSError) as broken:
        if whole:
            report.find("silently wrong", f"{how}: HTTP serves what the socket does not: {broken}")
        report.checked["sockets of damaged logs that were refused"] += 1
    other = viewer.events != events[: len(viewer.events)]
    earlier = await _lost_its_end(story.server, suspected=other)
    _judge(viewer.events, events, how, report, whole=False, earlier=earlier)


async def _lost_its_end(server: Server, *, suspected: bool) -> bool:
    """Whether it warned of it; a thread of its own writes that, maybe behind the first answers."""
    until = time.monotonic() + (WITHIN if suspected else 0.0)
    while WARNS not in server.stderr:
        if time.monotonic() >= until:
            return False
        await asyncio.sleep(0.1)
    return True


def _judge_refusal(page: Answer, how: str, report: Report, *, gone: bool) -> None:
    report.checked["pages of damaged logs that were refused"] += 1
    said = page.status == 503 and page.code in REFUSALS
    if not said and not (gone and page.status == 404):
        report.find("silently wrong", f"{how}: {page.status} {page.body[:300]!r}")


def _judge(
    got: list[Frame], events: list[Frame], how: str, report: Report, *, whole: bool, earlier: bool
) -> None:
    """What was written, all of it where nothing is refused; a log that lost its end was ended."""
    report.checked["events of damaged stores"] += len(got)
    same = 0
    while same < min(len(got), len(events)) and got[same] == events[same]:
        same += 1
    if same == len(got) and (same == len(events) or earlier or not whole):
        return
    ending = {event["type"] for event in got[same:]}
    if earlier and ending <= {"tool_output", "assistant_message", "turn_ended", "notice"}:
        return
    wrong = str(got[same : same + 1]) if same < len(got) else "the rest is missing"
    report.find("silently wrong", f"{how}: {same} of {len(events)} events, then {wrong}"[:600])
