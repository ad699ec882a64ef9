"""What a session works with: models, tools, a workspace, rules, and the limits it keeps to."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from msgspec import Struct

from agent.approval import Rules
from agent.budget import Allowance
from agent.edges import NewId
from agent.models.port import Model
from agent.models.retry import Retries
from agent.redaction import Redactor
from agent.sandbox.port import Workspace
from agent.tools.port import Keys, NoKeys
from agent.tools.research import ResearchSettings
from agent.tools.toolbox import Toolbox


class Models(Protocol):
    """The models there are, by the id that users choose them by."""

    def knows(self, model: str) -> bool: ...

    def context(self, model: str) -> int:
        """The size of its context window in tokens."""
        ...

    def adapter(self, model: str) -> Model:
        """Raises ModelError `model_not_found` where there is none."""
        ...


Admission = Callable[[Callable[[], None]], AbstractAsyncContextManager[None]]
"""Entered while a turn runs. Calls its argument when the turn has to wait for its slot."""


class Means(Struct, frozen=True):
    """Everything is given: clocks, sleep and ids too, so that tests need to patch nothing."""

    models: Models
    toolbox: Toolbox
    workspace: Workspace
    rules: Rules
    system_prompt: str
    retries: Retries
    allowance: Allowance
    queue_limit: int
    new_id: NewId
    admission: Admission
    sleep: Callable[[float], Awaitable[None]]
    clock: Callable[[], float]
    file_exists: Callable[[str], bool]
    keys: Keys = NoKeys()
    redactor: Redactor = Redactor()
    research: ResearchSettings = ResearchSettings()
    research_prompt: str = ""
