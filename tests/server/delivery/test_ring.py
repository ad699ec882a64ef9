"""The ring gives exactly what was missed, or says that it is gone."""

from hypothesis import given
from hypothesis import strategies as st

from server.delivery.frames import Frame
from server.delivery.ring import Ring

frames = st.lists(st.binary(max_size=40))


def filled(head: int, bound: int, log: list[bytes]) -> Ring:
    ring = Ring(head, bound)
    for frame in log:
        ring.append(Frame(frame))
    return ring


@given(head=st.integers(0, 9), bound=st.integers(0, 200), log=frames)
def test_every_position_gets_exactly_what_it_missed_or_nothing(
    head: int, bound: int, log: list[bytes]
) -> None:
    ring = filled(head, bound, log)
    assert ring.head == head + len(log)
    for seq in range(ring.head + 1):
        missed = ring.since(seq)
        if seq + 1 >= ring.oldest:
            assert missed is not None
            assert [frame.plain for frame in missed] == log[seq - head :]
        else:
            assert missed is None


@given(bound=st.integers(0, 200), log=frames)
def test_it_holds_the_longest_suffix_within_the_bound_and_always_the_newest(
    bound: int, log: list[bytes]
) -> None:
    ring = filled(0, bound, log)
    held = log[ring.oldest - 1 :]
    assert ring.bytes == sum(map(len, held))
    assert ring.bytes <= bound or len(held) == 1
    if ring.oldest > 1:
        assert ring.bytes + len(log[ring.oldest - 2]) > bound


def test_an_empty_ring_misses_nothing_at_its_head_and_knows_nothing_before() -> None:
    ring = Ring(7, 100)
    assert ring.since(7) == ()
    assert ring.since(6) is None
    assert ring.oldest == 8
