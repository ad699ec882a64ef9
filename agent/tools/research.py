"""The research tool: a question is given to a helper that reads much and tells what it found."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from agent.protocol import Effect
from agent.tools.port import Assignment, Call, Outcome

NOT_FOR_A_HELPER = frozenset({"plan", "research"})
"""Tools of the agent itself: the plan is the user's, and a helper has no helpers."""


class ResearchSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How far one research may go; a configuration object. Without `model` it asks the session's.

    Near `max_context` tokens, or after `max_iterations` model calls, it has to conclude.
    """

    model: Annotated[str, Meta(min_length=1)] | None = None
    max_iterations: Annotated[int, Meta(ge=1)] = 60
    max_context: Annotated[int, Meta(ge=1000)] = 190_000


class ResearchArguments(Struct, frozen=True, forbid_unknown_fields=True):
    task: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=20_000,
            description="What to find out, and in which form you need the answer.",
        ),
    ]
    context: Annotated[
        str,
        Meta(
            max_length=50_000,
            description="What is known already. The helper sees nothing of this conversation.",
        ),
    ] = ""


class Research:
    name = "research"
    description = (
        "Give a question to a helper that searches and reads on its own (papers, documentation,"
        " code, datasets, the web, files of the workspace) and answers with what it found, so that"
        " your own context stays free. It changes nothing and asks nobody. Give it one question"
        " with all it has to know; ask several questions side by side as several calls."
    )
    effect: Effect = "read"
    arguments: type[Struct] = ResearchArguments

    async def run(self, arguments: Any, call: Call) -> Outcome:
        asked: ResearchArguments = arguments
        return await call.study(Assignment(asked.task, asked.context), call.show)
