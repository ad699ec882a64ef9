"""How smooth the whole page stays while a model writes: server, socket, state and conversation."""

from playwright.async_api import Browser, expect

from tests.benchmarks.machine import quantile
from tests.benchmarks.page import (
    GAP,
    LONG_TASK,
    LONGEST_TASK,
    browser_on_all_cores,
    main_thread,
)
from tests.benchmarks.processes import mooring
from tests.benchmarks.table import Figure
from tests.browser.person import Person
from tests.model_server import ModelServer, Reply

TOKENS, PER_SECOND = 20_000, 200
STOPS, STOPPING = 5, 100.0
PATIENCE = 300_000
LAST = "That was all."
UNIT = """## A heading with `code`

A paragraph with **bold**, *emphasis*, [a link](https://example.com/page) and more words.

- first item with words
- second item, **longer** than the first

```python
def greet(name: str) -> str:
    return f"Hello, {name}! {1 + 2}"
```

| Step | Takes |
|------|------:|
| read | 2 ms |

"""
ACKNOWLEDGED = """() => {
  window.acknowledged = null;
  addEventListener('keydown', ({timeStamp}) => {
    const look = () => {
      if (document.querySelector('.button.stop')?.textContent !== 'Stopping…') return;
      observer.disconnect();
      requestAnimationFrame(() => { window.acknowledged = performance.now() - timeStamp; });
    };
    const observer = new MutationObserver(look);
    observer.observe(document, {childList: true, subtree: true, characterData: true});
    look();
  }, {once: true, capture: true});
}"""
START = """() => {
  const smooth = {gaps: [], tasks: []};
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) smooth.tasks.push(task.duration);
  }).observe({type: 'longtask'});
  let last = performance.now();
  const frame = (now) => {
    smooth.gaps.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  return new Promise((over) => {
    const looking = setInterval(() => {
      if (document.querySelector('.column .acts') === null) return;
      clearInterval(looking);
      over({gaps: [...smooth.gaps], tasks: [...smooth.tasks]});
    }, 250);
  });
}"""
"""Ends when the turn has: to be asked again and again from outside would be work of its own."""


async def measure() -> list[Figure]:
    async with (
        ModelServer() as model,
        mooring(model.url) as server,
        browser_on_all_cores() as browser,
    ):
        text = (UNIT * (TOKENS * 4 // len(UNIT) + 1))[: TOKENS * 4]
        pieces = [text[start : start + 4] for start in range(0, len(text), 4)]
        whole = Reply(pieces=[*pieces, f"\n\n{LAST}"], pace=1 / PER_SECOND)
        model.play(whole, *[Reply(pieces=pieces, pace=1 / PER_SECOND)] * STOPS)
        return await _streamed(browser, server.url)


async def _streamed(browser: Browser, url: str) -> list[Figure]:
    page = await browser.new_page(viewport={"width": 1280, "height": 800})
    try:
        page.set_default_timeout(PATIENCE)
        person = await Person(f"{url}/#/new", page, may_lose_connection=False).begin()
        await _say(person)
        cdp = await page.context.new_cdp_session(page)
        await cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
        before = await main_thread(cdp)
        smooth = await page.evaluate(START)
        busy = await main_thread(cdp) - before
        await expect(page.get_by_text(LAST, exact=True)).to_be_visible(timeout=PATIENCE)
        stopped = [await _stopped(person) for _ in range(STOPS)]
        await person.saw_no_error()
    finally:
        await page.close()
    what = f"page: {TOKENS // 1000}k tokens through the server"
    return [
        Figure(f"{what}: tasks over 50 ms", len(smooth["tasks"]), "", LONG_TASK),
        Figure(f"{what}: longest of them", max(smooth["tasks"], default=0.0), "ms", LONGEST_TASK),
        Figure(f"{what}: frame gap p99", quantile(smooth["gaps"], 0.99), "ms", GAP),
        Figure(f"{what}: main thread, of a core", 100 * busy / (TOKENS / PER_SECOND), "%"),
        Figure("page: Esc in such a stream until “Stopping…”", max(stopped), "ms", STOPPING),
    ]


async def _say(person: Person) -> None:
    """Ends when the first words of the answer are there."""
    headings = person.page.get_by_role("heading", name="A heading with code")
    before = await headings.count()
    await person.say("Write")
    await headings.nth(before).wait_for()


async def _stopped(person: Person) -> float:
    """Milliseconds from the key to the frame in which the page says that it stops."""
    await _say(person)
    await person.page.evaluate(f"({ACKNOWLEDGED})()")
    await person.page.keyboard.press("Escape")
    await person.page.wait_for_function("() => window.acknowledged !== null")
    await person.sees_state("Idle")
    return float(await person.page.evaluate("() => window.acknowledged"))
