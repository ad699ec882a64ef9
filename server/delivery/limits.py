"""How much delivery may hold, and how long it waits."""

from msgspec import Struct


class DeliveryLimits(Struct, frozen=True):
    """Times are in seconds, sizes in bytes, texts in code points."""

    flush: float = 0.016
    """The least time between two flushes of one session."""
    slice: int = 200
    """Viewers written to before other work gets its turn."""
    gate: int = 64 * 1024
    """A viewer whose transport holds this much is not written to."""
    step: int = 64 * 1024
    """What is written to one viewer in one go, give or take a frame."""
    stalled: float = 10.0
    """A gated viewer that takes nearly nothing for so long is told 4408."""
    trickle: int = 16 * 1024
    """What it must take in that time to count as reading."""
    parting: float = 30.0
    """How long a viewer that was told to go may take to read why."""
    heartbeat: float = 20.0
    status: float = 0.5
    """The least time between changes of the status that can wait."""
    ring: int = 512 * 1024
    """Durable events kept in memory for a session."""
    replay: int = 2 * 1024 * 1024
    """A viewer that missed more is given the log's tail."""
    replay_events: int = 5_000
    page: int = 128 * 1024
    """What is read from the store at a time."""
    page_events: int = 1_000
    text: int = 4 * 1024 * 1024
    """An open text; what a model writes beyond it is shown when it is finished."""
    tool_log: int = 256 * 1024
    """The end of a running tool's output."""
    closing: int = 4 * 1024 * 1024
    """Closed texts kept for viewers that have not got them to the end."""
    outbox: int = 16 * 1024
    """Answers that wait for one client; beyond it the client is not read."""
    send_buffer: int = 128 * 1024
    """The kernel's share for one viewer, lest it hide megabytes of lag."""
