"""How long tasks of the page take by their own time: what neighbours take of the machine aside."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.async_api import Browser

from tests.benchmarks.page import (
    KINDS,
    LONGEST_SLOW,
    LONGEST_TASK,
    PER_SECOND,
    SLOW,
    browser_on_all_cores,
    in_a_room,
)
from tests.benchmarks.table import Figure
from tests.browser.text_room import build, served

TOKENS = 2_000
TRACED = ["toplevel", "disabled-by-default-devtools.timeline"]


async def measure() -> list[Figure]:
    figures: list[Figure] = []
    with TemporaryDirectory(prefix="mooring-bench-") as folder:
        build(Path(folder))
        async with browser_on_all_cores() as browser, served(Path(folder)) as url:
            for kind in KINDS:
                what = f"page: {TOKENS // 1000}k tokens of {kind}"
                plain = await _longest(browser, url, kind, slower=1)
                slow = await _longest(browser, url, kind, slower=SLOW)
                figures += [
                    Figure(f"{what}: longest task, its own time", plain, "ms", LONGEST_TASK / 2),
                    Figure(f"{what}, CPU ×{SLOW}: the same", slow, "ms", LONGEST_SLOW),
                ]
    return figures


async def _longest(browser: Browser, url: str, kind: str, *, slower: int) -> float:
    """Milliseconds of processor time that the longest task of the main thread took."""
    async with in_a_room(browser, url) as (room, cdp):
        await cdp.send("Emulation.setCPUThrottlingRate", {"rate": slower})
        await browser.start_tracing(page=room.page, categories=TRACED)
        await room.run(f"(room) => room.stream({kind!r}, {TOKENS}, {PER_SECOND})")
        traced: list[dict[str, Any]] = json.loads(await browser.stop_tracing())["traceEvents"]
    main = {
        (event["pid"], event["tid"])
        for event in traced
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    return max(
        float(event["tdur"]) / 1000
        for event in traced
        if event["name"].endswith("RunTask") and (event["pid"], event["tid"]) in main
        if "tdur" in event
    )
