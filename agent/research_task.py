"""A research: a helper of the agent with a conversation of its own, that only reads."""

import asyncio
from collections.abc import Callable

import msgspec
from msgspec import Struct

from agent.approval import Ask, Refuse, Run
from agent.asking import Desk, ask, usage_of
from agent.budget import ran_out
from agent.conversation import CallMade, Message
from agent.edges import UNKNOWN
from agent.history import CallState, History, estimate_tokens
from agent.means import Means
from agent.models.port import ModelError, ModelRequest
from agent.protocol import CallId, OutputStatus, Step, ToolCall, TurnId
from agent.reply import DROPPED, Reply, call_made
from agent.tools.port import Assignment, Call, Outcome
from agent.tools.printed import Printed
from agent.tools.research import NOT_FOR_A_HELPER

LONGEST_OUTPUT = 8_000
"""Characters of one result that the helper is shown."""
LONGEST_SHOWN = 2_000
"""Characters of it that people are shown."""
LONGEST_LINE = 200
FULL = 0.9
"""The part of a model's context window that may be used."""
CONCLUDE = "[Note from Mooring] You have no calls left. Answer now with what you have found."
ONLY_READS = (
    "This call may change something, and you only read. Say in your answer who should do it."
)
CUT_OFF = "\n[The answer ends here: it ran into the output limit of the model.]"
NEEDS_A_HUMAN = (
    "A human has to allow this call first ({why}), and cannot be asked from here. "
    "Find another way, or say in your answer what should be called."
)


class Result(Struct, frozen=True):
    """What came of one call of the helper."""

    status: OutputStatus
    output: str


