"""The background jobs of a session, folded: what calls have left behind, and what became of it."""

from msgspec import Struct, field

from agent.protocol import JobEnded, JobId, JobStarted


class Job(Struct):
    """Work that goes on outside of every turn, until its end is known."""

    started: JobStarted
    end: JobEnded | None = None


class Jobs(Struct):
    known: dict[JobId, Job] = field(default_factory=dict)

    @property
    def open(self) -> tuple[Job, ...]:
        return tuple(job for job in self.known.values() if job.end is None)

    @property
    def ended(self) -> tuple[Job, ...]:
        return tuple(job for job in self.known.values() if job.end is not None)

    def take(self, event: JobStarted | JobEnded) -> None:
        if isinstance(event, JobStarted):
            self.known[event.job] = Job(event)
        else:
            self.known[event.job].end = event
