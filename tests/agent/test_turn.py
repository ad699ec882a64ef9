"""The automaton as a table, and what it never does in any session that chance plays."""

import pytest
from hypothesis import given
from msgspec.structs import replace

from agent.approval import Rule, Rules
from agent.budget import Allowance
from agent.turn import (
    NEVER_AGAIN,
    AskHuman,
    AskModel,
    Compact,
    Finish,
    Limits,
    Note,
    RunTools,
    Step,
    just_compacted,
    next_step,
)
from tests.agent.logs import ROOMY, Log, call, rules
from tests.agent.play import LIMITS, RULES, Play, plays

FREE = rules()
CAREFUL = rules(
    Rule("deny", "bash", {"command": "rm"}, "it deletes"), Rule("ask", "bash", reason="it runs")
)
PUBLISH = call("c2", "upload", effect="publish")


def again(log: Log, times: int, tool: str = "bash") -> Log:
    """The same call with the same result, so many times."""
    for n in range(times):
        log = log.run(call(f"{tool}{len(log.events)}-{n}", tool))
    return log


def steps(log: Log, found: Rules = FREE, limits: Limits = ROOMY) -> Step:
    return next_step(log.history, found, limits)


def outline(step: Step) -> object:
    """A step by names: calls and input by their ids, notes by their codes."""
    match step:
        case AskModel(joining, notes):
            return ("model", [q.submission for q in joining], [n.code for n in notes])
        case RunTools(calls, refused):
            told = {c.made.call: why.status for c, why in refused}
            return ("tools", [c.made.call for c in calls], told)
        case AskHuman(questions):
            return ("human", {c.made.call: why.reason for c, why in questions})
        case Compact():
            return "compact"
        case Finish(status, reason):
            return ("finish", status, reason)


ASKED: object = ("model", [], [])
DONE: object = ("finish", "completed", None)


