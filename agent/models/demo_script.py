"""The demo's script: what it says and does next, as a function of the messages it is shown."""

import re
from collections.abc import Callable, Sequence

from msgspec import Struct

from agent.conversation import Message
from agent.protocol import JsonObject

LABEL = "**Demo model – a fixed script, no AI.**"
TITLE = "A tour with the demo model"
NOTE = "[Note from Mooring]"
"""How a message begins that no person wrote."""

REASONING = "This is no thinking: the demo shows where a model's reasoning appears."
MARKDOWN = """
## What a reply may hold

Text with **bold**, *italic*, `code` and a [link](https://example.com).

1. First this,
2. then that:
   - a nested item
   - another

| Step | Takes |
|------|------:|
| read | 2 ms  |
| run  | 40 ms |

```python
def greet(name: str) -> str:
    return f"Hello, {name}!"
```

> A quotation closes the list of things that a page must draw.
"""
LINES = 120
"""Lines of the long reply: enough to stop it, to leave and to come back."""
COUNTING = 'for n in $(seq 1 60); do echo "second $n of 60"; sleep 1; done'


class Act(Struct, frozen=True):
    """A tool call of the script."""

    tool: str
    arguments: JsonObject


class Scene(Struct, frozen=True):
    """One reply: what is said, then what is called, all at once. `fails` breaks it off instead."""

    text: str
    acts: tuple[Act, ...] = ()
    reasoning: str = ""
    fails: bool = False


class Stage(Struct, frozen=True):
    """What the script may look at. `results` came since the person's last message.

    `number` counts the person's messages, so that each visit uses files of its own.
    """

    words: frozenset[str]
    results: tuple[str, ...]
    number: int


def next_scene(messages: Sequence[Message]) -> Scene:
    stage = _stage(messages)
    for words, play in _PLAYS:
        if stage.words & words:
            return play(stage)
    return _tour(stage)


def _stage(messages: Sequence[Message]) -> Stage:
    spoken = [at for at, message in enumerate(messages) if _by_a_person(message)]
    last = spoken[-1] if spoken else 0
    said = messages[last].text.lower() if spoken else ""
    results = tuple(message.text for message in messages[last:] if message.role == "tool")
    return Stage(frozenset(re.findall(r"\w+", said)), results, len(spoken))


def _by_a_person(message: Message) -> bool:
    parts = [part for part in message.text.split("\n\n") if part]
    return message.role == "user" and not all(part.startswith(NOTE) for part in parts)


def _tour(stage: Stage) -> Scene:
    file = f"tour-{stage.number}.sh"
    squares = 'for n in 1 2 3 4 5; do\n  echo "$n squared is $((n * n))"\n  sleep 0.3\ndone\n'
    match len(stage.results):
        case 0:
            text = f"{LABEL} I show you around: first I write down a plan, then I do real work."
            return Scene(f"{text}\n\n", (_plan(0),), REASONING)
        case 1:
            write = Act("write", {"path": file, "content": squares})
            return Scene(
                f"I write a small script, `{file}`, into this session's workspace.", (write,)
            )
        case 2:
            run = Act("bash", {"command": f"sh {file}", "description": "Run the script"})
            text = "Now I run it in the sandbox and read it back, both at the same time."
            return Scene(text, (run, Act("read", {"path": file})))
        case 3 | 4:
            return Scene("That worked. I cross it off.", (_plan(2),))
        case 5:
            return Scene(
                "Deleting a file needs your consent, so now I ask for it.", (_delete(file),)
            )
        case 6:
            return Scene("", (_plan(3),))
        case _:
            printed = f"The script's last line was `{_last_line(stage.results[2])}`."
            return Scene(f"{printed} {_ruling(stage.results[5], file)}\n\n{_INVITATION}")


def _approve(stage: Stage) -> Scene:
    file = f"precious-{stage.number}.txt"
    match len(stage.results):
        case 0:
            write = Act("write", {"path": file, "content": "Do not delete me lightly.\n"})
            return Scene(
                f"{LABEL} I make a file first, then I ask whether I may delete it.", (write,)
            )
        case 1:
            return Scene(f"May I delete `{file}`?", (_delete(file),))
        case _:
            return Scene(_ruling(stage.results[1], file))


def _stop(stage: Stage) -> Scene:
    if not stage.results:
        count = Act("bash", {"command": COUNTING, "description": "Count to sixty", "timeout": 90})
        return Scene(
            f"{LABEL} I count to sixty in the sandbox. Stop me whenever you like.", (count,)
        )
    return Scene(f"Nobody stopped me. The last line was `{_last_line(stage.results[0])}`.")


def _long(stage: Stage) -> Scene:
    lines = (
        f"{n}. This is line {n} of {LINES}; leave, come back, or stop me.\n"
        for n in range(1, LINES + 1)
    )
    return Scene(f"{LABEL} A long reply:\n\n{''.join(lines)}")


def _markdown(stage: Stage) -> Scene:
    return Scene(f"{LABEL}\n{MARKDOWN}")


def _error(stage: Stage) -> Scene:
    return Scene(f"{LABEL} You asked for an error, so I break off here.", fails=True)


_PLAYS: tuple[tuple[frozenset[str], Callable[[Stage], Scene]], ...] = (
    (frozenset({"error", "fail"}), _error),
    (frozenset({"markdown", "table"}), _markdown),
    (frozenset({"stop", "interrupt", "count"}), _stop),
    (frozenset({"long", "slow"}), _long),
    (frozenset({"approve", "approval", "ask", "delete"}), _approve),
)
_INVITATION = (
    "That was the tour. Send `approve`, `stop`, `long`, `markdown` or `error` to see one thing at "
    "a time, or set a model to talk to a real one."
)
_STEPS = ("Write a script", "Run it and read it back", "Clean up, if you agree")


def _plan(done: int) -> Act:
    """The plan with its first `done` steps completed and the next one begun."""
    marks = ["completed"] * done + ["in_progress"] + ["pending"] * len(_STEPS)
    items = [
        {"id": str(number), "content": step, "status": mark}
        for number, (step, mark) in enumerate(zip(_STEPS, marks, strict=False), 1)
    ]
    return Act("plan", {"items": items})


def _delete(file: str) -> Act:
    return Act("bash", {"command": f"rm {file}", "description": f"Delete {file}"})


def _ruling(result: str, file: str) -> str:
    if not result.startswith("Rejected"):
        return f"The command that deletes `{file}` was allowed to run."
    _, asked, feedback = result.partition("They said: ")
    heard = f" I read what you said: “{feedback}”" if asked else ""
    return f"You said no, so `{file}` is still there.{heard}"


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1][:80] if lines else "(nothing)"
