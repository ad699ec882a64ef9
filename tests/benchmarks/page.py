"""How smooth the page stays while text streams, and how soon it can be used: headless Chromium."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypedDict

from playwright.async_api import Browser, CDPSession, Page, async_playwright

from tests.benchmarks.creation import NO_MODEL
from tests.benchmarks.machine import CORES, quantile
from tests.benchmarks.processes import mooring
from tests.benchmarks.table import Figure
from tests.browser.person import Person
from tests.browser.text_room import Room, build, served

KINDS = ("mixed", "fence", "list", "table")
TOKENS, PER_SECOND = 20_000, 200
EARLY, LATE = (2_000, 4_000), (18_000, 20_000)
SLOW = 4
"""A processor so many times slower stands for a phone."""
LONG_TASK, LONGEST_TASK, LONGEST_SLOW, GAP, GROWTH = 2, 100.0, 200.0, 34.0, 1.5
FLOOD_LINES, FLOOD_SECONDS = 10_000, 10
SCRIPTS_KB, LAZY_KB, USABLE_MS, COLD_STARTS = 100.0, 35.0, 400.0, 5
USABLE = """() => new MutationObserver((_, observer) => {
  const field = document.querySelector('textarea');
  if (!field || field.disabled) return;
  observer.disconnect();
  requestAnimationFrame(() => { window.usable = performance.now(); });
}).observe(document, {childList: true, subtree: true, attributes: true})"""


class Smoothness(TypedDict):
    """As static streams say it: milliseconds between frames, and of every task above 50."""

    seconds: float
    gaps: list[float]
    tasks: list[float]
    shown: int


async def measure() -> list[Figure]:
    async with browser_on_all_cores() as browser:
        figures = await _cold(browser)
        with TemporaryDirectory(prefix="mooring-bench-") as folder:
            build(Path(folder))
            async with served(Path(folder)) as url:
                idle = await _idle(browser, url)
                for kind in KINDS:
                    figures += await _kind(browser, url, kind, idle)
                figures += await _flood(browser, url)
    return figures


@asynccontextmanager
async def browser_on_all_cores() -> AsyncIterator[Browser]:
    """A browser on all cores: this process keeps to one."""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, CORES)
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    try:
        async with async_playwright() as playwright:
            path = shutil.which("chromium")
            browser = await playwright.chromium.launch(executable_path=path, args=flags)
            try:
                yield browser
            finally:
                await browser.close()
    finally:
        os.sched_setaffinity(0, mine)


async def _idle(browser: Browser, url: str) -> Smoothness:
    """What the machine itself makes of a page on which nothing happens."""
    async with in_a_room(browser, url) as (room, _):
        smooth: Smoothness = await room.run("(room) => room.stream('nothing', 2_000, 200)")
    return smooth


async def _kind(browser: Browser, url: str, kind: str, idle: Smoothness) -> list[Figure]:
    plain, spent = await _stream(browser, url, kind, slower=1)
    slow, _ = await _stream(browser, url, kind, slower=SLOW)
    early, late = (spent[end] - spent[start] for start, end in (EARLY, LATE))
    what = f"page: {TOKENS // 1000}k tokens of {kind}"
    return [
        Figure(f"{what}: tasks over 50 ms", len(plain["tasks"]), "", LONG_TASK),
        Figure(f"{what}: longest of them", max(plain["tasks"], default=0.0), "ms", LONGEST_TASK),
        Figure(
            f"{what}: frame gap p99",
            quantile(plain["gaps"], 0.99),
            "ms",
            GAP,
            reference=quantile(idle["gaps"], 0.99),
            of="of an idle page",
        ),
        Figure(f"{what}: tokens 18-20k against 2-4k", late / early, "×", GROWTH),
        Figure(
            f"{what}, CPU ×{SLOW}: longest task",
            max(slow["tasks"], default=0.0),
            "ms",
            LONGEST_SLOW,
        ),
    ]


async def _stream(
    browser: Browser, url: str, kind: str, *, slower: int
) -> tuple[Smoothness, dict[int, float]]:
    """How smooth it was, and seconds of the main thread by the token that was said then."""
    async with in_a_room(browser, url) as (room, cdp):
        await cdp.send("Emulation.setCPUThrottlingRate", {"rate": slower})
        watching = asyncio.create_task(_spent(cdp))
        smooth: Smoothness = await room.run(
            f"(room) => room.stream({kind!r}, {TOKENS}, {PER_SECOND})"
        )
        return smooth, await watching


async def _flood(browser: Browser, url: str) -> list[Figure]:
    """A tool that prints ten thousand lines a second."""
    async with in_a_room(browser, url) as (room, _):
        lines = FLOOD_LINES * FLOOD_SECONDS
        smooth: Smoothness = await room.run(f"(room) => room.stream('log', {lines}, {FLOOD_LINES})")
    return [
        Figure("page: 10k log lines/s: longest task", max(smooth["tasks"], default=0.0), "ms"),
        Figure("page: 10k log lines/s: frame gap p99", quantile(smooth["gaps"], 0.99), "ms", GAP),
    ]


@asynccontextmanager
async def in_a_room(browser: Browser, url: str) -> AsyncIterator[tuple[Room, CDPSession]]:
    page = await browser.new_page(viewport={"width": 1280, "height": 800})
    try:
        page.set_default_timeout(0)
        room = Room(url, page)
        await room.open()
        yield room, await page.context.new_cdp_session(page)
        await room.saw_nothing_bad()
    finally:
        await page.close()


async def _spent(cdp: CDPSession) -> dict[int, float]:
    """Processor seconds of the main thread at the borders of the parts that are compared."""
    await cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
    spent, at = {}, 0.0
    for token in (*EARLY, *LATE):
        moment = min(token, TOKENS - PER_SECOND // 2) / PER_SECOND
        await asyncio.sleep(moment - at)
        at = moment
        spent[token] = await main_thread(cdp)
    return spent


async def main_thread(cdp: CDPSession) -> float:
    """Processor seconds so far, where `Performance` counts thread ticks."""
    metrics: Any = (await cdp.send("Performance.getMetrics"))["metrics"]
    return next(float(one["value"]) for one in metrics if one["name"] == "TaskDuration")


async def _cold(browser: Browser) -> list[Figure]:
    """The first view of a page that was never here before."""
    async with mooring(NO_MODEL) as server:
        opened = [await _open(browser, server.url) for _ in range(COLD_STARTS)]
    usable, scripts, lazy = zip(*opened, strict=True)
    return [
        Figure("page: composer usable, cold", quantile(usable, 0.5), "ms", USABLE_MS),
        Figure("page: scripts of the first view", max(scripts) / 1000, "KB", SCRIPTS_KB),
        Figure("page: scripts of the dashboard beside", max(lazy) / 1000, "KB", LAZY_KB),
    ]


async def _open(browser: Browser, url: str) -> tuple[float, float, float]:
    """Milliseconds until one can type, and bytes of scripts on the wire: at first, and later."""
    context = await browser.new_context()
    try:
        page = await context.new_page()
        size = await _scripts(page)
        await page.add_init_script(f"({USABLE})()")
        person = await Person(url, page, may_lose_connection=False).begin()
        await page.wait_for_function("() => window.usable")
        await page.wait_for_load_state("networkidle")
        usable, first = float(await page.evaluate("() => window.usable")), sum(size)
        await page.goto(f"{url}/#/dashboard")
        await page.locator("main .board").wait_for()
        await page.wait_for_load_state("networkidle")
        await person.saw_no_error()
        return usable, first, sum(size) - first
    finally:
        await context.close()


async def _scripts(page: Page) -> list[float]:
    """Fills with the transferred sizes of scripts."""
    sizes: list[float] = []
    kinds: dict[str, str] = {}
    cdp = await page.context.new_cdp_session(page)
    cdp.on("Network.responseReceived", lambda e: kinds.update({e["requestId"]: e["type"]}))

    def loaded(event: dict[str, Any]) -> None:
        if kinds.get(event["requestId"]) == "Script":
            sizes.append(float(event["encodedDataLength"]))

    cdp.on("Network.loadingFinished", loaded)
    await cdp.send("Network.enable")
    return sizes
