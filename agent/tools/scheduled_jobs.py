"""Jobs of the Hub that start by the clock: made, listed, paused, deleted."""

from itertools import islice
from typing import TYPE_CHECKING, Any

from agent.tools.job_specs import Spec

if TYPE_CHECKING:
    from agent.tools.hub_client import Api

SCHEDULED = ("scheduled_ps", "scheduled_inspect")
MOST = 30


def schedule(api: "Api", namespace: str, spec: Spec, when: str, hardware: str, timeout: str) -> str:
    made = api.create_scheduled_job(
        image=spec.image,
        command=list(spec.command),
        schedule=when,
        env=dict(spec.env),
        secrets=dict(spec.secrets) or None,
        flavor=hardware,
        timeout=timeout,
        labels={"name": spec.name},
        namespace=namespace,
    )
    return f"Scheduled {_told(namespace, made)}. Each run costs; scheduled_delete ends it."


def look_at_schedules(api: "Api", namespace: str, job: str | None) -> str:
    """One of them, or all."""
    if job is not None:
        owner, id = _parts(namespace, job)
        return _told(owner, api.inspect_scheduled_job(scheduled_job_id=id, namespace=owner))
    found = islice(api.list_scheduled_jobs(namespace=namespace), MOST)
    return "\n".join(f"- {_told(namespace, one)}" for one in found) or (
        f"{namespace} has no scheduled jobs."
    )


def change_schedule(api: "Api", namespace: str, operation: str, job: str) -> str:
    owner, id = _parts(namespace, job)
    match operation:
        case "scheduled_delete":
            api.delete_scheduled_job(scheduled_job_id=id, namespace=owner)
            return f"Deleted the schedule {owner}/{id}. A job that it has started goes on."
        case "scheduled_suspend":
            api.suspend_scheduled_job(scheduled_job_id=id, namespace=owner)
            return f"Suspended the schedule {owner}/{id}."
        case _:
            api.resume_scheduled_job(scheduled_job_id=id, namespace=owner)
            return f"The schedule {owner}/{id} goes on."


def _parts(namespace: str, job: str) -> tuple[str, str]:
    owner, _, id = job.rpartition("/")
    return owner or namespace, id


def _told(namespace: str, one: Any) -> str:
    spec, status = one.job_spec, one.status
    name = (spec.labels or {}).get("name", "")
    told = f"{namespace}/{one.id} {one.schedule} on {spec.flavor}{f' ({name})' if name else ''}"
    if one.suspend:
        return f"{told}, suspended"
    following = status.next_job_run_at if status else None
    return f"{told}, next at {following:%Y-%m-%d %H:%M}" if following else told
