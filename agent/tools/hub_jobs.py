"""The hf_jobs tool: work on the Hub's hardware, started, watched and stopped as the user."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Literal

import aiohttp
from msgspec import Meta, Struct

from agent.errors import Problem
from agent.protocol import Effect
from agent.tools.asked import needed
from agent.tools.hub_client import Hub
from agent.tools.hub_failures import late, patiently, refused, token_needed
from agent.tools.job_log import JobLog
from agent.tools.job_prices import Prices, seconds_of
from agent.tools.job_specs import Spec, spec_of
from agent.tools.job_watch import look
from agent.tools.port import Call, Keys, Launched, Outcome, Stakes
from agent.tools.scheduled_jobs import SCHEDULED, change_schedule, look_at_schedules, schedule

if TYPE_CHECKING:
    from agent.tools.hub_client import Api

MARK = "mooring-call"
"""The label of a job that names the call which started it."""
MOST = 30
QUIET = 3.0
"""Seconds without a line after which a log that goes on is shown as far as it is."""
_Text = Annotated[str, Meta(max_length=20_000)]
_Name = Annotated[str, Meta(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")]
_Title = Annotated[str, Meta(max_length=80)]
_Secret = Annotated[str, Meta(max_length=64, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_Schedule = Annotated[str, Meta(max_length=100)]
_Script = Annotated[str, Meta(max_length=90_000)]
UNSURE = ("hub_timed_out", "hub_unreachable", "hub_failed", "hub_stopped")


class JobsArguments(Struct, frozen=True, forbid_unknown_fields=True):
    operation: Literal[
        "run",
        "uv",
        "ps",
        "logs",
        "inspect",
        "cancel",
        "schedule",
        "scheduled_ps",
        "scheduled_inspect",
        "scheduled_delete",
        "scheduled_suspend",
        "scheduled_resume",
    ]
    script: Annotated[
        _Script | None,
        Meta(description="Of uv and schedule: the Python code itself, so that the user sees it."),
    ] = None
    command: Annotated[
        tuple[_Text, ...] | None,
        Meta(description="Of run and schedule: program and arguments; no shell reads them."),
    ] = None
    dependencies: Annotated[
        tuple[_Text, ...], Meta(description="Packages that the script needs.")
    ] = ()
    title: Annotated[_Title | None, Meta(description="What the job is for.")] = None
    image: Annotated[_Text | None, Meta(description="Docker image, or a Space's address.")] = None
    hardware: _Name = "cpu-basic"
    timeout: Annotated[str, Meta(max_length=20, description="Such as 90s, 30m, 2h.")] = "30m"
    env: Annotated[dict[str, str] | None, Meta(description="Never for secrets.")] = None
    secrets: Annotated[
        Annotated[tuple[_Secret, ...], Meta(max_length=20)],
        Meta(
            description="Names of secrets of the user that the job is given as variables, as the"
            " user then consents to: HF_TOKEN, or others that they keep."
        ),
    ] = ()
    namespace: Annotated[
        _Name | None, Meta(description="Who pays: the user by default, or an organisation.")
    ] = None
    job_id: _Name | None = None
    schedule: Annotated[
        _Schedule | None, Meta(description="@hourly, @daily, ... or five cron fields.")
    ] = None
    lines: Annotated[int, Meta(ge=1, le=2_000, description="Of logs: how many at the end.")] = 200


class Jobs:
    name = "hf_jobs"
    description = (
        "Jobs on the hardware of the Hugging Face Hub, as the user, at their cost. run starts a"
        " command, uv a Python script; both return at once: the job goes on in the background, the"
        " user sees its log, and you are told when it has ended. Do not wait or poll: end your turn"
        " or do something else. The job's disk is lost at its end: have it push its results to the"
        " Hub (secrets: HF_TOKEN). The time-out kills it: choose it generously. cancel stops a job."
        " When a call of run or uv was cut short, look with ps before you start it again. Test"
        " small and cheap before large. Jobs that schedule starts are not reported to you."
    )
    effect: Effect = "spend"
    arguments: type[Struct] = JobsArguments

    def __init__(self, hub: Hub, log: JobLog, prices: Prices, *, quiet: float = QUIET) -> None:
        self._hub = hub
        self._log = log
        self._prices = prices
        self._quiet = quiet

    def stakes(self, arguments: Any) -> Stakes:
        """A schedule has no price: nobody knows how often it will run."""
        asked: JobsArguments = arguments
        match asked.operation:
            case "run" | "uv":
                try:
                    return Stakes("spend", self._price(asked))
                except Problem:
                    return Stakes("spend")
            case "schedule" | "scheduled_resume":
                return Stakes("spend")
            case "scheduled_delete" | "scheduled_suspend":
                return Stakes("publish")
            case "cancel":
                return Stakes("execute")
            case _:
                return Stakes("read")

    async def learn(self, keys: Keys) -> None:
        await self._prices.refresh(keys)

    async def run(self, arguments: Any, call: Call) -> Outcome:
        asked: JobsArguments = arguments
        needed(asked, *_NEEDS.get(asked.operation, ()))
        token_needed(call.keys)
        await self._prices.refresh(call.keys)
        match asked.operation:
            case "run" | "uv":
                return await self._start(asked, call)
            case "logs":
                return await self._logs(asked, call)
            case "ps" | "inspect" | "scheduled_ps" | "scheduled_inspect":
                told = await patiently(
                    lambda: self._hub.ask(call.keys, lambda api: _look(api, asked)), call.show
                )
                return Outcome("ok", told)
            case _:
                return Outcome(
                    "ok", await self._hub.ask(call.keys, lambda a: _change(a, asked, call))
                )

    def _price(self, asked: JobsArguments) -> float | None:
        return self._prices.cost(asked.hardware, seconds_of(asked.timeout))

    async def _start(self, asked: JobsArguments, call: Call) -> Outcome:
        """Never tried twice: whether a try that failed has started a job is known to the Hub."""
        spec = spec_of(asked, call.keys)
        seconds_of(asked.timeout)
        label = f"{MARK}={call.id}"
        call.show(f"Starting the job with the label {label}.\n")
        try:
            job = await self._hub.ask(call.keys, lambda api: _launch(api, asked, spec, call.id))
        except Problem as problem:
            if problem.code not in UNSURE:
                raise
            says = f"Nobody knows whether the job was started. Look with ps for the label {label}"
            raise Problem(problem.code, f"{problem.message} {says} first.") from None
        price = self._price(asked)
        left = Launched(job.id, spec.title, job.url, asked.hardware, price)
        most = "at a price that nobody knows" if price is None else f"for ${price:.2f} at most"
        said = (
            f"Started the job {job.id} on {asked.hardware}, {most}: {job.url}\n"
            "It goes on in the background. You will be told when it has ended."
        )
        return Outcome("ok", said, job=left)

    async def _logs(self, asked: JobsArguments, call: Call) -> Outcome:
        job = await self._hub.ask(call.keys, lambda api: _whole(api, asked))
        try:
            lines = await self._log.recent(job, call.keys, lines=asked.lines, quiet=self._quiet)
        except aiohttp.ClientResponseError as error:
            after = error.headers.get("Retry-After") if error.headers else None
            raise refused(error.status, None, None, after, known=True) from None
        except TimeoutError:
            raise late(self._log.patience) from None
        except (aiohttp.ClientError, OSError):
            raise Problem("hub_unreachable", "The log broke off. Try again later.") from None
        return Outcome("ok", "\n".join(lines) or "It has printed nothing yet.")


_NEEDS = {
    "run": ("command",),
    "uv": ("script",),
    "logs": ("job_id",),
    "inspect": ("job_id",),
    "cancel": ("job_id",),
    "schedule": ("schedule",),
    "scheduled_inspect": ("job_id",),
    "scheduled_delete": ("job_id",),
    "scheduled_suspend": ("job_id",),
    "scheduled_resume": ("job_id",),
}


class _Begun(Struct, frozen=True):
    id: str
    url: str


def _launch(api: "Api", asked: JobsArguments, spec: Spec, call: str) -> _Begun:
    namespace = _payer(api, asked)
    job = api.run_job(
        image=spec.image,
        command=list(spec.command),
        env=dict(spec.env),
        secrets=dict(spec.secrets) or None,
        flavor=asked.hardware,
        timeout=asked.timeout,
        labels={"name": spec.name, MARK: call},
        namespace=namespace,
    )
    return _Begun(f"{namespace}/{job.id}", job.url)


def _payer(api: "Api", asked: JobsArguments) -> str:
    return asked.namespace or str(api.whoami()["name"])


def _whole(api: "Api", asked: JobsArguments) -> str:
    """The job with its namespace, which its name may hold."""
    id = asked.job_id or ""
    return id if "/" in id else f"{_payer(api, asked)}/{id}"


def _look(api: "Api", asked: JobsArguments) -> str:
    if asked.operation in SCHEDULED:
        return look_at_schedules(api, _payer(api, asked), asked.job_id)
    if asked.operation == "inspect":
        return _inspected(api, _whole(api, asked))
    return _listed(api, _payer(api, asked))


def _listed(api: "Api", namespace: str) -> str:
    lines = [
        f"- {namespace}/{job.id} {job.status.stage.lower()}, {job.flavor},"
        f" made {job.created_at:%Y-%m-%d %H:%M}{_labels(job.labels)}"
        for job in islice(api.list_jobs(namespace=namespace), MOST)
    ]
    return "\n".join(lines) or f"{namespace} has no jobs."


def _inspected(api: "Api", job: str) -> str:
    seen = look(api, job)
    says = f"\nThe Hub says: {seen.message}" if seen.message else ""
    return f"{job} {seen.stage.lower()}, {seen.hardware}, ran {seen.seconds:g} s: {seen.url}{says}"


def _labels(labels: dict[str, str] | None) -> str:
    found = ", ".join(f"{name}={value}" for name, value in sorted((labels or {}).items()))
    return f" ({found})" if found else ""


def _change(api: "Api", asked: JobsArguments, call: Call) -> str:
    if asked.operation == "cancel":
        namespace, _, id = _whole(api, asked).rpartition("/")
        api.cancel_job(job_id=id, namespace=namespace)
        return f"Asked the Hub to stop {namespace}/{id}. You will be told when it has ended."
    namespace = _payer(api, asked)
    if asked.operation != "schedule":
        return change_schedule(api, namespace, asked.operation, asked.job_id or "")
    spec = spec_of(asked, call.keys)
    return schedule(api, namespace, spec, asked.schedule or "", asked.hardware, asked.timeout)