@pytest.mark.parametrize(
    ("log", "step"),
    [
        pytest.param(Log().talk("t1"), DONE, id="no turn is open: nothing"),
        pytest.param(Log().begin(), ASKED, id="somebody spoke: the model is asked"),
        pytest.param(Log().begin().reply("Done."), DONE, id="the model has answered"),
        pytest.param(
            Log().begin().reply("", call("c1"), call("c2")), ("tools", ["c1", "c2"], {}),
            id="calls run side by side",
        ),
        pytest.param(Log().begin().run(call()), ASKED, id="all calls are answered"),
        pytest.param(
            Log().begin().reply("", call("c1"), call("c2")).start("c1", "c2").output("c1"),
            ("tools", [], {"c2": "unknown"}), id="what was started is never run again",
        ),
        pytest.param(
            Log().begin().reply("", call("c1"), PUBLISH),
            ("human", {"c2": "it leaves the sandbox (may publish)"}),
            id="a human is asked before anything of the reply starts",
        ),
        pytest.param(
            Log().begin().reply("", call("c1"), PUBLISH).ask("c2"), ("human", {}),
            id="and is not asked twice",
        ),
        pytest.param(
            Log().begin().reply("", call("c1"), PUBLISH).ask("c2").rule(c2="approve"),
            ("tools", ["c1", "c2"], {}), id="approved: all of the reply runs",
        ),
        pytest.param(
            Log().begin().reply("", call("c1"), PUBLISH).ask("c2").rule(c2="reject")
            .output("c2", "No.", "rejected"),
            ("tools", ["c1"], {}), id="rejected: the others run",
        ),
        pytest.param(
            Log().begin().reply("", call("c1"), PUBLISH).ask("c2").rule(c2="reject"),
            ("tools", [], {"c2": "rejected"}), id="rejected and not told: told now",
        ),
        pytest.param(
            Log().begin().reply("", call("c1", "nosuch", effect="read"), call("c2")),
            ("tools", [], {"c1": "error"}), id="an unknown tool is told first",
        ),
        pytest.param(
            Log().begin().reply("", call("c1", "nosuch", effect="read"), PUBLISH).ask("c2"),
            ("tools", [], {"c1": "error"}), id="an unknown tool is told while another call waits",
        ),
        pytest.param(
            Log().begin().reply("", call("c1", malformed='{"a":')), ("tools", [], {"c1": "error"}),
            id="so is a call that is no JSON",
        ),
        pytest.param(Log().begin().queue("q1"), ASKED, id="queued input waits for the turn's end"),
        pytest.param(
            Log().begin().queue("q1", "steer").queue("q2", "steer"), ("model", ["q1", "q2"], []),
            id="steered input joins at the next model call",
        ),
        pytest.param(
            Log().begin().queue("q1", "steer").reply("", call("c1")), ("tools", ["c1"], {}),
            id="but not before the calls are answered",
        ),
        pytest.param(
            Log().begin().queue("q1", "steer").reply("Done."), ("model", ["q1"], []),
            id="steered input keeps an answered turn going",
        ),
        pytest.param(
            Log().begin().queue("q1", "steer").reply("Do", partial=True), ("model", ["q1"], []),
            id="and one whose answer was too long",
        ),
        pytest.param(
            Log().begin().reply("Do", partial=True), ("finish", "limit", "tokens"),
            id="an answer that ran into its limit ends the turn",
        ),
        pytest.param(
            Log().begin().reply("Do", partial=True).note("truncated_output"), ASKED,
            id="calls that did are told of, and the turn goes on",
        ),
        pytest.param(
            Log().begin().reply("Do", partial=True).note("truncated_output")
            .reply("Do", partial=True).note("truncated_output")
            .reply("Do", partial=True).note("truncated_output"),
            ("finish", "limit", "tokens"), id="but not for ever",
        ),
        pytest.param(
            again(Log().begin(), 2), ASKED, id="the same call twice may have its reason"
        ),
        pytest.param(
            again(Log().begin(), 3), ("model", [], ["repetition"]), id="three times is a circle"
        ),
        pytest.param(
            again(Log().begin(), 3).note("repetition"), ASKED, id="of which it is told once"
        ),
        pytest.param(
            again(Log().begin().note("repetition").note("repetition").note("repetition"), 3),
            ("finish", "limit", "repetition"), id="after three notes it ends",
        ),
        pytest.param(
            again(Log().begin(), 2).run(call("c9", "read")), ASKED, id="another call ends a circle"
        ),
        pytest.param(
            Log().begin().reply("", call("c1", malformed="{")).output("c1")
            .reply("", call("c2", malformed="[")).output("c2"),
            ("model", [], ["malformed_arguments"]), id="bad JSON twice in a row for one tool",
        ),
        pytest.param(
            Log().begin().reply("", call("c1", malformed="{")).output("c1")
            .reply("", call("c2", "read", malformed="[")).output("c2"),
            ASKED, id="for two tools it is none",
        ),
        pytest.param(
            Log().begin().reply("", call("c1", malformed="{")).output("c1").run(call("c2")), ASKED,
            id="nor with a good call since",
        ),
        pytest.param(
            Log().begin().plan(a="completed", b="pending").reply("Done."),
            ("model", [], ["plan_open"]), id="an open plan is recalled",
        ),
        pytest.param(
            Log().begin().plan(a="completed").reply("Done."), DONE, id="a finished one is not"
        ),
        pytest.param(
            Log().begin().plan(a="pending").note("plan_open").note("plan_open").reply("Done."),
            DONE,
            id="twice is enough",
        ),
        pytest.param(
            Log().begin().plan(a="in_progress").run(call("c1")).job().reply("Done."), DONE,
            id="a plan that waits for a job is not recalled",
        ),
        pytest.param(
            Log().begin().run(call("c1")).job().over(), ("model", [], ["job_ended"]),
            id="a job that has ended is told of",
        ),
        pytest.param(
            Log().begin().run(call("c1")).job().reply("Done.").over(),
            ("model", [], ["job_ended"]), id="also behind the last word",
        ),
        pytest.param(
            Log().begin().run(call("c1")).job().reply("Done.").end().over().woken(), ASKED,
            id="a woken turn begins with a model call",
        ),
        pytest.param(
            Log().begin().run(call("c1")).job().end().over().woken().reply("Done."), DONE,
            id="once is enough",
        ),
        pytest.param(
            Log().begin().plan(a="pending").end().begin("t2").reply("Done."), DONE,
            id="the plan of another turn is none of this one's",
        ),
    ],
)  # fmt: skip
def test_what_comes_next(log: Log, step: object) -> None:
    assert outline(steps(log)) == step


@pytest.mark.parametrize(
    ("log", "step"),
    [
        pytest.param(
            Log().begin().reply("", call("c1", arguments={"command": "rm"})),
            ("tools", [], {"c1": "rejected"}), id="a denied call is never asked",
        ),
        pytest.param(
            Log().begin().reply("", call("c1")), ("human", {"c1": "it runs"}), id="a rule asks"
        ),
        pytest.param(
            Log().begin().reply("", call("c1")).ask("c1")
            .rule(c1={"decision": "approve", "arguments": {"command": "rm"}}),
            ("tools", [], {"c1": "rejected"}), id="an edit that is denied does not run",
        ),
    ],
)  # fmt: skip
def test_rules_decide_what_runs(log: Log, step: object) -> None:
    assert outline(steps(log, CAREFUL)) == step


