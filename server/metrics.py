"""Metrics for Prometheus, read when they are asked for."""

import asyncio
from weakref import WeakSet

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from server.memory import resident_mib
from server.sessions.fleet import Fleet
from server.sessions.manager import SessionManager
from server.store.port import Store

_TASKS = next(
    (
        known
        for name in ("_all_tasks", "_scheduled_tasks")
        if isinstance(known := getattr(asyncio.tasks, name, None), WeakSet)
    ),
    None,
)
"""Where asyncio keeps them, those that ended as well, as long as somebody holds them."""
FEW_TASKS = 1_000
"""So many are looked at one by one; for 20,000 that takes 14 ms, in which nobody is served."""


async def text(sessions: SessionManager, fleet: Fleet, store: Store) -> bytes:
    """The exposition format; the process' own figures are `mooring_*` as well."""
    cost, rate = fleet.cost_today(None), fleet.tokens_per_second(None)
    turns, failed = fleet.per_minute(None)
    figures = {
        "mooring_sessions_live": ("Sessions whose agent is in memory.", sessions.live_of(None)),
        "mooring_sessions_stored": ("Stored sessions not ended.", await store.count(None)),
        "mooring_sessions_running": ("Running turns.", await store.count(None, "running")),
        "mooring_sessions_awaiting_approval": (
            "Sessions that wait for a person.",
            await store.count(None, "awaiting_approval"),
        ),
        "mooring_turns_waiting": ("Turns that wait for a slot.", sessions.slots.waiting),
        "mooring_viewers": ("Open session sockets.", sessions.viewers_of(None)),
        "mooring_tokens_per_second": ("Tokens streamed, all sessions.", rate),
        "mooring_turns_ended_last_minute": ("Turns that ended.", turns),
        "mooring_turns_failed_last_minute": ("Turns that failed.", failed),
        "mooring_tasks": ("Tasks of the event loop.", tasks()),
        "mooring_loop_lag_seconds": ("How late the loop was.", fleet.loop_lag_ms / 1000),
        "mooring_resident_memory_bytes": ("Memory in use.", resident_mib() * 1024 * 1024),
    }
    registry = CollectorRegistry()
    for name, (says, value) in figures.items():
        Gauge(name, says, registry=registry).set(value)
    if cost is not None:
        says = "Dollars spent on models today, where every price is known."
        Gauge("mooring_cost_today_usd", says, registry=registry).set(cost)
    return generate_latest(registry)


def tasks(known: WeakSet[asyncio.Task[object]] | None = _TASKS) -> int:
    """Tasks of the event loop: of many, with those that ended and that somebody still holds."""
    if known is None or len(known) <= FEW_TASKS:
        return len(asyncio.all_tasks())
    return len(known)
