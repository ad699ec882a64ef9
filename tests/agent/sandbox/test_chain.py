"""The chain of checkpoints: what undoing does to it, and what it can still tell."""

import pytest

from agent.sandbox.chain import REMEMBERED, Chain


def chain(*turns: str, keep: int = 50, keep_bytes: int = 1000) -> Chain:
    """Checkpoints of 100 bytes each."""
    made = Chain()
    for turn in turns:
        made = made.with_checkpoint(turn, 100, keep=keep, keep_bytes=keep_bytes)
    return made


def turns(chain: Chain) -> list[str]:
    return [kept.turn for kept in chain.kept]


def test_a_new_chain_names_one_tree_and_no_checkpoint() -> None:
    assert (Chain().tree, Chain().numbers, Chain().as_of(None, [])) == (1, set(), (None, True))


def test_numbers_are_never_used_twice() -> None:
    made = chain("a", "b")
    back = made.gone_back(made.last({"b"}))
    again = back.with_checkpoint("c", 0, keep=9, keep_bytes=9)
    assert [kept.number for kept in made.kept] == [2, 3]
    assert (back.tree, again.kept[-1].number, again.next) == (4, 5, 6)


@pytest.mark.parametrize(
    ("keep", "keep_bytes", "left"),
    [(50, 1000, "abcd"), (2, 1000, "cd"), (50, 250, "cd"), (50, 1, "d"), (1, 1, "d")],
)
def test_the_oldest_make_room(keep: int, keep_bytes: int, left: str) -> None:
    made = chain(*"abcd", keep=keep, keep_bytes=keep_bytes)
    assert turns(made) == list(left)
    assert made.dropped == tuple("abcd".removesuffix(left))
    assert made.numbers == {kept.number for kept in made.kept}


@pytest.mark.parametrize(
    ("undone", "popped"),
    [("", ""), ("d", "d"), ("cd", "cd"), ("abcd", "abcd"), ("b", ""), ("bd", "d"), ("x", "")],
)
def test_only_the_end_of_the_chain_can_be_undone(undone: str, popped: str) -> None:
    assert [kept.turn for kept in chain(*"abcd").last(set(undone))] == list(popped)


def test_the_checkpoint_that_was_gone_back_to_is_kept_for_its_files() -> None:
    made = chain(*"abc")
    back = made.gone_back(made.last({"b", "c"}))
    assert (turns(back), back.undone, back.basis) == (["a"], ("b", "c"), made.kept[1].number)
    assert back.numbers == {made.kept[0].number, made.kept[1].number}


def test_what_cannot_be_undone_is_told_once() -> None:
    made = chain(*"abc", keep=1)
    assert made.cannot_go_back({"b", "c"})
    after = made.without({"b", "c"})
    assert not after.cannot_go_back({"b", "c"})
    assert (turns(after), after.dropped, after.lost) == ([], ("a",), ("b", "c"))


@pytest.mark.parametrize(
    ("turn", "later", "found"),
    [
        ("a", "bcd", ("b", True)),
        ("a", "xcd", ("c", True)),
        ("d", "", (None, True)),
        ("d", "xy", (None, True)),
        (None, "bcd", ("b", True)),
    ],
)
def test_the_files_after_a_turn_are_those_before_the_next_that_changed_any(
    turn: str | None, later: str, found: tuple[str | None, bool]
) -> None:
    made = chain(*"abcd")
    names = {None: None} | {kept.number: kept.turn for kept in made.kept}
    number, exact = made.as_of(turn, list(later))
    assert (names[number], exact) == found


def test_files_that_are_gone_are_not_had() -> None:
    made = chain(*"abcd", keep=2)
    assert made.as_of("a", list("bcd")) == (None, False)
    assert made.without({"b"}).as_of("a", list("bcd")) == (None, False)
    back = made.gone_back(made.last({"d"}))
    assert back.as_of("d", []) == (None, False)
    assert back.as_of("c", ["d"]) == (None, True)


def test_a_turn_is_held_while_its_checkpoint_is() -> None:
    made = chain("a", "b", keep=1)
    assert (made.holds("a"), made.holds("b")) == (False, True)


def test_a_turn_whose_checkpoint_made_room_is_still_known() -> None:
    made = chain(*"abcd", keep=2)
    assert (turns(made), made.turns) == (["c", "d"], frozenset("abcd"))


def test_what_is_remembered_of_lost_checkpoints_is_bounded() -> None:
    made = chain(*map(str, range(REMEMBERED + 10)), keep=1)
    assert (len(made.dropped), made.dropped[-1]) == (REMEMBERED, str(REMEMBERED + 8))
