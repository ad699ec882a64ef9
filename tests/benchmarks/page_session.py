"""How soon a long session is on screen, and how soon a page is back whose line was cut.

What is measured is the page's own: it is asked over the protocol of the browser's tools, since what
Playwright puts into a page that it waits for (330 KB) would be evaluated while the page starts.
"""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, expect

from tests.api import Api
from tests.benchmarks.machine import quantile
from tests.benchmarks.page import browser_on_all_cores
from tests.benchmarks.processes import mooring
from tests.benchmarks.table import Figure
from tests.browser.lines import Back, Journey, lines_to
from tests.browser.person import Person
from tests.client import Viewer
from tests.model_server import CallScript, ModelServer, Reply

EVENTS, CALLS, OPENED, CUTS = 5_000, 40, 5, 100
OPEN_MS, BACK_SECONDS = 500.0, 2.0
LAST = "The last words of a long session."
PATIENCE = 60_000
SEEN = """(text) => {
  const painted = (then) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = then;
    port2.postMessage(null);
  });
  window.seen = new Promise((seen) => new MutationObserver((_, observer) => {
    const last = [...document.querySelectorAll('.entry.assistant .prose')].at(-1);
    if (!last?.textContent.includes(text)) return;
    observer.disconnect();
    painted(() => seen(performance.now()));
  }).observe(document, {childList: true, subtree: true, characterData: true}));
}"""
"""When the frame that has these words at the end of the page was painted."""
ASKED = {"expression": "window.seen", "awaitPromise": True, "returnByValue": True}


async def measure() -> list[Figure]:
    async with (
        ModelServer() as model,
        mooring(model.url) as server,
        browser_on_all_cores() as browser,
    ):
        return [
            *await _opened(browser, server.url, model),
            *await _cut(browser, server.url, model),
        ]


async def _opened(browser: Browser, url: str, model: ModelServer) -> list[Figure]:
    """From an empty browser to the last words in sight, of a long session and of one turn."""
    async with Api(url) as api:
        short = await _looked(api, model, 1)
        long = await _looked(api, model, EVENTS)
        head = (await api.good("GET", f"/api/sessions/{long}"))["head"]
    took: dict[str, list[float]] = {short: [], long: []}
    for _ in range(OPENED):
        for session, times in took.items():
            times.append(await _seen(browser, f"{url}/#/s/{session}"))
    return [
        Figure(
            f"page: a session of {head:,} events opened",
            quantile(took[long], 0.5),
            "ms",
            OPEN_MS,
            reference=quantile(took[short], 0.5),
            of="of one turn",
        )
    ]


async def _seen(browser: Browser, url: str) -> float:
    async with _page(browser) as page:
        await page.add_init_script(f"({SEEN})({LAST!r})")
        tools = await page.context.new_cdp_session(page)
        await page.goto(url)
        answer = await tools.send("Runtime.evaluate", ASKED)
        return float(answer["result"]["value"])


async def _looked(api: Api, model: ModelServer, least: int) -> str:
    """A session of so many events: turns with many calls, and an answer at the end."""
    session = await api.session("A long one")
    calls = [CallScript("read", {"path": f"missing-{number}.txt"}) for number in range(CALLS)]
    async with Viewer(api.url, session) as viewer:
        await viewer.synced()
        while not viewer.events or viewer.events[-1]["seq"] <= least:
            model.play(Reply(text="I look.", calls=calls, whole_calls=True), Reply(text=LAST))
            said = await viewer.say("Look once more")
            turn = await viewer.until("turn_started", submission=said["id"])
            await viewer.until("turn_ended", turn=turn["turn"])
    return session


async def _cut(browser: Browser, url: str, model: ModelServer) -> list[Figure]:
    """A stream whose line is cut again and again: in the end it shows what the server exports."""
    async with lines_to(url) as lines, _page(browser) as page:
        back, journey = Back(page), Journey(lines, CUTS, seed=round(time.time()))
        model.play(journey.reply)
        person = await Person(lines.url, page, may_lose_connection=True).begin()
        await person.say("Write")
        took = await journey.travel(back)
        shown = person.conversation.locator(".prose")
        await expect(shown).to_have_text(journey.text, timeout=PATIENCE)
        await person.sees_state("Idle")
        assert [(await shown.text_content() or "").strip()] == await _said(
            url, await person.session()
        )
        await person.saw_no_error()
    return [
        Figure(f"page: back after {CUTS} cuts: slowest", max(took), "s", BACK_SECONDS),
        Figure(f"page: back after {CUTS} cuts: median", quantile(took, 0.5), "s"),
    ]


async def _said(url: str, session: str) -> list[str]:
    """What the agent said, as the server exports it."""
    async with Api(url) as api:
        exported = await api.get(f"/api/sessions/{session}/export", format="jsonl")
    events = [json.loads(line) for line in exported.body.splitlines()]
    return [event["text"] for event in events if event["type"] == "assistant_message"]


@asynccontextmanager
async def _page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE)
    try:
        yield await context.new_page()
    finally:
        await context.close()
