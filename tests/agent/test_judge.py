"""What each submission does in each state of a session, and why it is refused."""

import pytest
from hypothesis import given
from msgspec.structs import replace

from agent.approval import Rule
from agent.errors import Refused
from agent.history import History
from agent.judge import (
    Do,
    Ruling,
    Situation,
    StartCompaction,
    StopCompaction,
    StopTurn,
    judge,
)
from agent.protocol import (
    MAX_ATTACHMENTS,
    MAX_TEXT,
    Answer,
    AnyEvent,
    AnySubmission,
    Approval,
    AutoApproval,
    Compact,
    Decision,
    InputQueued,
    Interrupt,
    Notice,
    Ping,
    Resume,
    Retry,
    SessionEnded,
    SessionUpdated,
    SetAutoApproval,
    SetModel,
    Shutdown,
    ToolOutput,
    TurnEnded,
    TurnStarted,
    TurnUndone,
    Undo,
    UserInput,
    UserMessage,
    Withdraw,
)
from agent.transcript import messages
from tests.agent.logs import Log, call, rules
from tests.agent.play import MARK, Play, plays

NOW = Situation(
    by="ann",
    compacting=False,
    stopping=False,
    queue_limit=2,
    rules=rules(Rule("deny", "bash", {"command": "rm"}, "it deletes")),
    redact=str,
    new_id=lambda prefix: f"{prefix}-new",
    model_exists={"m1", "m2"}.__contains__,
    file_exists={"a.csv"}.__contains__,
    can_compact=lambda history: bool(history.turns),
)
COMPACTING = replace(NOW, compacting=True)
STOPPING = replace(NOW, stopping=True)
NEW = Log()
IDLE = Log().talk("t1")
RUNNING = Log().begin()
ASKING = Log().begin().reply("", call("c1"), call("c2")).ask("c1", "c2")
INQUIRING = Log().begin().reply("", call("c1")).start("c1").inquire()
HELD = Log().begin().queue("q1").queue("q2").end("interrupted")
ENDED = Log().add(SessionEnded("shutdown"))


def said(text: str = "Hi.", delivery: str = "queue") -> UserInput:
    return UserInput("s9", text, "steer" if delivery == "steer" else "queue")


def ruled(*decisions: Decision) -> Approval:
    return Approval("s9", decisions)


def outline(ruling: Ruling) -> object:
    """A ruling by names: the kinds of its events, or what it stops or starts."""
    if isinstance(ruling, Do):
        return " ".join(event_name(e) for e in ruling.events)
    return ruling


def event_name(event: AnyEvent) -> str:
    match event:
        case ToolOutput():
            return f"{event.call}:{event.status}"
        case TurnEnded():
            return f"{event.turn}:{event.reason or event.status}"
        case UserMessage():
            return f"{event.submission}:user_message"
        case _:
            name = event.__struct_config__.tag
            return str(name)


DECLINE = Answer("s9", "q1", "decline")


BEGUN = "s9:user_message turn_started"
STOPPED = "c1:cancelled c2:cancelled t1:interrupted"


