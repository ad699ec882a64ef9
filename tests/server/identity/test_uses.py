"""When something was last used: written now and then, and never waited for."""

from server.identity.uses import PAUSE_SECONDS, Uses


class Book:
    def __init__(self) -> None:
        self.written: list[tuple[str, dict[str, str]]] = []

    async def used(self, kind: str, uses: dict[str, str]) -> None:
        self.written.append((kind, uses))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now

    def timestamp(self) -> str:
        return f"at {self.now:g}"


async def test_the_first_use_is_written_soon_and_the_next_after_a_minute() -> None:
    book, clock = Book(), Clock()
    uses = Uses(book, "token", timestamp=clock.timestamp, clock=clock)
    await uses.write()
    assert book.written == []
    for clock.now in (0, 0.5, PAUSE_SECONDS - 0.001):
        uses.note("a")
        await uses.write()
    assert book.written == [("token", {"a": "at 0"})]
    clock.now = PAUSE_SECONDS
    uses.note("a")
    uses.note("b")
    await uses.write()
    assert book.written[1:] == [("token", {"a": "at 60", "b": "at 60"})]
