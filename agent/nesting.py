"""How deep JSON may be nested: each reader of the log has to climb it too."""

DEEPEST = 100
"""Levels of lists and objects within each other."""


def too_deep(value: object) -> bool:
    """Found level by level: a stack is what deep values are a danger to."""
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [item for outer in level for item in _items(outer)]
        if not level:
            return False
    return True


def _items(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else []
