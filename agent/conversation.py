"""What a model is shown: messages and tool schemas, in the shape chat models share."""

from typing import Literal

from msgspec import Struct

from agent.protocol import CallId, JsonObject


class CallMade(Struct, frozen=True):
    """A tool call the model made earlier, under the id this house gave it."""

    id: CallId
    tool: str
    arguments: JsonObject


class Message(Struct, frozen=True):
    """One message. `calls` belongs to role assistant, `call` (whose result it is) to role tool."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    calls: tuple[CallMade, ...] = ()
    call: CallId | None = None


class ToolSchema(Struct, frozen=True):
    """A tool as the model is told of it; `parameters` is a JSON Schema object."""

    name: str
    description: str
    parameters: JsonObject
