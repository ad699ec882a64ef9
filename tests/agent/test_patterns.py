"""Patterns of rules: found, not found, or not decided in time."""

import pytest

from agent.patterns import MOST_REMEMBERED, SECONDS, BadPattern, Finder, Pattern


@pytest.mark.parametrize(
    ("source", "text", "found"),
    [
        (r"(^|\s)rm\s", "cd x && rm -r y", True),
        (r"(^|\s)rm\s", "farm x", False),
        (r"^rm$", "rm\n", True),
        (r"(?i)^GIT (?!status)", "git push", True),
        (r"(?i)^GIT (?!status)", "git status", False),
        (r"(\w)\1", "hello", True),
        (r"[[:punct:]]x", "px", False),
    ],
)
def test_it_finds_what_python_finds(source: str, text: str, found: bool) -> None:
    assert Pattern(source).found(text) is found


@pytest.mark.parametrize("source", ["(", "[a", "(?P<x>a)(?P<x", "*", r"\1"])
def test_what_is_no_pattern_is_told(source: str) -> None:
    with pytest.raises(BadPattern):
        Pattern(source)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"^(\w+\s?)*$", "a" * 100_000 + "!"),
        (r"^(a|a)*$", "a" * 100_000 + "!"),
        (r"\s+$", " " * 100_000 + "!"),
        (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 100_000 + "!"),
        (r"(?=(a+))a*b\1", "a" * 100_000),
    ],
)
def test_a_bomb_goes_off_in_bounded_time(source: str, text: str) -> None:
    """Most of these would take longer than the age of this machine, the others minutes."""
    assert Pattern(source).found(text) is not True


def never(source: str) -> Finder:
    def find(text: str, seconds: float) -> bool:
        assert seconds == SECONDS
        raise TimeoutError

    return find


def test_what_was_not_decided_stays_so_without_another_try() -> None:
    tries: list[str] = []

    def once(source: str) -> Finder:
        def find(text: str, seconds: float) -> bool:
            tries.append(text)
            if len(tries) == 1:
                raise TimeoutError
            return True

        return find

    pattern = Pattern("x", once)
    assert pattern.found("a") is None
    assert pattern.found("a") is None
    assert pattern.found("b") is True
    assert tries == ["a", "b"]


def test_only_so_many_undecided_texts_are_remembered() -> None:
    pattern = Pattern("x", never)
    for number in range(3 * MOST_REMEMBERED):
        assert pattern.found(f"t{number}") is None
    assert len(pattern._undecided) == MOST_REMEMBERED
