"""A backup is made while the server runs, is a data folder itself, and begins a new log."""

import random
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from pathlib import Path

import msgspec
import pytest

from server.store.sqlite import DATABASE
from tests.faults.disk_backup import back_up_again_and_again
from tests.faults.disk_damage import flip
from tests.faults.report import Report
from tests.faults.scene import exported, world
from tests.model_server import Gate, Reply
from tests.server.store.test_opening import damage
from tests.serving import Server
from tests.stories.scene import Story, bash, calls

SEEDS = 6


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    folder = tmp_path / "here"
    folder.mkdir()
    async with world(folder) as here:
        yield here


async def backed_up(story: Story, to: Path, *flags: str) -> tuple[int, str]:
    data = str(story.server.data)
    return await story.server.command("backup", str(to), "--data-dir", data, *flags)


async def test_a_backup_of_a_running_server_can_be_served(story: Story, tmp_path: Path) -> None:
    session, viewer = await story.begin()
    await story.put(session, "mine.txt", b"uploaded")
    run = calls(bash("echo before > file"), text="I write.")
    await story.turn(viewer, "Write", run, Reply(text="Done."))
    gate = Gate()
    story.model.play(Reply(text="I go on and on.", chunk_size=3, hold={3: gate}))
    await viewer.say("Go on")
    await gate.reached.wait()
    seen = list(viewer.events)
    copy = tmp_path / "there" / "data"
    assert await backed_up(story, copy) == (0, f"1 sessions are in {copy}\n")
    gate.set()
    started = await viewer.until("turn_started")
    await viewer.until("turn_ended", turn=started["turn"])
    generation = viewer.hello["log"]
    async with (
        Server(tmp_path / "there", story.model.url, data=copy) as second,
        AsyncExitStack() as stack,
    ):
        restored = Story(second, story.model, stack)
        await restored.connect()
        back = await restored.join(session, log=None, after=3, generation=generation)
        assert back.hello["log"] != generation
        assert (back.hello["mode"], back.hello["from"]) == ("tail", 1)
        stored = await restored.api.events(session)
        assert stored[: len(seen)] == seen
        assert stored[-1]["type"] == "turn_ended"
        assert (stored[-1]["status"], stored[-1]["reason"]) == ("interrupted", "server_restart")
        for name, content in (("mine.txt", b"uploaded"), ("file", b"before\n")):
            found = await restored.api.get(f"/api/sessions/{session}/files/{name}")
            assert found.body == content
        ended = await restored.turn(back, "Again", calls(bash("cat file")), Reply(text="Yes."))
        assert ended["status"] == "completed"
        assert "before" in back.of("tool_output")[-1]["output"]
        for _ in range(3):
            await back.accepted("undo")
        assert await back.until("notice", code="workspace_not_restored")


async def test_each_backup_while_sessions_work_is_what_the_logs_were_at_one_moment(
    story: Story,
) -> None:
    report = Report()
    await back_up_again_and_again(story, random.Random(1), report, 6)
    assert report.tried["backups while sessions work"] == 4
    assert report.checked["events in backups"]
    assert report.checked["receipts in backups"]
    assert report.clean, report.printed()


async def test_a_backup_can_do_without_files(story: Story, tmp_path: Path) -> None:
    session, _ = await story.begin()
    await story.put(session, "mine.txt", b"uploaded")
    (tmp_path / "copy").mkdir(mode=0o755)
    code, _ = await backed_up(story, tmp_path / "copy", "--without-files")
    assert code == 0
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o700
    assert [path.name for path in (tmp_path / "copy").iterdir()] == [DATABASE]
    assert (tmp_path / "copy" / DATABASE).stat().st_mode & 0o777 == 0o600


async def test_a_backup_overwrites_nothing(story: Story, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("kept")
    assert (await backed_up(story, tmp_path))[0] == 1
    assert "is not empty" in story.server.stderr
    assert not (tmp_path / DATABASE).exists()
    nowhere = await story.server.command("backup", "copy", "--data-dir", str(tmp_path / "nowhere"))
    assert nowhere[0] == 1
    assert "holds no store" in story.server.stderr


async def test_a_damaged_store_is_not_backed_up_and_exported_as_far_as_it_goes(
    story: Story, tmp_path: Path
) -> None:
    session, viewer = await story.begin()
    await story.turn(viewer, "Speak", Reply(text="word " * 2_000))
    stored = await story.api.events(session)
    await story.server.kill9()
    data = story.server.data
    with closing(sqlite3.connect(data / DATABASE)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("UPDATE events SET body = zeroblob(9) WHERE seq = 3")
        database.commit()
    command = ("export", session, "--format", "jsonl", "--data-dir", str(data))
    code, printed = await story.server.command(*command)
    assert code == 1
    assert "1 events are damaged and left out: 3." in story.server.stderr
    left = [msgspec.json.decode(line) for line in printed.splitlines()]
    assert left == [event for event in stored if event["seq"] != 3]
    code, printed = await story.server.command(*command[:2], "--data-dir", str(data))
    assert (code, "word word" in printed) == (1, True)
    damage(data)
    code, _ = await backed_up(story, tmp_path / "copy")
    assert code == 1
    assert not (tmp_path / "copy" / DATABASE).exists()


async def test_what_is_exported_of_a_file_with_a_flipped_bit_was_written(
    story: Story, tmp_path: Path
) -> None:
    session, viewer = await story.begin()
    await story.turn(viewer, "Speak", Reply(text="word " * 5_000))
    written = set((await exported(story.api, session)).splitlines())
    await story.server.terminate()
    for seed in range(SEEDS):
        data = tmp_path / str(seed)
        shutil.copytree(story.server.data, data)
        how = flip(data / DATABASE, random.Random(seed))
        command = ("export", session, "--format", "jsonl", "--data-dir", str(data))
        code, printed = await story.server.command(*command)
        left = set(printed.encode().splitlines())
        assert left <= written, how
        assert left == written or code == 1, how
