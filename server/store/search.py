"""What a person types into the search box, turned into conditions that cannot be syntax."""

from typing import Any

MAX_TERMS = 16
"""Words of one search that count; more are ignored."""
_SHORTEST_TRIGRAM = 3

Condition = tuple[str, list[Any]]
"""SQL with its parameters."""


def mentions(q: str) -> Condition:
    """Sessions with a title or message that has every word of `q`; `q` has at least one."""
    words = terms(q)
    long = [word for word in words if len(word) >= _SHORTEST_TRIGRAM]
    short = [word for word in words if len(word) < _SHORTEST_TRIGRAM]
    conditions = ["p.text LIKE ? ESCAPE '\\'"] * len(short)
    values = [_like(word) for word in short]
    if long:
        conditions.insert(0, "p.id IN (SELECT rowid FROM words WHERE words MATCH ?)")
        values.insert(0, " AND ".join(map(_phrase, long)))
        return (
            f"key IN (SELECT p.session FROM passages p WHERE {' AND '.join(conditions)})",
            values,
        )
    # Short words are in nearly every session: ask each row in turn, so that a page soon is full.
    return (
        "EXISTS (SELECT 1 FROM passages p WHERE p.session = sessions.key"
        f" AND {' AND '.join(conditions)})",
        values,
    )


def terms(q: str) -> list[str]:
    """The words of `q`, without what no stored text and no query can hold."""
    readable = q.encode(errors="ignore").decode().replace("\0", " ")
    return readable.split()[:MAX_TERMS]


def _phrase(word: str) -> str:
    """A quoted phrase is never an operator; the star is for tokenizers of whole words."""
    return '"' + word.replace('"', '""') + '" *'


def _like(word: str) -> str:
    for special in "\\%_":
        word = word.replace(special, "\\" + special)
    return f"%{word}%"
