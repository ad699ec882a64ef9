"""The fold over the log: what it says of any log, by hand and by law."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.history import History
from agent.protocol import (
    AutoApproval,
    InputWithdrawn,
    Notice,
    Recorded,
    Retrying,
    SessionEnded,
    SessionUpdated,
    Usage,
)
from agent.protocol import ErrorNote as Failure
from agent.waking import untold
from tests.agent import naive
from tests.agent.logs import Log, call, plan
from tests.agent.play import Play, plays

ASKING = Log().begin().reply("", call("c1"), call("c2")).ask("c1", "c2")
QUEUED = Log().begin().queue("q1").queue("q2")
PUBLISH = {"decision": "approve", "remember": "session"}


@pytest.mark.parametrize(
    ("log", "state"),
    [
        pytest.param(Log(), "idle", id="a new session is idle"),
        pytest.param(Log().begin(), "running", id="an open turn runs"),
        pytest.param(ASKING, "awaiting_approval", id="a question parks it"),
        pytest.param(
            ASKING.rule(c1="approve"), "awaiting_approval", id="it waits for every ruling"
        ),
        pytest.param(ASKING.rule(c1="approve", c2="approve"), "running", id="rulings let it go on"),
        pytest.param(ASKING.end("interrupted"), "idle", id="an ended turn asks nothing"),
        pytest.param(Log().talk("t1"), "idle", id="a turn that ended leaves it idle"),
        pytest.param(Log().add(SessionEnded("shutdown")), "ended", id="an ended session has ended"),
    ],
)
def test_the_state_follows_from_the_log(log: Log, state: str) -> None:
    assert log.history.state == state


@pytest.mark.parametrize(
    ("log", "queue", "held"),
    [
        pytest.param(QUEUED, ["q1", "q2"], False, id="input waits while a turn runs"),
        pytest.param(QUEUED.end("interrupted"), ["q1", "q2"], True, id="a stop holds it"),
        pytest.param(QUEUED.end("failed"), ["q1", "q2"], True, id="a failure holds it"),
        pytest.param(QUEUED.end("limit", "time"), ["q1", "q2"], True, id="a limit holds it"),
        pytest.param(
            QUEUED.end("interrupted", "superseded"), ["q1", "q2"], False,
            id="a turn that was superseded holds nothing",
        ),
        pytest.param(
            Log().begin().end("interrupted"), [], False, id="an empty queue is never held"
        ),
        pytest.param(
            QUEUED.end("interrupted").begin("t2", submission="q1"), ["q2"], False,
            id="one of it that begins releases the rest",
        ),
        pytest.param(
            QUEUED.end("interrupted").begin("t2"), ["q1", "q2"], True,
            id="other input begins ahead of what is held",
        ),
        pytest.param(
            QUEUED.end("interrupted").begin("t2").end(), ["q1", "q2"], True,
            id="and leaves it held when it ends",
        ),
        pytest.param(
            QUEUED.end("interrupted").add(InputWithdrawn("q1", "ann")), ["q2"], True,
            id="what is taken back leaves the rest held",
        ),
        pytest.param(
            QUEUED.end("interrupted").add(*(InputWithdrawn(q, "ann") for q in ("q1", "q2"))),
            [], False, id="with nothing left nothing is held",
        ),
        pytest.param(
            Log().begin().queue("q1", "steer").queue("q2").join("q1"), ["q2"], False,
            id="steered input leaves the queue when it joins",
        ),
        pytest.param(
            QUEUED.end("interrupted").begin("t2").queue("q3", "steer").join("q3"),
            ["q1", "q2"], True, id="steered input that joins releases nothing else",
        ),
        pytest.param(
            Log().queue("q1").add(Notice("compaction_stopped", "Stopped.")), ["q1"], True,
            id="a compaction that was stopped holds it",
        ),
        pytest.param(
            Log().queue("q1").add(Notice("sandbox_reset", "Anew.")), ["q1"], False,
            id="another note holds nothing",
        ),
        pytest.param(
            Log().add(Notice("compaction_stopped", "Stopped.")).queue("q1"), ["q1"], False,
            id="nor does a stop before it",
        ),
    ],
)  # fmt: skip
def test_input_waits_and_is_held_as_the_contract_says(
    log: Log, queue: list[str], held: bool
) -> None:
    assert (list(log.history.queue), log.history.held) == (queue, held)


@pytest.mark.parametrize(
    ("log", "steering"),
    [
        pytest.param(Log().begin().queue("q1", "steer").queue("q2"), ["q1"], id="what is steered"),
        pytest.param(
            Log().begin().queue("q1", "steer").end("interrupted").begin("t2"), [],
            id="not what was meant for another turn",
        ),
        pytest.param(Log().queue("q1", "steer"), [], id="nothing where no turn runs"),
    ],
)  # fmt: skip
def test_steered_input_joins_the_turn_it_was_meant_for(log: Log, steering: list[str]) -> None:
    assert [q.submission for q in log.history.steering()] == steering


@pytest.mark.parametrize(
    ("log", "counting", "last"),
    [
        pytest.param(Log(), [], None, id="no turn"),
        pytest.param(Log().talk("t1").talk("t2"), ["t1", "t2"], "t2", id="two turns"),
        pytest.param(Log().talk("t1").talk("t2").undo("t2"), ["t1"], "t1", id="the last undone"),
        pytest.param(Log().talk("t1").talk("t2").undo("t2").undo("t1"), [], None, id="both undone"),
        pytest.param(
            Log().talk("t1").undo("t1").talk("t2"), ["t2"], "t2", id="one undone, another begun"
        ),
    ],
)
def test_an_undone_turn_no_longer_counts(log: Log, counting: list[str], last: str | None) -> None:
    history = log.history
    assert [t.id for t in history.counting] == counting
    assert history.undone == set(history.turns) - set(counting)
    assert (history.last_turn.id if history.last_turn else None) == last


@pytest.mark.parametrize(
    ("log", "remembered"),
    [
        pytest.param(ASKING.rule(c1="approve"), set(), id="an approval alone is not"),
        pytest.param(ASKING.rule(c1=PUBLISH), {("bash", "execute")}, id="one for the session is"),
        pytest.param(
            ASKING.rule(c1={"decision": "reject", "remember": "session"}), set(), id="a no is not"
        ),
        pytest.param(
            ASKING.rule(c1=PUBLISH).end("interrupted").undo("t1"), set(), id="undone: forgotten"
        ),
    ],
)
def test_what_is_remembered(log: Log, remembered: set[tuple[str, str]]) -> None:
    assert log.history.remembered == remembered


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        pytest.param(Log().begin(), (), id="none"),
        pytest.param(
            Log().begin().plan(a="pending").plan(a="completed"), plan(a="completed"), id="the last"
        ),
        pytest.param(
            Log().begin().plan(a="pending").end().begin("t2").plan(b="pending").end().undo("t2"),
            plan(a="pending"),
            id="the one before, once the last is undone",
        ),
    ],
)
def test_the_plan_is_the_last_one_that_counts(log: Log, expected: object) -> None:
    assert log.history.plan == expected


TWO_TALKS = Log().talk("t1").talk("t2")  # events 2 to 6, and 7 to 11


@pytest.mark.parametrize(
    ("log", "summary"),
    [
        pytest.param(TWO_TALKS, None, id="none was made"),
        pytest.param(TWO_TALKS.compact(6, "One."), "One.", id="it stands"),
        pytest.param(
            TWO_TALKS.compact(6, "One.").undo("t2"), "One.", id="a later one undone leaves it"
        ),
        pytest.param(
            TWO_TALKS.compact(6, "One.").undo("t2").undo("t1"), None, id="a turn in it ends it"
        ),
        pytest.param(
            TWO_TALKS.compact(6, "One.").compact(11, "Two.").undo("t2"), "One.",
            id="the one before counts again",
        ),
        pytest.param(
            TWO_TALKS.undo("t2").talk("t3").compact(12, "Three."), "Three.",
            id="a turn that was undone before it is not in it",
        ),
        pytest.param(
            TWO_TALKS.undo("t2").talk("t3").compact(17, "Three.").undo("t3"), None,
            id="one that was not, is",
        ),
    ],
)  # fmt: skip
def test_a_summary_counts_while_every_turn_in_it_does(log: Log, summary: str | None) -> None:
    found = log.history.summary
    assert (found.text if found else None) == summary


@pytest.mark.parametrize(
    ("log", "tokens"),
    [
        pytest.param(Log(), 0, id="nothing"),
        pytest.param(Log().begin(text="word" * 6), 10, id="a message is estimated"),
        pytest.param(Log().begin().reply("Hi.", tokens=(70, 7)), 77, id="a provider has counted"),
        pytest.param(
            Log().begin().reply("Hi.").add(Usage("m1", 9, 9, 0, None, "title")), 12,
            id="a title is no part of it",
        ),
        pytest.param(
            Log().begin().reply("", call(), tokens=(70, 7)).output("c1", "word" * 6), 87,
            id="an output is added",
        ),
        pytest.param(
            Log().begin().reply("Hi.").note("plan_open", "word" * 6), 22, id="a note is added"
        ),
        pytest.param(Log().talk("t1").compact(5, after=40), 40, id="a summary makes room"),
        pytest.param(
            Log().begin().reply("Hi.", tokens=(70, 7)).end().talk("t2").undo("t2"), 77,
            id="undone: as before",
        ),
        pytest.param(
            Log().begin().reply("Hi.", tokens=(70, 7)).end().talk("t2")
            .compact(6, after=40).undo("t2"),
            40, id="undone behind a summary: not more than after it",
        ),
        pytest.param(
            Log().talk("t1").begin("t2").reply("Hi.", tokens=(70, 7)).compact(9, after=40).end()
            .undo("t2"),
            12, id="undone with its summary: as before both",
        ),
    ],
)  # fmt: skip
def test_how_full_the_context_is(log: Log, tokens: int) -> None:
    assert log.history.context_used == tokens


def test_a_session_is_named_and_set_by_updates() -> None:
    log = Log().add(
        SessionUpdated("ann", title="Ships"),
        SessionUpdated("ann", model="m2"),
        SessionUpdated("ann", auto_approval=AutoApproval(True, 5.0)),
        SessionUpdated("ann", title=""),
    )
    history = log.history
    assert (history.title, history.model) == ("", "m2")
    assert history.auto_approval == AutoApproval(True, 5.0)


def test_the_model_of_a_turn_is_the_model_of_the_session() -> None:
    log = Log().add(SessionUpdated("ann", model="m2")).begin()
    assert log.history.model == "m1"


def test_retries_change_nothing_but_the_head() -> None:
    log = Log().begin()
    again = log.add(Retrying(1, 3, 5.0, Failure("overloaded", "Busy."), "t1"))
    assert again.history.digest(1) == log.history.digest(1)
    assert again.history.head == log.history.head + 1


def test_a_call_is_found_in_whichever_turn_it_was_made() -> None:
    history = Log().begin().run(call("c1")).end().begin("t2").run(call("c2")).history
    found = history.find_call("c1")
    assert found is not None
    assert found.made.turn == "t1"
    assert history.find_call("c9") is None


def test_what_was_spent_is_told_of_turn_and_session() -> None:
    history = Log().talk("t1").talk("t2").history
    digest = history.digest(context_limit=500)
    assert (digest.spent_input, digest.spent_output, digest.cost_usd) == (20, 4, 1.0)
    assert history.turns["t2"].spent.input_tokens == 10
    assert digest.context_limit == 500


@given(plays())
def test_the_digest_is_what_a_plain_count_over_all_events_gives(play: Play) -> None:
    """After every commit, folded event by event."""
    history = History()
    events = [entry.event for entry in play.entries]
    for at, entry in enumerate(play.entries, 1):
        history.apply(entry)
        if at in play.borders[-12:]:
            digest, known = history.digest(0), events[:at]
            assert digest.state == naive.state(known)
            assert [*filter(None, [digest.turn])] == naive.open_turns(known)
            assert [q.submission for q in digest.queue] == naive.queue(known)
            assert digest.held == naive.held(known)
            assert digest.jobs == (0 if digest.state == "ended" else len(naive.open_jobs(known)))
            assert [j.started.job for j in untold(history)] == naive.untold(known)
            assert digest.last == naive.last_end(known)
            assert digest.cost_usd == pytest.approx(naive.cost(known))
            asking = digest.state == "awaiting_approval"
            assert digest.pending_approvals == (len(naive.unruled(known)) if asking else 0)


def test_a_question_of_a_server_of_tools_is_found_and_counted_while_it_is_open() -> None:
    asking = Log().begin().reply("", call("c1")).start("c1").inquire()
    found = asking.history.find_question("q1")
    assert found is not None
    assert (found[0].made.call, found[1].answer) == ("c1", None)
    assert asking.history.find_question("q2") is None
    assert (asking.history.state, asking.history.digest(0).pending_questions) == ("running", 1)
    for closed in (asking.answer(), asking.output("c1"), asking.output("c1").end()):
        assert closed.history.digest(0).pending_questions == 0


@given(plays())
def test_every_log_keeps_what_the_contract_says_of_turns_and_calls(play: Play) -> None:
    assert naive.complaints([entry.event for entry in play.entries]) == []
    assert [entry.seq for entry in play.entries] == list(range(1, play.history.head + 1))


@given(plays(), st.data())
def test_a_log_that_is_folded_in_two_parts_is_the_log_folded_at_once(
    play: Play, data: st.DataObject
) -> None:
    """Also where the first part ends between a turn and its undoing."""
    at = data.draw(st.integers(0, len(play.entries)))
    history = History(play.entries[:at])
    for entry in play.entries[at:]:
        history.apply(entry)
    assert vars(history) == vars(History(play.entries))


TIMES = "2026-01-01T00:{:02}:00.000Z".format
"""A time of the log, by its minute."""


@pytest.mark.parametrize(
    ("minutes", "worked"),
    [
        pytest.param((0, 0, 0, 0, 0), 0.0, id="no time at all"),
        pytest.param((0, 1, 1, 3, 3), 180.0, id="from event to event"),
        pytest.param((5, 4, 4, 4, 4), 0.0, id="a clock set back takes nothing away"),
    ],
)
def test_how_long_a_turn_was_at_work(minutes: tuple[int, ...], worked: float) -> None:
    log = Log().begin().reply("", call("c1")).output("c1").entries[1:]
    times = (*minutes, *(minutes[-1:] * len(log)))
    entries = [Recorded(e.seq, TIMES(m), e.event) for e, m in zip(log, times, strict=False)]
    turn = next(iter(History(entries).turns.values()))
    assert turn.worked == worked


def test_waiting_for_a_ruling_is_not_work() -> None:
    asked = ASKING.entries
    ruled = ASKING.rule(c1="approve", c2="approve").entries[len(asked) :]
    history = History([*asked, *(Recorded(e.seq, TIMES(9), e.event) for e in ruled)])
    assert history.open_turn is not None
    assert history.open_turn.worked == 0.0
