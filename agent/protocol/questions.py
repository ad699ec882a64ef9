"""What a server of tools asks of a person while its call runs, and what they answer."""

from typing import Literal, TypeAlias

from msgspec import Struct

from agent.protocol.words import CallId, Event, JsonObject, SubmissionId, TurnId, UserId

QuestionId: TypeAlias = str
FieldKind = Literal["string", "number", "integer", "boolean", "choice", "choices"]
Format = Literal["email", "uri", "date", "date-time"]
Action = Literal["accept", "decline", "cancel"]


class Choice(Struct, frozen=True, omit_defaults=True):
    """One value that may be chosen, and what it is called."""

    value: str
    title: str | None = None


class Field(Struct, frozen=True, omit_defaults=True):
    """One thing to fill in. `least` and `most` bound a number, the length of a string, or how many
    of the `choices` are taken."""

    name: str
    kind: FieldKind
    required: bool = False
    title: str | None = None
    description: str | None = None
    format: Format | None = None
    least: float | None = None
    most: float | None = None
    choices: tuple[Choice, ...] = ()
    default: str | int | float | bool | tuple[str, ...] | None = None


class QuestionAsked(Event, frozen=True):
    """Either `fields` to fill in, or a page at `url` (of `host`) to open; `call` waits for it."""

    turn: TurnId
    call: CallId
    question: QuestionId
    server: str
    message: str
    fields: tuple[Field, ...] = ()
    url: str | None = None
    host: str | None = None


class QuestionAnswered(Event, frozen=True):
    """What the server is told; no `submission`: nobody answered, and it was taken back."""

    turn: TurnId
    call: CallId
    question: QuestionId
    action: Action
    by: UserId
    submission: SubmissionId | None = None
    content: JsonObject | None = None
