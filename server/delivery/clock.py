"""The clock that delivery goes by; an asyncio event loop is one."""

from collections.abc import Callable
from typing import Any, Protocol


class Handle(Protocol):
    """A call that was put off and can be called off."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Seconds that only go forward, and calls put off."""

    def time(self) -> float: ...
    def call_soon(self, callback: Callable[..., object], /, *args: Any) -> Handle: ...
    def call_at(self, when: float, callback: Callable[..., object], /, *args: Any) -> Handle: ...
