"""`python -m tests.golden` leads every talk anew and writes its log and what is to be shown."""

import asyncio
import json
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from tests.golden.steady import steady
from tests.golden.summary import summary
from tests.golden.talks import CONFIGS, TALKS
from tests.oracle import Frame
from tests.serving import Server
from tests.stories.scene import CONFIG, Story, StoryModel

HERE = Path(__file__).parent


async def led(name: str) -> list[Frame]:
    """What the viewer of one talk saw, in a form that stays the same."""
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(StoryModel())
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        server = Server(Path(folder), model.url, config={**CONFIG, **CONFIGS.get(name, {})})
        story = Story(await stack.enter_async_context(server), model, stack)
        await story.connect()
        _, viewer = await story.begin(title="A golden talk")
        viewer = await TALKS[name](story, viewer)
        if viewer.close_code is None:
            # Everything that was on its way has come once this is answered.
            await viewer.ask({"type": "ping", "id": "last"})
        return steady(viewer.frames)


def written(frames: list[Frame]) -> str:
    return "".join(json.dumps(frame, ensure_ascii=False) + "\n" for frame in frames)


def main() -> None:
    for name in sys.argv[1:] or TALKS:
        frames = asyncio.run(led(name))
        (HERE / f"{name}.jsonl").write_text(written(frames))
        told = json.dumps(summary(frames), ensure_ascii=False, indent=1)
        (HERE / f"{name}.expected.json").write_text(told + "\n")
        print(f"{name}: {len(frames)} frames")


if __name__ == "__main__":
    main()
