"""How long a stream may last and be silent: one timer for all its reads."""

import asyncio
from collections.abc import Callable


class Patience:
    """`give_up` is called once: after `silence` seconds without `heard`, or at `deadline`, in
    seconds of the loop."""

    def __init__(self, silence: float, deadline: float, give_up: Callable[[], None]) -> None:
        self.ran_out = False
        self._silence = silence
        self._deadline = deadline
        self._give_up = give_up
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self._timer = self._loop.call_at(self._due, self._look)

    def heard(self) -> None:
        self._last = self._loop.time()

    def end(self) -> None:
        self._timer.cancel()

    @property
    def _due(self) -> float:
        return min(self._last + self._silence, self._deadline)

    def _look(self) -> None:
        if self._loop.time() < self._due:
            self._timer = self._loop.call_at(self._due, self._look)
        else:
            self.ran_out = True
            self._give_up()
