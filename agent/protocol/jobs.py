"""What a session reports of background jobs: work that goes on when its call has ended."""

from agent.protocol.words import CallId, Event, JobId, JobStatus, TurnId


class JobStarted(Event, frozen=True):
    """A call left work behind that goes on elsewhere, at a price or at one that nobody knows."""

    turn: TurnId
    call: CallId
    job: JobId
    title: str
    url: str | None = None
    hardware: str | None = None
    estimated_cost_usd: float | None = None


class JobEnded(Event, frozen=True):
    """May come at any time, also between turns; `output` is the end of what the job printed."""

    job: JobId
    status: JobStatus
    output: str
    seconds: float
    cost_usd: float | None = None
    url: str | None = None
