"""A page whose time stands still: it passes when the test says so, and chance is no chance."""

import re

from playwright.async_api import Locator, Page, expect

STEADY = """() => {
  Math.random = () => 1 - 2 ** -20;
  window.sockets = 0;
  window.lostSockets = 0;
  const Real = WebSocket;
  window.WebSocket = class extends Real {
    constructor(...given) {
      super(...given);
      if (!this.url.includes('/api/sessions/')) return;
      window.sockets += 1;
      this.addEventListener('close', () => (window.lostSockets += 1));
    }
  };
}"""
"""The link waits as long as it ever does: 0.5, 1, 2, 4, 8 s. Sockets of the session are counted."""
AHEAD = 20
"""Seconds: time enough to say so before they are over, and less than a silent line is given."""
NEXT_TRY = re.compile(r"Next try in (\d+) s\.")


class FrozenTime:
    """`begin` on a page that may be loaded anew, `freeze` once it shows what it should."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._lost = 0

    async def begin(self) -> None:
        await self._page.clock.install()
        await self._page.add_init_script(f"({STEADY})()")
        await self._page.reload()

    async def freeze(self) -> None:
        """From a moment on that is a little ahead: too little for a watchdog."""
        seconds = await self._page.evaluate("() => Date.now() / 1000")
        await self._page.clock.pause_at(seconds + AHEAD)
        await self._page.wait_for_function("() => window.sockets - window.lostSockets === 1")
        self._lost = await self._page.evaluate("() => window.lostSockets")

    async def passes(self, milliseconds: int, *, lost: int = 0) -> None:
        """So much time, at whose end so many more sockets are lost as soon as they are."""
        await self._page.clock.run_for(milliseconds)
        self._lost += lost
        await self._page.wait_for_function("(lost) => window.lostSockets >= lost", arg=self._lost)
        assert await self._page.evaluate("() => window.lostSockets") == self._lost

    async def counts_down(self, place: Locator) -> None:
        """As long as it says that it will try again in some seconds, each is one less."""
        found = NEXT_TRY.search(await place.inner_text())
        assert found
        assert int(found[1]) > 3
        for left in range(int(found[1]) - 1, 1, -1):
            await self.passes(1_000)
            await expect(place).to_contain_text(f"Next try in {left} s.")
