"""Regular expressions of rules, tried for a bounded time on what a model wrote."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

import regex

SECONDS = 0.05
"""How long one pattern may take over one text; nothing else of this server moves meanwhile."""
MOST_REMEMBERED = 64


class BadPattern(ValueError):
    """It is no regular expression."""


class Finder(Protocol):
    def __call__(self, text: str, seconds: float) -> bool:
        """Raises TimeoutError."""
        ...


class Pattern:
    """`found` is None where that cannot be told in time, and stays so: the same call is judged
    alike each time it is looked at."""

    def __init__(self, source: str, compiled: Callable[[str], Finder] | None = None) -> None:
        self._find = (compiled or _compiled)(source)
        self._undecided: OrderedDict[str, None] = OrderedDict()

    def found(self, text: str) -> bool | None:
        if text in self._undecided:
            return None
        try:
            return self._find(text, SECONDS)
        except TimeoutError:
            self._undecided[text] = None
            if len(self._undecided) > MOST_REMEMBERED:
                self._undecided.popitem(last=False)
            return None


def _compiled(source: str) -> Finder:
    try:
        # The same dialect as `re`, with a time limit, which that has not.
        compiled = regex.compile(source, regex.VERSION0)
    except (regex.error, OverflowError, RecursionError) as error:
        raise BadPattern(str(error)) from None

    def find(text: str, seconds: float) -> bool:
        return compiled.search(text, timeout=seconds) is not None

    return find