@pytest.mark.parametrize(
    ("log", "now", "submission", "ruling"),
    [
        pytest.param(INQUIRING, NOW, DECLINE, "question_answered", id="a question is answered"),
        pytest.param(INQUIRING, STOPPING, DECLINE, "nothing_asked", id="not of a turn that ends"),
        pytest.param(INQUIRING, NOW, Interrupt("s9"), StopTurn("hold"), id="it stops as any other"),
        pytest.param(RUNNING, NOW, DECLINE, "nothing_asked", id="nor where nothing is asked"),
        pytest.param(NEW, NOW, said(), BEGUN, id="input begins a turn"),
        pytest.param(NEW, NOW, said("", "queue"), "malformed", id="empty input does not"),
        pytest.param(IDLE, NOW, said(delivery="steer"), BEGUN, id="steered input begins one too"),
        pytest.param(HELD, NOW, said(), BEGUN, id="input begins ahead of what is held"),
        pytest.param(RUNNING, NOW, said(), "input_queued", id="input waits while a turn runs"),
        pytest.param(RUNNING, NOW, said(delivery="steer"), "input_queued", id="steered input too"),
        pytest.param(RUNNING, STOPPING, said(), "input_queued", id="and while it is stopped"),
        pytest.param(IDLE, COMPACTING, said(), "input_queued", id="and while it compacts"),
        pytest.param(
            RUNNING.queue("q1").queue("q2"), NOW, said(), "too_many_queued", id="up to a limit"
        ),
        pytest.param(
            ASKING, NOW, said(), f"c1:cancelled c2:cancelled t1:superseded {BEGUN}",
            id="input supersedes a question",
        ),
        pytest.param(
            ASKING.queue("q1", "steer").queue("q2", "steer"), NOW, said(),
            f"c1:cancelled c2:cancelled t1:superseded {BEGUN}",
            id="also when many inputs wait",
        ),
        pytest.param(
            ASKING, NOW, said(delivery="steer"), "input_queued", id="steered input waits for it"
        ),
        pytest.param(ENDED, NOW, said(), "session_ended", id="an ended session hears nothing"),
        pytest.param(
            ASKING, NOW, ruled(Decision("c1", "approve")), "approval_resolved",
            id="an approval is recorded",
        ),
        pytest.param(
            ASKING, NOW, ruled(Decision("c1", "reject"), Decision("c2", "approve")),
            "approval_resolved c1:rejected", id="a rejected call is answered at once",
        ),
        pytest.param(
            ASKING.rule(c1="approve"), NOW, ruled(Decision("c1", "reject")), "already_decided",
            id="the first ruling wins",
        ),
        pytest.param(
            ASKING.rule(c1="approve"), NOW,
            ruled(Decision("c2", "reject"), Decision("c1", "reject")), "already_decided",
            id="one bad decision refuses all",
        ),
        pytest.param(
            ASKING.rule(c1="approve", c2="approve"), NOW, ruled(Decision("c1", "approve")),
            "already_decided", id="also when the turn goes on",
        ),
        pytest.param(
            ASKING, NOW, ruled(Decision("c9", "approve")), "no_such_call", id="a call is not known"
        ),
        pytest.param(
            IDLE, NOW, ruled(Decision("c9", "approve")), "nothing_asked", id="nothing was asked"
        ),
        pytest.param(
            ASKING.output("c1").output("c2").end("interrupted"), NOW,
            ruled(Decision("c1", "approve")),
            "nothing_asked", id="or no longer is",
        ),
        pytest.param(
            ASKING, NOW, ruled(Decision("c1", "approve"), Decision("c1", "reject")), "malformed",
            id="a call is named twice",
        ),
        pytest.param(
            ASKING, NOW, ruled(Decision("c1", "approve", arguments={"command": "ls"})),
            "approval_resolved", id="arguments are edited",
        ),
        pytest.param(
            ASKING, NOW, ruled(Decision("c1", "approve", arguments={"bad": 1})), "malformed",
            id="into what the tool does not take",
        ),
        pytest.param(
            ASKING, NOW, ruled(Decision("c1", "approve", arguments={"command": "rm"})), "forbidden",
            id="into what is denied",
        ),
        pytest.param(
            ASKING, NOW, ruled(Decision("c1", "reject", arguments={"command": "rm"})),
            "approval_resolved c1:rejected", id="a rejected edit does not matter",
        ),
        pytest.param(RUNNING, NOW, Interrupt("s9"), StopTurn("hold"), id="a turn is stopped"),
        pytest.param(
            RUNNING, NOW, Interrupt("s9", "t1", "drop"), StopTurn("drop"),
            id="the one that is named",
        ),
        pytest.param(
            RUNNING, NOW, Interrupt("s9", "t0"), "stale_turn", id="and not another in its place"
        ),
        pytest.param(RUNNING, STOPPING, Interrupt("s9"), "nothing_running", id="a stop comes once"),
        pytest.param(IDLE, NOW, Interrupt("s9"), "nothing_running", id="nothing runs"),
        pytest.param(IDLE, NOW, Interrupt("s9", "t1"), "nothing_running", id="nor the named one"),
        pytest.param(ASKING, NOW, Interrupt("s9"), STOPPED, id="a parked turn ends at once"),
        pytest.param(
            ASKING.queue("q1"), NOW, Interrupt("s9", None, "drop"),
            "c1:cancelled c2:cancelled input_withdrawn t1:interrupted", id="dropping what waits",
        ),
        pytest.param(
            ASKING.queue("q1", "steer"), NOW, Interrupt("s9", None, "continue"),
            f"{STOPPED} q1:user_message turn_started", id="or going on with it",
        ),
        pytest.param(
            IDLE, COMPACTING, Interrupt("s9", None, "drop"), StopCompaction("drop"),
            id="a compaction is stopped",
        ),
        pytest.param(
            IDLE, COMPACTING, Interrupt("s9", "t1"), "stale_turn", id="which is no turn"
        ),
        pytest.param(
            HELD, NOW, Resume("s9"), "q1:user_message turn_started", id="the oldest begins"
        ),
        pytest.param(IDLE, NOW, Resume("s9"), "nothing_held", id="nothing is held"),
        pytest.param(
            RUNNING.queue("q1"), NOW, Resume("s9"), "nothing_held", id="waiting is not held"
        ),
        pytest.param(HELD.begin("t2"), NOW, Resume("s9"), "busy", id="not beside another turn"),
        pytest.param(HELD, NOW, Withdraw("s9", "q2"), "input_withdrawn", id="input is taken back"),
        pytest.param(
            HELD.begin("t2", submission="q1"), NOW, Withdraw("s9", "q1"), "not_queued",
            id="before it begins",
        ),
        pytest.param(IDLE, NOW, Undo("s9"), "turn_undone", id="a turn is undone"),
        pytest.param(IDLE.undo("t1"), NOW, Undo("s9"), "nothing_to_undo", id="until none is left"),
        pytest.param(RUNNING, NOW, Undo("s9"), "busy", id="not while it runs"),
        pytest.param(ASKING, NOW, Undo("s9"), "busy", id="nor asks"),
        pytest.param(IDLE, COMPACTING, Undo("s9"), "busy", id="nor compacts"),
        pytest.param(IDLE, NOW, Retry("s9"), f"turn_undone {BEGUN}", id="a turn is tried again"),
        pytest.param(NEW, NOW, Retry("s9"), "nothing_to_undo", id="if there is one"),
        pytest.param(ASKING, NOW, Retry("s9"), "busy", id="that is over"),
        pytest.param(IDLE, COMPACTING, Retry("s9"), "busy", id="and not being summed up"),
        pytest.param(IDLE, NOW, Compact("s9"), StartCompaction(), id="a log is compacted"),
        pytest.param(NEW, NOW, Compact("s9"), "nothing_to_compact", id="if it is worth it"),
        pytest.param(RUNNING, NOW, Compact("s9"), "busy", id="and nothing runs"),
        pytest.param(IDLE, COMPACTING, Compact("s9"), "busy", id="not twice at once"),
        pytest.param(RUNNING, NOW, SetModel("s9", "m2"), "session_updated", id="a model is chosen"),
        pytest.param(IDLE, NOW, SetModel("s9", "m3"), "no_such_model", id="one that there is"),
        pytest.param(
            ASKING, NOW, SetAutoApproval("s9", True), "session_updated", id="approval is automatic"
        ),
        pytest.param(IDLE, NOW, Shutdown("s9"), "session_ended", id="a session is ended"),
        pytest.param(
            RUNNING, NOW, Shutdown("s9"), StopTurn("hold", ends_session=True), id="with its turn"
        ),
        pytest.param(
            ASKING, NOW, Shutdown("s9"), "c1:cancelled c2:cancelled t1:shutdown session_ended",
            id="with its question",
        ),
        pytest.param(
            IDLE, COMPACTING, Shutdown("s9"), StopCompaction("hold", ends_session=True),
            id="with its compaction",
        ),
        pytest.param(RUNNING, STOPPING, Shutdown("s9"), "busy", id="but one stop at a time"),
        pytest.param(ENDED, NOW, Shutdown("s9"), "session_ended", id="and once"),
        pytest.param(IDLE, NOW, Ping("s9"), "malformed", id="a ping is no business of a session"),
    ],
)  # fmt: skip
def test_a_submission(log: Log, now: Situation, submission: AnySubmission, ruling: object) -> None:
    try:
        found = outline(judge(log.history, submission, now))
    except Refused as refused:
        found = refused.code
    assert found == ruling


