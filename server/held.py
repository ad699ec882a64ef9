"""Something held while inside, at the price of one small object: there may be ten thousand."""

from collections.abc import Callable
from types import TracebackType


class Held:
    """Lets go of `what` when left. A generator in its place would weigh thirty times as much, and
    a `partial` twice."""

    __slots__ = ("_let_go", "_what")

    def __init__(self, let_go: Callable[..., None], *what: object) -> None:
        self._let_go = let_go
        self._what = what

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._let_go(*self._what)
