"""The words that submissions and events share: ids, closed sets of values, plain shapes."""

import re
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct

SubmissionId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
TurnId: TypeAlias = str
ItemId: TypeAlias = str
CallId: TypeAlias = str
JobId: TypeAlias = str
UserId: TypeAlias = str
JsonObject: TypeAlias = dict[str, Any]
"""A tool's arguments: the one dict that travels, because its shape belongs to the tool."""

MOORING: UserId = "mooring"
"""Who acted when no person did."""
MAX_TEXT = 100_000
"""Characters in one message; longer is refused `too_long`."""

MAX_ATTACHMENTS = 100
"""Files attached to one message; more are refused `malformed`."""

Delivery = Literal["queue", "steer"]
Ruling = Literal["approve", "reject"]
QueueFate = Literal["hold", "drop", "continue"]
Effect = Literal["read", "write", "execute", "spend", "publish"]
OutputStatus = Literal["ok", "error", "rejected", "cancelled", "unknown"]
EndStatus = Literal["completed", "interrupted", "failed", "limit"]
Purpose = Literal["main", "compaction", "research", "title"]
JobStatus = Literal["ok", "error", "cancelled", "unknown"]
PlanStatus = Literal["pending", "in_progress", "completed"]


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


class Decision(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One ruling; `arguments` replaces the call's arguments whole."""

    call: CallId
    decision: Ruling
    feedback: str | None = None
    arguments: JsonObject | None = None
    remember: Literal["session"] | None = None


class Event(Struct, frozen=True, tag=snake, tag_field="type", omit_defaults=True):
    """Something that happened and is in the log for good; fields at their default are left out."""