@pytest.mark.parametrize(
    ("submission", "code", "named"),
    [
        pytest.param(said(" \n"), "malformed", "`text`", id="nothing but space"),
        pytest.param(said("x" * (MAX_TEXT + 1)), "too_long", "100001 of 100000", id="a long text"),
        pytest.param(
            UserInput("s9", "See.", attachments=("b.csv",)), "malformed", "b.csv",
            id="a missing file",
        ),
        pytest.param(
            UserInput("s9", "See.", attachments=("a.csv",) * (MAX_ATTACHMENTS + 1)),
            "malformed", "101 of 100", id="too many files",
        ),
    ],
)  # fmt: skip
def test_a_refusal_names_what_is_wrong(submission: UserInput, code: str, named: str) -> None:
    with pytest.raises(Refused, match=named) as refusal:
        judge(NEW.history, submission, NOW)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "submission",
    [
        pytest.param(said("語" * MAX_TEXT), id="the longest text, in any script"),
        pytest.param(UserInput("s9", "", attachments=("a.csv",)), id="files alone"),
    ],
)
def test_input_is_heard(submission: UserInput) -> None:
    (heard, started) = events_of(judge(NEW.history, submission, NOW))
    assert isinstance(heard, UserMessage)
    assert (heard.text, heard.attachments, heard.author, heard.turn) == (
        submission.text, submission.attachments, "ann", "turn-new",
    )  # fmt: skip
    assert event_name(started) == "turn_started"


