"""Which calls run, ask, or are refused: by rule, by effect, by memory, by a human."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agent.approval import Ask, Policy, Refuse, Rule, Ruled, Rules, Run, Verdict, rejected
from agent.errors import ConfigProblem
from agent.folded import CallState
from agent.history import History
from agent.protocol import (
    AutoApproval,
    Decision,
    Effect,
    JsonObject,
    SessionUpdated,
    Usage,
)
from tests.agent.logs import Log, call, check, rules

DENY = Rule("deny", "bash", {"command": r"(^|\s)rm\s"}, "it deletes files")
APPROVED = Decision("c1", "approve")
AUTO = Log().add(SessionUpdated("ann", auto_approval=AutoApproval(True)))


def capped(cost: float | None) -> Log:
    """Approval is automatic up to half a dollar, and so much was spent."""
    setting = SessionUpdated("ann", auto_approval=AutoApproval(True, 0.5))
    return Log().add(setting, Usage("m", 1, 1, 0, cost, "title"))


REMEMBERED = (
    Log().begin().reply("", call("c0", "upload", effect="publish"), call("c00"))
    .ask("c0", "c00")
    .rule(c0={"decision": "approve", "remember": "session"},
          c00={"decision": "approve", "remember": "session"})
)  # fmt: skip
UPLOAD = call("c1", "upload", effect="publish")
BASH = call("c1", "bash", {"command": "rm -r data"})
RUN = Run()
LEAVES = Ask("it leaves the sandbox (may publish)")
DENIED = Refuse(
    "rejected",
    "The rules of this server do not allow this call of bash: it deletes files. Do it another way.",
)


def verdict(
    state: CallState, *found: Rule, log: Log | None = None, ask: tuple[str, ...] = ()
) -> Verdict:
    return rules(*found, ask=ask).verdict(state, (log or Log()).history)


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        ("read", RUN),
        ("write", RUN),
        ("execute", RUN),
        ("spend", Ask("it leaves the sandbox (may spend)")),
        ("publish", Ask("it leaves the sandbox (may publish)")),
    ],
)
def test_what_leaves_the_sandbox_asks(effect: Effect, expected: Verdict) -> None:
    assert verdict(CallState(call(effect=effect))) == expected


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        pytest.param(("bash",), Ask("bash asks before every call"), id="a tool"),
        pytest.param(("execute",), Ask("every call that may execute asks"), id="an effect"),
        pytest.param(("read",), RUN, id="another effect"),
    ],
)
def test_the_configuration_names_what_asks(ask: tuple[str, ...], expected: Verdict) -> None:
    assert verdict(CallState(BASH), ask=ask) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param((DENY,), DENIED, id="denied"),
        pytest.param((Rule("allow"), DENY), RUN, id="the first that matches decides"),
        pytest.param((Rule("ask", reason="it may hurt"),), Ask("it may hurt"), id="asks, and why"),
        pytest.param((Rule("ask"),), Ask("a rule asks before bash"), id="asks without a reason"),
        pytest.param(
            (Rule("always_ask"),), Ask("a rule always asks before bash"), id="always asks"
        ),
        pytest.param((Rule("always_ask", reason="Mind."),), Ask("Mind."), id="always, and why"),
        pytest.param((Rule("deny", "hub_*"),), RUN, id="for other tools"),
        pytest.param((Rule("ask", "ba*"),), Ask("a rule asks before bash"), id="for a pattern"),
        pytest.param((Rule("deny", match={"path": "x"}),), RUN, id="for arguments it has not"),
        pytest.param((Rule("deny", match={"command": "^ls"}),), RUN, id="for other arguments"),
    ],
)
def test_a_rule(found: tuple[Rule, ...], expected: Verdict) -> None:
    assert verdict(CallState(BASH), *found) == expected


@pytest.mark.parametrize(
    ("state", "found", "expected"),
    [
        pytest.param(CallState(UPLOAD), (), True, id="it leaves the sandbox"),
        pytest.param(CallState(UPLOAD, decision=APPROVED), (), False, id="a human ruled on it"),
        pytest.param(CallState(UPLOAD), (Rule("allow"),), False, id="a rule allows it"),
        pytest.param(CallState(BASH), (Rule("ask"),), True, id="a rule asks"),
        pytest.param(CallState(BASH), (), False, id="it never asks"),
    ],
)
def test_what_runs_unasked_though_it_asks_by_itself(
    state: CallState, found: tuple[Rule, ...], expected: bool
) -> None:
    assert rules(*found).is_unasked(state) is expected


def test_a_rule_may_allow_what_leaves_the_sandbox() -> None:
    assert verdict(CallState(UPLOAD), Rule("allow", "upload")) == RUN


def test_what_is_no_string_is_searched_as_json() -> None:
    found = Rule("deny", "bash", {"hosts": '"prod"'})
    state = CallState(call(arguments={"hosts": ["test", "prod"]}))
    assert verdict(state, found) == Refuse(
        "rejected",
        "The rules of this server do not allow this call of bash. Do it another way.",
    )


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(
            CallState(call("c1", malformed="{half")),
            Refuse(
                "error",
                "The arguments of bash were not a JSON object: '{half'. "
                "Call it again with valid JSON.",
            ),
            id="no JSON",
        ),
        pytest.param(
            CallState(call("c1", "nosuch")), Refuse("error", "There is no tool nosuch."),
            id="no such tool",
        ),
        pytest.param(
            CallState(call("c1", arguments={"bad": 1})),
            Refuse("error", "`bad` is not an argument."), id="no such argument",
        ),
        pytest.param(
            CallState(UPLOAD, decision=Decision("c1", "reject", "No.")),
            Refuse("rejected", "Rejected by the user. They said: No."), id="a human said no",
        ),
        pytest.param(
            CallState(BASH, decision=Decision("c1", "approve", arguments={"bad": 1})),
            Refuse("error", "`bad` is not an argument."), id="a human made it wrong",
        ),
        pytest.param(
            CallState(BASH, decision=Decision("c1", "approve")), DENIED, id="denied all the same"
        ),
    ],
)  # fmt: skip
def test_a_call_is_refused(state: CallState, expected: Verdict) -> None:
    assert verdict(state, DENY) == expected


def test_a_long_text_that_is_no_json_is_shown_in_part() -> None:
    refused = verdict(CallState(call("c1", malformed="x" * 300)))
    assert isinstance(refused, Refuse)
    assert f"'{'x' * 200}...'" in refused.why


@pytest.mark.parametrize(
    ("state", "log", "found", "expected"),
    [
        pytest.param(CallState(UPLOAD), Log(), None, LEAVES, id="nobody allowed it"),
        pytest.param(
            CallState(UPLOAD, decision=APPROVED), Log(), None, RUN, id="a human approved it"
        ),
        pytest.param(CallState(UPLOAD), REMEMBERED, None, RUN, id="for the session"),
        pytest.param(
            CallState(UPLOAD), REMEMBERED, Rule("ask", "upload"), RUN, id="whatever rule asks"
        ),
        pytest.param(
            CallState(UPLOAD), REMEMBERED, Rule("always_ask", "upload", reason="Mind."),
            Ask("Mind."), id="but one that always asks",
        ),
        pytest.param(
            CallState(call("c1", "upload", effect="execute")), REMEMBERED, Rule("ask", "upload"),
            Ask("a rule asks before upload"), id="for the session, but not to do something else",
        ),
        pytest.param(
            CallState(call("c1", "upload", effect="spend")), REMEMBERED, None,
            Ask("it leaves the sandbox (may spend)"), id="nor to spend",
        ),
        pytest.param(CallState(UPLOAD), AUTO, None, RUN, id="approval is automatic"),
        pytest.param(CallState(UPLOAD), capped(0.49), None, RUN, id="and below its cap"),
        pytest.param(CallState(UPLOAD), capped(0.5), None, LEAVES, id="not at its cap"),
        pytest.param(CallState(UPLOAD), capped(None), None, LEAVES, id="nor at an unknown cost"),
        pytest.param(
            CallState(call("c1", "train", effect="spend")), AUTO, None,
            Ask("it leaves the sandbox (may spend)"), id="but not for what costs money",
        ),
        pytest.param(
            CallState(UPLOAD), AUTO, Rule("always_ask", "upload", reason="Mind."), Ask("Mind."),
            id="nor for what always asks",
        ),
    ],
)  # fmt: skip
def test_who_allows_a_call(
    state: CallState, log: Log, found: Rule | None, expected: Verdict
) -> None:
    assert verdict(state, *([found] if found else []), log=log) == expected


def test_an_edit_is_checked_like_a_call() -> None:
    found = rules(DENY)
    assert found.objection("bash", {"command": "rm -r data"}) == DENIED
    assert found.objection("bash", {"bad": 1}) == Refuse("error", "`bad` is not an argument.")
    assert found.objection("bash", {"command": "ls"}) is None


def test_a_rejection_may_come_without_a_word() -> None:
    assert rejected(None) == "Rejected by the user."


def test_a_pattern_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(ConfigProblem, match=r"approval\.rules: '\(' is not a regular expression"):
        Rules(Policy(rules=(Rule("deny", match={"command": "("}),)), check)


POLICIES = st.lists(
    st.builds(
        Rule,
        decision=st.sampled_from(["allow", "ask", "always_ask", "deny"]),
        tool=st.sampled_from(["*", "bash", "up*"]),
        match=st.sampled_from([{}, {"command": "rm"}, {"command": "^ls$"}]),
    ),
    max_size=4,
)
STATES = st.builds(
    CallState,
    made=st.builds(
        call,
        tool=st.sampled_from(["bash", "upload", "nosuch"]),
        arguments=st.sampled_from([{"command": "rm x"}, {"command": "ls"}, {"bad": 1}]),
        effect=st.sampled_from(["read", "execute", "spend", "publish"]),
    ),
    asked=st.booleans(),
    decision=st.one_of(
        st.none(),
        st.builds(
            Decision,
            call=st.just("c1"),
            decision=st.sampled_from(["approve", "reject"]),
            arguments=st.sampled_from([None, {"command": "rm y"}, {"command": "ls"}]),
        ),
    ),
)


def first_match(found: list[Rule], tool: str, arguments: JsonObject) -> str | None:
    """The decision of the first rule, by plain words instead of patterns."""
    for rule in found:
        named = rule.tool == "*" or rule.tool == tool or (rule.tool == "up*" and tool == "upload")
        command = str(arguments.get("command"))
        wanted = rule.match.get("command")
        fits = wanted is None or (wanted == "rm" and "rm" in command) or command == wanted[1:-1]
        if named and fits:
            return rule.decision
    return None


@given(STATES, POLICIES, st.sampled_from([Log(), AUTO, REMEMBERED]))
def test_a_denied_call_never_runs_whoever_allows_it(
    state: CallState, found: list[Rule], log: Log
) -> None:
    expected = first_match(found, state.made.tool, state.arguments)
    answer = Rules(Policy(rules=tuple(found)), check).verdict(state, log.history)
    if expected == "deny" or (state.decision and state.decision.decision == "reject"):
        assert isinstance(answer, Refuse)
    if expected == "always_ask" and state.decision is None:
        assert not isinstance(answer, Run)


@given(STATES, POLICIES, st.sampled_from([Log(), AUTO, REMEMBERED]))
def test_nobody_is_asked_about_what_would_be_refused_or_was_ruled_on(
    state: CallState, found: list[Rule], log: Log
) -> None:
    judge = Rules(Policy(rules=tuple(found)), check)
    history: History = log.history
    if isinstance(judge.verdict(state, history), Ask):
        assert state.decision is None
        approved = replace(state, decision=APPROVED)
        assert judge.verdict(approved, history) == RUN


def test_a_call_that_held_a_credential_is_not_run_without_it() -> None:
    state = CallState(call("c1", "write", {"path": "a", "content": ["x [hidden: API key] y"]}))
    refused = verdict(state)
    assert isinstance(refused, Refuse)
    assert (refused.status, "held a credential" in refused.why) == ("error", True)


SLOW = Rule("allow", "bash", {"command": r"(\w+\s?)*$"})
ENDLESS = "a" * 100_000 + "!"


@pytest.mark.parametrize("decision", ["allow", "ask", "always_ask", "deny"])
def test_a_call_that_a_rule_cannot_be_tried_on_in_time_is_not_run(decision: Ruled) -> None:
    told = verdict(
        CallState(call("c1", "bash", {"command": ENDLESS})), replace(SLOW, decision=decision)
    )
    assert isinstance(told, Refuse)
    assert told.status == "rejected"
    assert "takes too long on these arguments" in told.why


def test_a_rule_that_fails_elsewhere_need_not_be_tried_to_its_end() -> None:
    both = Rule("deny", "bash", {"command": r"(\w+\s?)*$", "description": "never"})
    arguments: JsonObject = {"command": ENDLESS, "description": "x"}
    assert verdict(CallState(call("c1", "bash", arguments)), both) == RUN
