"""What is told of one HTTP call: what it takes, what it answers, what it refuses."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from agent.protocol import JsonObject

Content: TypeAlias = type[Struct] | Sequence[str] | None
"""A Struct is JSON; words are media types; None is no body."""


class Parameter(Struct, frozen=True):
    """`within`: path, query or header."""

    name: str
    schema: JsonObject
    does: str
    within: str = "query"


class Call(Struct, frozen=True):
    """`refuses` holds statuses with their codes, beside those that every call of its kind has.

    `submits`: it takes a client's frame and answers as the socket does.
    """

    method: str
    path: str
    does: str
    answers: Mapping[int, Content]
    takes: Content = None
    asks: Sequence[Parameter] = ()
    refuses: Sequence[str] = ()
    submits: bool = False

    @property
    def is_open(self) -> bool:
        """Nobody has to say who they are."""
        return not self.path.startswith("/api/")

    @property
    def of_a_session(self) -> bool:
        return self.path.startswith("/api/sessions/{id}")
