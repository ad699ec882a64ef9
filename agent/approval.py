"""Which calls need a human, which are refused, and why: rules from the configuration."""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Literal

import msgspec
from msgspec import Struct, field

from agent.errors import ConfigProblem
from agent.history import CallState, History
from agent.patterns import BadPattern, Pattern
from agent.protocol import Effect, JsonObject

Ruled = Literal["allow", "ask", "always_ask", "deny"]

LEAVES_THE_SANDBOX: tuple[Effect, ...] = ("spend", "publish")
"""Effects that ask by themselves: they reach something outside the session's workspace."""

Check = Callable[[str, JsonObject], str | None]
"""(tool, arguments) -> what is wrong with them, or None."""


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """The first rule that matches decides. `tool` is a name or a pattern (`hf_*`); `match` maps
    argument names to regular expressions that must all be found (values that are no strings are
    searched as JSON)."""

    decision: Ruled
    tool: str = "*"
    match: dict[str, str] = field(default_factory=dict)
    reason: str = ""


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """`ask` names tools or effects that ask; a configuration object."""

    ask: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()


HIDDEN = b"[hidden: "
"""What stands in the place of a credential that was taken out (agent.redaction)."""
REDACTED = (
    "The arguments held a credential, which is taken out of every conversation, so the call was not"
    " run. Let the command read it from a file or a variable that the user provides."
)


UNDECIDED = Rule("deny", reason="a pattern of theirs takes too long on these arguments")
"""What stands for a rule that cannot be tried in time: nobody knows what it would have said."""


class Run(Struct, frozen=True):
    """It may run as it is."""


class Ask(Struct, frozen=True):
    """A human has to rule first."""

    reason: str


class Refuse(Struct, frozen=True):
    """It is answered without being started."""

    status: Literal["error", "rejected", "unknown"]
    why: str


Verdict = Run | Ask | Refuse


class Rules:
    """A policy, ready to judge. Raises ConfigProblem where a regular expression is none."""

    def __init__(self, policy: Policy, check: Check) -> None:
        self._ask = frozenset(policy.ask)
        self._rules = [(rule, _compiled(rule)) for rule in policy.rules]
        self._check = check

    def verdict(self, call: CallState, history: History) -> Verdict:
        """Malformed, unknown and denied calls are refused; a ruling of a human is final."""
        made = call.made
        if call.decision is not None and call.decision.decision == "reject":
            return Refuse("rejected", rejected(call.decision.feedback))
        if made.malformed is not None:
            return Refuse("error", _malformed(made.tool, made.malformed))
        if (objection := self.objection(made.tool, call.arguments)) is not None:
            return objection
        if call.decision is not None:
            return Run()
        return self._ask_or_run(call, self._first(made.tool, call.arguments), history)

    def _ask_or_run(self, call: CallState, rule: Rule | None, history: History) -> Verdict:
        made, reason = call.made, self._reason(call, rule)
        if reason is None:
            return Run()
        if rule is not None and rule.decision == "always_ask":
            return Ask(reason)
        if made.effect == "spend":  # nobody allows what it will cost the next time
            return Ask(reason)
        if (made.tool, made.effect) in history.remembered or _is_automatic(history):
            return Run()
        return Ask(reason)

    def is_unasked(self, call: CallState) -> bool:
        """Of a call that runs: it asks by itself, and nobody ruled on it."""
        if call.decision is not None:
            return False
        return self._reason(call, self._first(call.made.tool, call.arguments)) is not None

    def _reason(self, call: CallState, rule: Rule | None) -> str | None:
        """Why it asks where nothing was allowed beforehand; None where it does not."""
        if rule is None:
            return self._why(call)
        if rule.decision == "allow":
            return None
        always = "always " if rule.decision == "always_ask" else ""
        return rule.reason or f"a rule {always}asks before {call.made.tool}"

    def _why(self, call: CallState) -> str | None:
        made = call.made
        if made.tool in self._ask:
            return f"{made.tool} asks before every call"
        if made.effect in self._ask:
            return f"every call that may {made.effect} asks"
        if made.effect in LEAVES_THE_SANDBOX:
            return f"it leaves the sandbox (may {made.effect})"
        return None

    def objection(self, tool: str, arguments: JsonObject) -> Refuse | None:
        """Why these arguments may not run, whoever would allow it."""
        if HIDDEN in msgspec.json.encode(arguments):
            return Refuse("error", REDACTED)
        if (wrong := self._check(tool, arguments)) is not None:
            return Refuse("error", wrong)
        rule = self._first(tool, arguments)
        if rule is not None and rule.decision == "deny":
            return Refuse("rejected", _denied(tool, rule))
        return None

    def _first(self, tool: str, arguments: JsonObject) -> Rule | None:
        for rule, patterns in self._rules:
            matches = _matches(rule, patterns, tool, arguments)
            if matches is None:
                return UNDECIDED
            if matches:
                return rule
        return None


def _is_automatic(history: History) -> bool:
    """Up to a cap, where there is one; a cost that nobody knows may be above it."""
    cap, spent = history.auto_approval.cost_cap_usd, history.spent.cost_usd
    below = cap is None or (spent is not None and spent < cap)
    return history.auto_approval.enabled and below


def rejected(feedback: str | None) -> str:
    """What the model is told of a call that a human rejected."""
    return "Rejected by the user." + (f" They said: {feedback}" if feedback else "")


def _compiled(rule: Rule) -> Sequence[tuple[str, Pattern]]:
    compiled = []
    for name, source in rule.match.items():
        try:
            compiled.append((name, Pattern(source)))
        except BadPattern as error:
            raise ConfigProblem(
                f"approval.rules: {source!r} is not a regular expression: {error}."
            ) from None
    return compiled


def _matches(
    rule: Rule, patterns: Sequence[tuple[str, Pattern]], tool: str, arguments: JsonObject
) -> bool | None:
    """None where that cannot be told in time."""
    if not fnmatchcase(tool, rule.tool):
        return False
    if any(name not in arguments for name, _ in patterns):
        return False
    found = [pattern.found(_text(arguments[name])) for name, pattern in patterns]
    if False in found:
        return False
    return None if None in found else True


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _denied(tool: str, rule: Rule) -> str:
    why = f": {rule.reason}" if rule.reason else ""
    return f"The rules of this server do not allow this call of {tool}{why}. Do it another way."


def _malformed(tool: str, text: str) -> str:
    shown = text if len(text) <= 200 else f"{text[:200]}..."
    return (
        f"The arguments of {tool} were not a JSON object: {shown!r}. Call it again with valid JSON."
    )
