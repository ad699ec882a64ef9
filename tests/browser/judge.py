"""Looks at pages with axe, and tells what it found in which state."""

from pathlib import Path
from typing import Any

from tests.browser.person import Person
from tests.browser.text_room import ROOT

AXE = ROOT / "static/node_modules/axe-core/axe.min.js"
FOUND = """async () => {
  const {violations} = await axe.run(document, {resultTypes: ['violations']});
  return violations.flatMap(({id, impact, nodes}) =>
    nodes.map(({target, failureSummary}) => [impact, id, target.join(' '), failureSummary]));
}"""


class Judge:
    """Looks at a page in one state after another."""

    def __init__(self, person: Person) -> None:
        self._page = person.page
        self._source = Path(AXE).read_text()
        self._bad: list[Any] = []

    async def look(self, state: str) -> None:
        if not await self._page.evaluate("() => 'axe' in window"):
            await self._page.evaluate(self._source)
        found = await self._page.evaluate(FOUND)
        self._bad += [[state, *one] for one in found]

    def verdict(self) -> None:
        assert self._bad == []
