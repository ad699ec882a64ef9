"""Server CPU per delivery by the number of viewers, next to other ways of sending the same bytes.

The Broadcaster, its flusher and the sockets are the server's own, in a process without model, log
and store: those are measured by `chunks`, and here they would hide what a delivery costs.
"""

import sys
from asyncio.subprocess import PIPE, create_subprocess_exec

import msgspec

from tests.benchmarks.fanout_server import Cost
from tests.benchmarks.growth import growth
from tests.benchmarks.machine import server_core
from tests.benchmarks.processes import ROOT
from tests.benchmarks.table import Figure

VIEWERS = (1, 10, 100, 1_000)
LEAST_SHARES = {100: 70.0, 1_000: 65.0}
LEAST_GAIN = 1.6
LEAST_GAIN_OF_TEN = 6.0


async def measure() -> list[Figure]:
    costs = {viewers: await _cost(viewers) for viewers in VIEWERS}
    figures: list[Figure] = []
    for viewers, cost in costs.items():
        figures += _figures(viewers, cost)
    whole = {viewers: viewers * cost.ours for viewers, cost in costs.items() if viewers > 1}
    figures.append(growth("an event's cost with the viewers", whole))
    return figures


async def _cost(viewers: int) -> Cost:
    with server_core():
        process = await create_subprocess_exec(
            *(sys.executable, "-m", "tests.benchmarks.fanout_server", "--viewers", str(viewers)),
            cwd=ROOT,
            stdout=PIPE,
        )
    told, _ = await process.communicate()
    return msgspec.json.decode(told, type=Cost)


def _figures(viewers: int, cost: Cost) -> list[Figure]:
    named = f"fan-out to {viewers:,}"
    rows = [
        Figure(
            f"{named}: CPU per delivery", cost.ours, "µs", reference=cost.raw, of=cost.reference
        ),
        Figure(f"{named}: send_str in a loop", cost.send_str, "µs", reference=cost.ours, of="ours"),
        Figure(f"{named}: queue and task each", cost.queues, "µs", reference=cost.ours, of="ours"),
        Figure(
            f"{named}, ten a write: CPU per delivery",
            cost.ours_ten,
            "µs",
            reference=cost.raw_ten,
            of=cost.reference,
        ),
        Figure(
            f"{named}, ten a write: send_str in a loop",
            cost.send_str_ten,
            "µs",
            reference=cost.ours_ten,
            of="ours",
        ),
        Figure(
            f"{named}, ten a write: queue and task each",
            cost.queues_ten,
            "µs",
            reference=cost.ours_ten,
            of="ours",
        ),
    ]
    if viewers in LEAST_SHARES:
        share, least = cost.raw / cost.ours * 100, LEAST_SHARES[viewers]
        gain = cost.queues / cost.ours
        of_ten = cost.ours / cost.ours_ten
        rows += [
            Figure(f"{named}: share of the raw limit", share, "%", least, better="higher"),
            Figure(f"{named}: gain over queue and task", gain, "×", LEAST_GAIN, better="higher"),
            Figure(
                f"{named}: gain of ten a write", of_ten, "×", LEAST_GAIN_OF_TEN, better="higher"
            ),
        ]
    return rows
