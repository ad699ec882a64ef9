"""What a client may ask of a session."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from agent.protocol.questions import Action, QuestionId
from agent.protocol.words import (
    Decision,
    Delivery,
    JsonObject,
    QueueFate,
    SubmissionId,
    TurnId,
    snake,
)


class Submission(Struct, frozen=True, tag=snake, tag_field="type", forbid_unknown_fields=True):
    """What a client asks of a session; the class name is its name on the wire.

    The id is the client's, unique in the session and reused when the same thing is sent again.
    """

    id: SubmissionId


class UserInput(Submission, frozen=True):
    text: str
    delivery: Delivery = "queue"
    attachments: tuple[str, ...] = ()


class Approval(Submission, frozen=True):
    """Rule on calls the agent asked about; a call not named stays open."""

    decisions: Annotated[tuple[Decision, ...], Meta(min_length=1)]


class Answer(Submission, frozen=True):
    """Say something to a question of a server of tools; `content` goes with `accept`."""

    question: QuestionId
    action: Action
    content: JsonObject | None = None


class Interrupt(Submission, frozen=True):
    turn: TurnId | None = None
    queue: QueueFate = "hold"


class Resume(Submission, frozen=True): ...


class Withdraw(Submission, frozen=True):
    submission: SubmissionId


class Undo(Submission, frozen=True): ...


class Retry(Submission, frozen=True): ...


class Compact(Submission, frozen=True): ...


class SetModel(Submission, frozen=True):
    model: Annotated[str, Meta(min_length=1, max_length=200)]


class SetAutoApproval(Submission, frozen=True):
    enabled: bool
    cost_cap_usd: Annotated[float, Meta(ge=0)] | None = None


class Shutdown(Submission, frozen=True): ...


class Ping(Submission, frozen=True): ...


AnySubmission = (
    UserInput
    | Approval
    | Answer
    | Interrupt
    | Resume
    | Withdraw
    | Undo
    | Retry
    | Compact
    | SetModel
    | SetAutoApproval
    | Shutdown
    | Ping
)

decode_submission = msgspec.json.Decoder(AnySubmission).decode
"""Bytes or text of one client frame -> submission; raises msgspec.DecodeError naming the field."""