FULL = Log().begin().reply("", call("c1"), tokens=(95, 0)).output("c1")
SMALL = Limits(Allowance(), context=100)


@pytest.mark.parametrize(
    ("log", "step"),
    [
        pytest.param(Log().begin(), ASKED, id="there is room"),
        pytest.param(FULL, "compact", id="above nine tenths room is made first"),
        pytest.param(
            FULL.compact(8, after=99), ASKED, id="once: then it is tried even if it is too long"
        ),
        pytest.param(
            FULL.compact(8).run(call("c2")).reply("", call("c3"), tokens=(95, 0)).output("c3"),
            "compact", id="again after another reply",
        ),
        pytest.param(
            Log().talk("t1").compact(4, after=99).begin("t2"), "compact",
            id="one of another turn does not count",
        ),
    ],
)  # fmt: skip
def test_room_is_made_in_the_window(log: Log, step: object) -> None:
    assert outline(steps(log, limits=SMALL)) == step


def test_a_summary_that_no_longer_counts_was_not_just_made() -> None:
    history = Log().begin().history
    turn = history.open_turn
    assert turn is not None
    assert not just_compacted(history, turn)


@pytest.mark.parametrize(
    ("allowance", "reason"),
    [
        pytest.param(Allowance(max_iterations=1), "iterations", id="model calls"),
        pytest.param(Allowance(max_tokens=12), "tokens", id="tokens"),
        pytest.param(Allowance(max_cost_usd=0.5), "budget_usd", id="dollars"),
        pytest.param(Allowance(max_seconds=0.0), "time", id="time"),
    ],
)
def test_a_turn_ends_before_the_model_call_it_may_not_make(
    allowance: Allowance, reason: str
) -> None:
    log, limits = Log().begin().run(call()), replace(ROOMY, allowance=allowance)
    assert outline(steps(log, limits=limits)) == ("finish", "limit", reason)
    assert outline(steps(log.reply("Done."), limits=limits)) == DONE


def test_the_model_is_told_what_to_mend() -> None:
    circle = steps(again(Log().begin(), 3))
    assert circle == AskModel(
        notes=(
            Note(
                "repetition",
                "You called bash 3 times in a row with the same arguments and got the same result. "
                "Do something else, or say what you need.",
            ),
        )
    )
    plan = steps(Log().begin().plan(build="pending", test="in_progress").reply("Done."))
    assert plan == AskModel(
        notes=(
            Note(
                "plan_open",
                "Your plan has open items: build; test. Go on with them, or update the plan.",
            ),
        )
    )


@given(plays())
def test_no_call_is_started_twice_and_none_that_is_refused(play: Play) -> None:
    started = [ran.made.call for ran, _ in play.ran]
    assert len(started) == len(set(started))
    assert not any(denied for _, denied in play.ran)
    for ran, _ in play.ran:
        assert ran.made.malformed is None
        assert ran.decision is None or ran.decision.decision == "approve"


@given(plays())
def test_what_must_be_asked_ran_only_when_it_was_allowed(play: Play) -> None:
    """Asked by a rule that always asks: neither memory nor auto-approval let it run."""
    for ran, _ in play.ran:
        if ran.made.tool == "bash" and ran.arguments == {"command": "careful"}:
            assert ran.decision is not None


@given(plays(at_rest=True))
def test_work_comes_to_rest_with_nothing_forgotten(play: Play) -> None:
    history = play.history
    unanswered = [c for t in history.turns.values() for c in t.open_calls]
    assert history.state != "running"
    assert bool(unanswered) == (history.state == "awaiting_approval")


@given(plays())
def test_each_step_tells_what_is_refused_or_runs_all_the_others_or_waits(play: Play) -> None:
    turn = play.history.open_turn
    if turn is None or not turn.open_calls:
        return
    step = next_step(play.history, RULES, LIMITS)
    assert isinstance(step, RunTools | AskHuman)
    if isinstance(step, RunTools):
        assert bool(step.calls) != bool(step.refused)
        if step.calls:
            assert step.calls == turn.open_calls
        refused = [c for c, why in step.refused if why == NEVER_AGAIN]
        assert refused == [c for c in turn.open_calls if c.started]
    else:
        assert turn.waiting_calls or step.questions
        assert not any(asked.asked for asked, _ in step.questions)
