"""A turn that was undone leaves nothing behind: what comes then is as if it had never been."""

from collections.abc import Sequence

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from agent.history import History
from agent.protocol import (
    Approval,
    Compacted,
    Decision,
    JobEnded,
    JobStarted,
    Recorded,
    Undo,
    UserInput,
)
from agent.transcript import messages
from tests.agent.play import Play

GOES_ON = (Compacted, JobStarted, JobEnded)
"""What an undone turn may leave: a summary of the turns before it, jobs that nobody stops."""


class Undone(msgspec.Struct, frozen=True):
    """Entries up to `begun` are before the turn, those up to `undone` are it and its undoing."""

    play: Play
    begun: int
    undone: int


@st.composite
def undone_turns(draw: st.DrawFn) -> Undone:
    play = Play(lambda limit: draw(st.integers(0, limit - 1)))
    _live(play, draw(st.integers(0, 20)))
    assume(play.history.state == "idle" and not play.history.queue)
    begun = len(play.entries)
    play.alone = True
    play.submit(UserInput(play.new_id("s"), play.text()))
    while (turn := play.history.open_turn) is not None:
        if play.works:
            play.work()
        else:
            allowed = (
                Decision(c.made.call, "approve", remember="session") for c in turn.waiting_calls
            )
            play.submit(Approval(play.new_id("s"), tuple(allowed)))
    assume(play.submit(Undo(play.new_id("s"))))
    undone = len(play.entries)
    assume(not any(isinstance(entry.event, GOES_ON) for entry in play.entries[begun:]))
    play.alone = False
    _live(play, draw(st.integers(0, 20)))
    return Undone(play, begun, undone)


def _live(play: Play, steps: int) -> None:
    for _ in range(steps):
        play.step()
    while play.works:
        play.work()


def without_it(undone: Undone) -> list[Recorded]:
    """The log in which nobody said what was undone."""
    entries = undone.play.entries
    return [*entries[: undone.begun], *_moved(entries[undone.undone :], undone)]


def _moved(rest: Sequence[Recorded], undone: Undone) -> list[Recorded]:
    by = undone.undone - undone.begun
    moved = []
    for entry in rest:
        event = entry.event
        if isinstance(event, Compacted) and event.through > undone.begun:
            through = max(event.through - by, undone.begun)
            event = msgspec.structs.replace(event, through=through)
        moved.append(Recorded(entry.seq - by, entry.at, event))
    return moved


@given(undone_turns())
def test_behind_a_turn_that_was_undone_all_is_as_if_it_had_never_been(undone: Undone) -> None:
    history, known = History(undone.play.entries), History(without_it(undone))
    assert kept(history) == kept(known)
    assert messages(history, "Be.", history.summary) == messages(known, "Be.", known.summary)


def kept(history: History) -> dict[str, object]:
    """All but what was spent, which stays spent."""
    return {
        "state": history.state,
        "named": (history.title, history.model, history.auto_approval),
        "turns": [turn.id for turn in history.counting],
        "shown": [entry.event for entry in history.shown()],
        "plan": history.plan,
        "remembered": history.remembered,
        "summary": history.summary.text if history.summary else None,
        "queue": [queued.submission for queued in history.queue.values()],
        "held": history.held,
        "context": history.context_used,
    }
