"""Whether the server can do its job yet, and what is missing."""

from msgspec import Struct


class Report(Struct, frozen=True):
    """`reasons` keep it from being ready; `warnings` cost a feature."""

    ready: bool
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]


class Readiness:
    """Starts not ready, with one reason for each thing that is still to be done."""

    def __init__(self, *reasons: str) -> None:
        self._reasons = dict.fromkeys(reasons)
        self._warnings: dict[str, None] = {}

    def done(self, reason: str) -> None:
        self._reasons.pop(reason, None)

    def failed(self, reason: str, why: str) -> None:
        """What was to be done cannot be: the reason says why."""
        self._reasons.pop(reason, None)
        self._reasons[f"{reason}: {why}"] = None

    def warn(self, warning: str) -> None:
        self._warnings[warning] = None

    @property
    def report(self) -> Report:
        return Report(not self._reasons, tuple(self._reasons), tuple(self._warnings))
