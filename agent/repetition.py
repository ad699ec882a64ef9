"""Is the model going in circles? The same calls with the same results, again and again."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import msgspec

from agent.history import CallState

WINDOW = 30
"""How many of the last answered calls are looked at."""
SAME_IN_A_ROW = 3
LONGEST_CYCLE = 5

Signature = bytes
_encode = msgspec.json.Encoder(order="deterministic").encode


def signature(call: CallState) -> Signature:
    """Equal for the same tool, arguments and result: polling whose result changes stays quiet."""
    result = call.output.output if call.output is not None else ""
    seen = _encode((call.made.tool, call.arguments, result))
    return blake2b(seen, digest_size=16).digest()


def circling(calls: Iterable[CallState]) -> str | None:
    """What is being repeated, said for the model; None when nothing is."""
    answered = [c for c in calls if c.output is not None][-WINDOW:]
    seen = [signature(c) for c in answered]
    if _ends_in_cycle(seen, length=1, times=SAME_IN_A_ROW):
        return (
            f"You called {answered[-1].made.tool} {SAME_IN_A_ROW} times in a row "
            "with the same arguments and got the same result."
        )
    for length in range(2, LONGEST_CYCLE + 1):
        if _ends_in_cycle(seen, length=length, times=2):
            tools = ", ".join(c.made.tool for c in answered[-length:])
            return f"You repeated the same {length} calls ({tools}) with the same results."
    return None


def _ends_in_cycle(seen: Sequence[Signature], *, length: int, times: int) -> bool:
    if len(seen) < length * times:
        return False
    last = seen[-length:]
    return all(
        seen[len(seen) - length * (n + 1) : len(seen) - length * n] == last for n in range(times)
    )
