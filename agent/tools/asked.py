"""Arguments of tools that do several things: which of them an operation cannot do without."""

from typing import Any

from agent.errors import Problem


def needed(arguments: Any, *names: str) -> None:
    """Raise Problem `bad_arguments` naming what the operation lacks."""
    missing = [name for name in names if getattr(arguments, name) in (None, "", ())]
    if missing:
        operation, lacks = arguments.operation, ", ".join(missing)
        raise Problem("bad_arguments", f"The operation {operation} needs: {lacks}.")
