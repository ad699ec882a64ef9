"""What a person types into the search box, turned into conditions that cannot be syntax; and the
index of words, which follows the messages a moment later."""

import sqlite3
from typing import Any

MAX_TERMS = 16
"""Words of one search that count; more are ignored."""
_SHORTEST_TRIGRAM = 3
_STEP_CHARACTERS = 16 * 1024
"""Of passages that are taken into the index at once, but for the last: about 1.5 ms."""
LAGS = "SELECT EXISTS (SELECT 1 FROM unsearched)"

Condition = tuple[str, list[Any]]
"""SQL with its parameters."""


def mentions(q: str) -> Condition:
    """Sessions with a title or message that has every word of `q`; `q` has at least one.

    `tells` has to be a function of the connection.
    """
    words = terms(q)
    long = [word for word in words if len(word) >= _SHORTEST_TRIGRAM]
    short = [word for word in words if len(word) < _SHORTEST_TRIGRAM]
    conditions = ["p.text LIKE ? ESCAPE '\\'"] * len(short)
    values = [_like(word) for word in short]
    if long:
        indexed = "p.id IN (SELECT rowid FROM words WHERE words MATCH ?)"
        told = " AND ".join(["tells(p.text, ?)"] * len(long))
        conditions.insert(0, f"({indexed} OR p.id IN (SELECT passage FROM unsearched) AND {told})")
        values[:0] = [" AND ".join(map(_phrase, long)), *long]
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


def tells(text: str, word: str) -> bool:
    """As the index finds it, for what is not in there yet."""
    return word.casefold() in text.casefold()


def learn(connection: sqlite3.Connection) -> None:
    """Take the oldest passages that the index lacks into it."""
    known, characters = 0, 0
    new = connection.execute(
        "SELECT id, text FROM unsearched JOIN passages ON id = passage ORDER BY passage"
    )
    for known, text in new:
        connection.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (known, text))
        characters += len(text)
        if characters >= _STEP_CHARACTERS:
            break
    connection.execute("DELETE FROM unsearched WHERE passage <= ?", (known,))


def lags(connection: sqlite3.Connection) -> bool:
    """Whether there are passages that the index lacks."""
    (behind,) = connection.execute(LAGS).fetchone()
    return bool(behind)


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