def test_a_rejection_tells_the_model_why() -> None:
    no = ruled(Decision("c1", "reject", feedback="Use a copy."))
    output = events_of(judge(ASKING.history, no, NOW))[1]
    assert isinstance(output, ToolOutput)
    assert output.output == "Rejected by the user. They said: Use a copy."


def test_a_retry_says_the_first_message_again_and_nothing_that_was_steered() -> None:
    first = UserInput("s1", "Read it.", attachments=("a.csv",))
    begun = NEW.add(*events_of(judge(NEW.history, first, NOW)))
    log = begun.queue("q1", "steer").join("q1", "Quick!").reply("Done.").end()
    again = events_of(judge(log.history, Retry("s9"), NOW))
    messages = [e for e in again if isinstance(e, UserMessage)]
    assert [(m.submission, m.text, m.attachments) for m in messages] == [
        ("s9", "Read it.", ("a.csv",))
    ]


def test_a_retry_of_a_woken_turn_tells_the_same_ends_again_but_of_its_own_jobs_none() -> None:
    log = Log().begin().run(call("c1")).job("ada/j1").end().over("ada/j1").woken("t2", "ada/j1")
    log = log.run(call("c2")).job("ada/j2", "c2").over("ada/j2")
    log = log.add(Notice("job_ended", "Over.", "t2", "ada/j2")).reply("Both.").end()
    undone, started, *notes = events_of(judge(log.history, Retry("s9"), NOW))
    assert undone == TurnUndone("t2", "s9")
    assert isinstance(started, TurnStarted)
    assert started.submission == "s9"
    assert [(n.turn, n.job) for n in notes if isinstance(n, Notice)] == [(started.turn, "ada/j1")]
    assert len(notes) == 1


def test_settings_are_recorded_as_they_were_sent() -> None:
    capped = SetAutoApproval("s9", True, 2.5)
    assert events_of(judge(IDLE.history, capped, NOW)) == (
        SessionUpdated("ann", auto_approval=AutoApproval(True, 2.5)),
    )
    assert events_of(judge(IDLE.history, SetModel("s9", "m2"), NOW)) == (
        SessionUpdated("ann", model="m2"),
    )


def test_what_waits_is_queued_as_it_was_said() -> None:
    steered = UserInput("s9", "Quick!", "steer", ("a.csv",))
    assert events_of(judge(RUNNING.history, steered, NOW)) == (
        InputQueued("s9", "Quick!", "steer", "ann", ("a.csv",)),
    )


def events_of(ruling: Ruling) -> tuple[AnyEvent, ...]:
    assert isinstance(ruling, Do)
    return ruling.events


# ---- laws --------------------------------------------------------------------------------------

CODES = set(
    "malformed busy nothing_running stale_turn nothing_to_undo nothing_to_compact nothing_asked"
    " nothing_held not_queued no_such_call already_decided no_such_model too_long too_many_queued"
    " session_ended forbidden".split()
)


@given(plays())
def test_only_codes_of_the_contract_are_said(play: Play) -> None:
    assert set(play.refusals) <= CODES


@given(plays())
def test_a_refusal_has_no_effect(play: Play) -> None:
    before = play.history.digest(0), len(play.entries)
    for submission in (Ping("ping"), Interrupt("stop", "t-none"), Withdraw("back", "q-none")):
        assert not play.submit(submission)
    assert (play.history.digest(0), len(play.entries)) == before


@given(plays(at_rest=True))
def test_undo_leads_back_to_before_the_turn_and_then_the_session_goes_on(play: Play) -> None:
    play.alone = True
    play.submit(Interrupt("settle"))
    before = kept(play.history)
    if play.submit(UserInput("more", play.text())):
        while play.works:
            play.work()
        play.submit(Interrupt("settle again"))
        assert play.submit(Undo("undo"))
        assert kept(play.history) == before
        assert play.submit(UserInput("again", "Once more."))
        assert play.history.state == "running"
    assert play.history.ended or play.history.state == "running"


def kept(history: History) -> tuple[object, ...]:
    """What follows from the turns that count."""
    counting = [turn.id for turn in history.counting]
    return marks(history), counting, history.plan, history.remembered, list(history.queue)


def marks(history: History) -> set[str]:
    """What the model is shown, by the marks that the texts bear."""
    return {mark for m in messages(history, "") for mark in MARK.findall(m.text)}