class ResearchTask:
    """Runs inside the call that asked for it: what stops that stops this, and it keeps no state
    but its conversation. Each call is judged as one of the agent's own, and asks nobody."""

    def __init__(
        self,
        call: CallId,
        turn: TurnId,
        history: History,
        means: Means,
        desk: Desk,
    ) -> None:
        self._call = call
        self._turn = turn
        self._history = history
        self._means = means
        self._desk = desk
        self._show: Callable[[str], None] = lambda _: None
        self._told: list[Message] = []
        self._tokens = 0
        """About how many the next request has."""
        self._files: dict[str, None] = {}

    async def study(self, assignment: Assignment, show: Callable[[str], None]) -> Outcome:
        """The helper's last word; or, where it could not come to one, why, and how far it came."""
        self._show = show
        system = Message("system", self._means.research_prompt)
        self._told = [system, Message("user", _asked(assignment))]
        try:
            return await self._led()
        except ModelError as error:
            return self._broken_off(f"The model failed: {error.message}")

    async def _led(self) -> Outcome:
        for left in reversed(range(self._means.research.max_iterations)):
            turn, allowance = self._history.turns[self._turn], self._means.allowance
            if (limit := ran_out(turn, allowance)) is not None:
                return self._broken_off(f"The turn has reached its limit ({limit}).")
            is_last = left == 0 or self._tokens > self._room
            if is_last:
                self._told.append(Message("user", CONCLUDE))
            reply = await self._ask()
            if is_last or not reply.calls:
                return self._concluded(reply)
            await self._go_on(reply)
        raise AssertionError("the last call concludes")

    @property
    def _model(self) -> str:
        return self._means.research.model or self._history.model

    @property
    def _room(self) -> float:
        window = self._means.models.context(self._model)
        return min(self._means.research.max_context, window * FULL)

    async def _ask(self) -> "Unseen":
        means = self._means
        schemas = means.toolbox.reading()
        tools = tuple(schema for schema in schemas if schema.name not in NOT_FOR_A_HELPER)
        request = ModelRequest(self._model, tuple(self._told), tools)
        reply = await ask(means, self._desk, request, Unseen, turn=self._turn, busy="tools")
        used = reply.used(request.messages)
        self._tokens = used.input_tokens + used.output_tokens
        await self._desk.record(usage_of(used, request.model, "research", self._turn))
        return reply

    async def _go_on(self, reply: "Unseen") -> None:
        """Tell it what came of its calls, in their order; one that ran into its limit has none."""
        if reply.truncated:
            said = (Message("assistant", reply.text),) if reply.text else ()
            self._told += (*said, Message("user", DROPPED))
            return
        mint, stakes = self._means.new_id, self._means.toolbox.stakes
        calls = [call_made(self._turn, mint("step"), call, stakes) for call in reply.calls]
        made = tuple(CallMade(call.call, call.tool, call.arguments) for call in calls)
        self._told.append(Message("assistant", reply.text, calls=made))
        async with asyncio.TaskGroup() as group:
            steps = [group.create_task(self._step(call), name=call.call) for call in calls]
        for call, step in zip(calls, steps, strict=True):
            output = UNKNOWN if step.cancelled() else step.result()  # by its own tool
            self._told.append(Message("tool", output, call=call.call))
            self._tokens += estimate_tokens(output)

    async def _step(self, made: ToolCall) -> str:
        """One call of the helper, told to people when it begins and when it has ended."""
        began = self._means.clock()
        self._show(_line(made))
        result = await self._result(made)
        seconds = round(self._means.clock() - began, 3)
        shown = Printed(LONGEST_SHOWN)
        shown.add(result.output)
        step = Step(
            turn=self._turn,
            call=self._call,
            step=made.call,
            tool=made.tool,
            arguments=made.arguments,
            status=result.status,
            output=shown.cut()[0],
            seconds=seconds,
        )
        await self._desk.record(step)
        return result.output

    async def _result(self, made: ToolCall) -> Result:
        """Judged by the rules of the agent's own calls, and run only where it just reads."""
        means = self._means
        match means.rules.verdict(CallState(made), self._history):
            case Refuse(status, why):
                return Result(status, why)
            case Ask(reason):
                return Result("rejected", NEEDS_A_HUMAN.format(why=reason))
            case Run():
                pass
        reads = means.toolbox.stakes(made.tool, made.arguments).effect == "read"
        if not reads or made.tool in NOT_FOR_A_HELPER:
            return Result("rejected", ONLY_READS)
        call = Call(made.call, means.workspace, lambda _: None, means.keys)
        done = await means.toolbox.call(made.tool, made.arguments, call, LONGEST_OUTPUT)
        self._files |= dict.fromkeys(done.files)
        return Result(done.status, means.redactor.text(done.output))

    def _concluded(self, reply: "Unseen") -> Outcome:
        if not reply.text:
            return self._broken_off("The helper ended without an answer.")
        cut = CUT_OFF if reply.truncated else ""
        return Outcome("ok", reply.text + cut, files=tuple(self._files))

    def _broken_off(self, why: str) -> Outcome:
        words = (m.text for m in reversed(self._told) if m.role == "assistant" and m.text)
        last = next(words, None)
        so_far = f"\nThe last that the helper said:\n{last}" if last else ""
        return Outcome("error", f"The research is not finished. {why}{so_far}")


class Unseen(Reply):
    """A reply that nobody watches grow: as long as it is not whole it can be asked for again."""

    def __init__(self) -> None:
        super().__init__("", lambda kind, item: _UNSEEN)

    @property
    def was_shown(self) -> bool:
        return False


class _Unseen:
    def grow(self, text: str) -> None: ...


_UNSEEN = _Unseen()


def _asked(assignment: Assignment) -> str:
    known = assignment.context.strip()
    return f"{assignment.task}\n\n[What is known already]\n{known}" if known else assignment.task


def _line(made: ToolCall) -> str:
    arguments = msgspec.json.encode(made.arguments).decode()
    said = f"{made.tool} {made.malformed or arguments}"
    said = " ".join(said.split())
    return f"{said if len(said) <= LONGEST_LINE else said[:LONGEST_LINE] + '…'}\n"
