"""`python -m tests.other_browsers`: the same visit in each browser that this machine has."""

import asyncio
import random
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from msgspec import Struct

from tests.other_browsers import firefox, webkit
from tests.other_browsers.visit import Visit
from tests.other_browsers.window import Window
from tests.serving import Server
from tests.stories.scene import CONFIG, StoryModel


class Browser(Struct, frozen=True):
    name: str
    needs: str
    is_there: Callable[[], bool]
    opened: Callable[[], AbstractAsyncContextManager[Window]]


BROWSERS = (
    Browser("Firefox", firefox.NEEDS, firefox.is_there, firefox.opened),
    Browser("WebKit", webkit.NEEDS, webkit.is_there, webkit.opened),
)


async def visited(browser: Browser) -> bool:
    """Whether all of it went well there; a step that fails ends the visit."""
    with tempfile.TemporaryDirectory() as folder:
        port = ("--port", str(random.randrange(20_000, 32_000)))
        async with (
            StoryModel() as model,
            Server(Path(folder), model.url, config=CONFIG, arguments=port) as server,
            browser.opened() as window,
        ):
            for step in Visit(window, server, model).steps:
                said = f"{window.name}: {step.__name__.replace('_', ' ')}"
                try:
                    await step()
                except AssertionError as failure:
                    print(f"{said}: FAILED\n{failure}")
                    return False
                print(f"{said}: ok", flush=True)
    return True


def main() -> int:
    well = True
    for browser in BROWSERS:
        if browser.is_there():
            well &= asyncio.run(visited(browser))
        else:
            print(f"{browser.name} is not here (Debian: {browser.needs}).")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
