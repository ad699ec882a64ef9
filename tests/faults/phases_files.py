"""Kills while files change with the log: undo, retry, fork, deletion, upload."""

import asyncio
from collections.abc import AsyncIterator

from tests.client import Viewer
from tests.faults.scene import effects
from tests.faults.talk import EFFECTS
from tests.faults.trial import Trial
from tests.model_server import Reply
from tests.stories.scene import bash, calls, form

A_RESTORE = 0.06
"""Seconds in which files are put back, give or take."""


async def an_undo(trial: Trial) -> AsyncIterator[None]:
    viewer = await _with_a_file(trial)
    await trial.send(viewer, "undo")
    await trial.instant(A_RESTORE)
    yield
    await _files_agree(trial, viewer)


async def a_retry(trial: Trial) -> AsyncIterator[None]:
    viewer = await _with_a_file(trial)
    await trial.send(viewer, "retry")
    await trial.instant(A_RESTORE)
    yield
    kinds = [event["type"] for event in await trial.stored(viewer)]
    if "turn_undone" in kinds:
        at = kinds.index("turn_undone")
        assert kinds[at + 1 : at + 3] == ["user_message", "turn_started"], kinds
    await _files_agree(trial, viewer)


async def a_fork(trial: Trial) -> AsyncIterator[None]:
    """It is there whole, with its files, or not at all."""
    viewer = await _with_a_file(trial)
    path = f"/api/sessions/{viewer.session}/fork"
    asking = asyncio.create_task(trial.story.api.call("POST", path, {}))
    await trial.instant(A_RESTORE)
    yield
    _ = await asyncio.gather(asking, return_exceptions=True)
    trunk = await trial.stored(viewer)
    for session in await _others(trial):
        fork = await trial.adopt(session)
        log = await trial.stored(fork)
        assert log[0]["forked_from"]["session"] == viewer.session
        assert log[1 : len(trunk)] == trunk[1:]
        assert await effects(trial.story.api, session) == await effects(
            trial.story.api, viewer.session
        )


async def a_deletion(trial: Trial) -> AsyncIterator[None]:
    """It is gone with all its files, or all of it is there."""
    viewer = await _with_a_file(trial)
    path = f"/api/sessions/{viewer.session}"
    asking = asyncio.create_task(trial.story.api.call("DELETE", path))
    await trial.instant(A_RESTORE)
    known = trial.viewers.pop(viewer.session)
    yield
    _ = await asyncio.gather(asking, return_exceptions=True)
    answer = await trial.story.api.get(path)
    assert answer.status in (200, 404), answer
    files = trial.server.data / "workspaces" / viewer.session
    if answer.status == 404:
        assert not files.exists(), "the files of a session that is gone"
    else:
        assert (await effects(trial.story.api, viewer.session)).total() == 1
        trial.viewers[viewer.session] = await trial.story.join(known.session, log=known.log)


async def an_upload(trial: Trial) -> AsyncIterator[None]:
    """The file is the old one or the new one."""
    viewer = await trial.begin()
    old, new = b"old" * 1000, b"new!" * 200_000
    await trial.story.put(viewer.session, "data.bin", old)
    path = f"/api/sessions/{viewer.session}/files"
    body = form("data.bin", new)
    asking = asyncio.create_task(trial.story.api.call("POST", path, data=body))
    await trial.instant(0.03)
    yield
    _ = await asyncio.gather(asking, return_exceptions=True)
    answer = await trial.story.api.get(f"{path}/data.bin")
    assert answer.status == 200, answer
    assert answer.body in (old, new), len(answer.body)
    listed = [file["path"] for file in (await trial.story.api.good("GET", path))["files"]]
    assert listed == ["data.bin"], listed


async def _with_a_file(trial: Trial) -> Viewer:
    """A session whose last turn has left a mark in its workspace."""
    viewer = await trial.begin()
    await trial.story.turn(viewer, "Hello")
    await trial.story.turn(viewer, "Write", calls(trial.mark()), Reply(text="Written."))
    return viewer


async def _files_agree(trial: Trial, viewer: Viewer) -> None:
    """What the log says is undone nobody finds any more, and what it does not say is there."""
    undone = any(event["type"] == "turn_undone" for event in await trial.stored(viewer))
    seen = (await effects(trial.story.api, viewer.session)).total()
    back = trial.viewers[viewer.session]
    await trial.story.turn(back, "Look", calls(bash(f"cat {EFFECTS}; true")), Reply(text="So."))
    found = [e["output"].count("mark-") for e in back.of("tool_output")][-1]
    left = (await effects(trial.story.api, viewer.session)).total()
    assert seen == found == left == (0 if undone else 1), (undone, seen, found, left)


async def _others(trial: Trial) -> list[str]:
    """Sessions that the trial did not begin; what earlier ones began is deleted."""
    page = await trial.story.api.good("GET", "/api/sessions", limit=500)
    return [row["id"] for row in page["sessions"] if row["id"] not in trial.viewers]
