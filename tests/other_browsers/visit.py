"""What somebody does at the page, told in words that every browser understands."""

from collections.abc import Awaitable, Callable

from tests.model_server import Reply
from tests.other_browsers.window import Window
from tests.serving import Server
from tests.stories.scene import StoryModel, bash

ENTER = "\ue007"
PART = (
    "## Part {0}\n\nSome words with `code`, **bold** and a [link](https://example.com).\n\n"
    "1. one\n2. two\n   - nested\n\n```python\ndef f{0}():\n    return {0}\n```\n\n"
    "| a | b |\n|---|---|\n| {0} | x |\n\n> Quoted.\n\n"
)
LONG = "".join(PART.format(number) for number in range(12))
DONE = "All right, that is done."

UNTIL = """const [wanted, place, gone] = arguments;
const shown = () => [...document.querySelectorAll(place)].some((one) =>
  (one.getAttribute('aria-label') ?? one.textContent).includes(wanted));
for (const since = Date.now(); shown() === gone; await new Promise(requestAnimationFrame))
  if (Date.now() - since > 60_000) return document.body.innerText;
return '';"""
PRESS = """const [name] = arguments;
const named = (one) => (one.getAttribute('aria-label') ?? one.textContent).trim() === name;
[...document.querySelectorAll('button')].find(named).click();"""
SAME = """const [wanted] = arguments;
const there = () => document.querySelector('.entries').textContent;
for (const since = Date.now(); there() !== wanted; await new Promise(requestAnimationFrame))
  if (Date.now() - since > 60_000) return there();
return '';"""
SETTLED = """const there = () => document.querySelector('.entries').textContent;
let known = there();
for (let still = 0; still < 60; still += 1) {
  await new Promise(requestAnimationFrame);
  if (there() !== known) { known = there(); still = 0; }
}
return known;"""
LINE = """const scroller = document.querySelector('.conversation .scroller');
const { top } = scroller.getBoundingClientRect();
const line = [...scroller.querySelectorAll('.entries p, .entries li, .entries td, .bubble')]
  .find((one) => one.getBoundingClientRect().top > top + 200);
window.line = line;
return line.getBoundingClientRect().top;"""
MOVED = """const scroller = document.querySelector('.conversation .scroller');
const there = () => line.getBoundingClientRect().top;
let now = there();
for (let still = 0; still < 10; still += 1) {
  await new Promise(requestAnimationFrame);
  if (there() !== now) { now = there(); still = 0; }
}
return [now, scroller.scrollTop];"""
TURN = 120
"""What a wheel is turned by at a time, in pixels."""


class Visit:
    """One browser, one server, one model; every step says what it lacked."""

    def __init__(self, window: Window, server: Server, model: StoryModel) -> None:
        self._window = window
        self._server = server
        self._model = model

    async def a_command_is_approved_and_a_reload_shows_the_same(self) -> None:
        self._model.play(Reply(text=f"May I?\n\n{LONG}", calls=[bash("echo ran # please-ask")]))
        await self._window.go(f"{self._server.url}/#/new")
        await self._say("Please do")
        await self._sees("May this run?")
        await self._window.run(PRESS, "Approve")
        await self._sees(DONE)
        await self._sees("Idle", ".top .badge")
        live = await self._transcript()
        await self._window.go(await self._window.run("return location.href"))
        await self._sees(DONE)
        shown = await self._window.run(SAME, live)
        assert not shown, f"live it was:\n{live}\n\nand then:\n{shown}"

    async def what_is_said_while_the_server_is_down_is_sent_once_it_is_back(self) -> None:
        await self._server.kill9()
        await self._say("Are you there?")
        await self._sees("Will be sent when")
        await self._server.start()
        await self._sees("Will be sent when", gone=True)
        await self._sees("Idle", ".top .badge")
        count = (await self._transcript()).count("Are you there?")
        assert count == 1, f"it was sent {count} times"

    async def who_climbs_a_long_conversation_reads_on_without_a_jump(self) -> None:
        for number in range(6):
            self._model.play(Reply(text=f"{LONG}Answer {number}."))
            await self._say(f"Question {number}")
            await self._sees(f"Answer {number}.")
            await self._sees("Idle", ".top .badge")
        await self._window.go(await self._window.run("return location.href"))
        await self._sees("Answer 5.")
        for turned in range(400):
            before = await self._window.run(LINE)
            await self._window.wheel(-TURN)
            now, left = await self._window.run(MOVED)
            if not left:
                break
            jump = now - before - TURN
            assert abs(jump) <= 2, f"a line that was read jumped {jump:.0f} px after {turned} turns"
        assert turned > 50, f"it was only {turned} turns up"

    async def nothing_went_wrong_unseen(self) -> None:
        lost = ("can’t establish a connection", "was interrupted while")
        wrong = [one for one in await self._window.wrong() if not any(map(one.count, lost))]
        assert wrong == [], wrong

    @property
    def steps(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """In this order: each goes on where the one before ended."""
        return (
            self.a_command_is_approved_and_a_reload_shows_the_same,
            self.what_is_said_while_the_server_is_down_is_sent_once_it_is_back,
            self.who_climbs_a_long_conversation_reads_on_without_a_jump,
            self.nothing_went_wrong_unseen,
        )

    async def _say(self, text: str) -> None:
        await self._sees("Message", "textarea")
        await self._window.run("document.querySelector('textarea').focus()")
        await self._window.press(text + ENTER)

    async def _sees(self, text: str, place: str = "main", *, gone: bool = False) -> None:
        found = await self._window.run(UNTIL, text, place, gone)
        assert not found, f"{text!r} was {'still' if gone else 'not'} there:\n{found}"

    async def _transcript(self) -> str:
        """As it is when nothing has been drawn for a second."""
        whole: str = await self._window.run(SETTLED)
        return whole
