"""The world of a run: a server that may be killed, a model, and a story to look at them with."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.api import Api
from tests.faults.talk import EFFECTS, marks
from tests.oracle import Frame
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


async def effects(api: Api, session: str) -> Counter[str]:
    """How often each call has left its mark in the workspace as it is now."""
    answer = await api.get(f"/api/sessions/{session}/files/{EFFECTS}")
    assert answer.status in (200, 404), answer.body
    return marks(answer.body.decode()) if answer.status == 200 else Counter()


def without(frame: Frame, *dropped: str) -> Frame:
    return {key: value for key, value in frame.items() if key not in dropped}
