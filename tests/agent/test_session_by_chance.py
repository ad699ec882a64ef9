"""A session played by chance: anything at any time, commits that lag or fail, power that goes."""

from random import Random

import pytest
from hypothesis import settings

from agent.protocol import Compact, Resume, Retry, Undo
from tests.agent.chance import ENDINGS, SUMMARIES, TOOLS, TROUBLES, Sessions
from tests.agent.doubles import Script, calls

DEEDS = (
    *("say", "say", "say", "write", "write", "write", "land", "turn", "let go", "let go"),
    *("ask", "decide", "decide", "interrupt", "manage", "repeat", "world", "trouble", "job"),
)

TestSessionByChance = Sessions.TestCase
TestSessionByChance.settings = settings(max_examples=60, stateful_step_count=40)


class Dice:
    """Evenly thrown, where a search for the smallest example leans towards little of anything."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def throw(self, machine: Sessions) -> None:
        pick, odds = self._random.choice, self._random.random
        match pick(DEEDS):
            case "say":
                replies = [self._reply() for _ in range(pick([0, 1, 2, 3]))]
                machine.say(replies, odds() < 0.3, odds() < 0.5, pick(["queue", "steer"]))
            case "ask":
                machine.ask(pick([Undo, Retry, Compact, Compact, Resume]), odds() < 0.7)
            case "decide":
                machine.decide(0, [pick(["approve", "approve", "reject"]) for _ in range(2)])
            case "interrupt":
                machine.interrupt(pick(["hold", "drop", "continue"]))
            case "manage":
                machine.settle(odds() < 0.5)
                machine.withdraw(pick([0, 1, 2]))
            case "repeat":
                machine.repeat(pick([0, 1, 2, 3]))
                machine.go_away(pick([0, 1, 2, 3]))
            case "world":
                machine.sleep_and_keep(odds() < 0.3)
                machine.choose_a_window(pick([60, 100_000, 100_000]))
                machine.summarise(pick(SUMMARIES), odds() < 0.5)
            case "job":
                machine.end_a_job(pick([0, 1]))
            case "let go":
                machine.let_go(pick(["model", "wait", "stubborn"]))
            case "trouble":
                machine.trouble(pick(TROUBLES), pick([0, 1, 2]))
            case "land":
                machine.land(pick([0, 1, 2, 5]))
            case "turn":
                machine.turn(pick([1, 2, 3, 10]))
            case _:
                machine.write()

    def _reply(self) -> Script:
        if self._random.random() < 0.6:
            made = self._random.choices(TOOLS, k=self._random.choice([1, 1, 2, 3]))
            return calls(*made, text="So:")
        return self._random.choice(ENDINGS)


@pytest.mark.parametrize("seed", range(80))
def test_whatever_happens_the_log_is_right(seed: int) -> None:
    machine, dice = Sessions(), Dice(seed)
    try:
        for _ in range(60):
            dice.throw(machine)
            machine.memory_is_the_log_and_what_is_on_its_way()
            machine.no_tool_ran_twice_or_before_the_log_said_so()
            machine.nothing_broke()
            machine.what_was_accepted_is_on_disk()
    finally:
        machine.teardown()
    assert len(machine.stage.log) > 1
