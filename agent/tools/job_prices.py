"""What an hour of the Hub's hardware costs: as the Hub says, or as it was when this was written."""

import re
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from agent.errors import Problem
from agent.tools.hub_client import Hub
from agent.tools.port import Keys

if TYPE_CHECKING:
    from agent.tools.hub_client import Api

WRITTEN: Mapping[str, float] = {
    "cpu-basic": 0.01,
    "cpu-upgrade": 0.03,
    "t4-small": 0.40,
    "t4-medium": 0.60,
    "l4x1": 0.80,
    "l4x4": 3.80,
    "l40sx1": 1.80,
    "l40sx4": 8.30,
    "l40sx8": 23.50,
    "a10g-small": 1.00,
    "a10g-large": 1.50,
    "a10g-largex2": 3.00,
    "a10g-largex4": 5.00,
    "a100-large": 2.50,
    "a100x4": 10.00,
    "a100x8": 20.00,
    "h200": 5.00,
    "h200x2": 10.00,
    "h200x4": 20.00,
    "h200x8": 40.00,
}
"""Dollars; hardware that is not here has no price until the Hub has named one."""
FRESH, SOON = 6 * 3600.0, 60.0
"""Seconds until it is asked again after it has told its prices, or has not."""
PATIENT = 10.0
"""Seconds that somebody waits at most for a price, before they are asked whether to pay it."""
_PER_HOUR = {"second": 3600, "minute": 60, "hour": 1}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds_of(span: str) -> float:
    """`30m` -> 1800; seconds where no unit is named. Raises Problem `bad_arguments`."""
    found = _SPAN.fullmatch(span.strip())
    if found is None:
        raise Problem("bad_arguments", f"`timeout`: {span!r} is no time such as 90s, 30m, 2h, 1d.")
    return float(found[1]) * _SECONDS[found[2]]


class Prices:
    """Shared by all: prices are the same for everybody."""

    def __init__(self, hub: Hub, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._hub = hub
        self._clock = clock
        self._told: Mapping[str, float] = {}
        self._due = float("-inf")

    def cost(self, hardware: str, seconds: float) -> float | None:
        """Dollars; None where no price is known."""
        hourly = (self._told or WRITTEN).get(hardware)
        return None if hourly is None else round(hourly * seconds / 3600, 4)

    async def refresh(self, keys: Keys) -> None:
        """Ask the Hub, not too often; where it does not tell, what was known stays."""
        if self._clock() < self._due:
            return
        self._due = self._clock() + FRESH  # also for those who come while it is asked
        try:
            self._told = await self._hub.ask(keys, _hourly, seconds=PATIENT)
        except Problem:
            self._due = self._clock() + SOON


def _hourly(api: "Api") -> Mapping[str, float]:
    known = (
        (h.name, h.unit_cost_usd, _PER_HOUR.get(h.unit_label)) for h in api.list_jobs_hardware()
    )
    return {name: cost * units for name, cost, units in known if units is not None}
