"""What hides each user's credentials in all that is shown; what is learnt later, too, is hidden."""

from collections.abc import Callable, Iterable, Sequence
from weakref import WeakValueDictionary

from agent.redaction import Redactor

MOST = 300
"""Values remembered of one user; of more, those learnt first are forgotten."""


class Redactors:
    """`host` are this server's own credentials; `in_logs` hides values in what is logged."""

    def __init__(self, host: Iterable[str], in_logs: Callable[[Sequence[str]], None]) -> None:
        self._host = tuple(host)
        self._in_logs = in_logs
        self._known: dict[str, dict[str, None]] = {}
        self._made: WeakValueDictionary[str, Redactor] = WeakValueDictionary()
        in_logs(self._host)

    def of(self, owner: str) -> Redactor:
        """The one of all sessions of a user: it learns while they live."""
        redactor = self._made.get(owner)
        if redactor is None:
            redactor = Redactor((*self._host, *self._known.get(owner, ())))
            self._made[owner] = redactor
        return redactor

    def learn(self, owner: str, values: Sequence[str]) -> None:
        known = self._known.setdefault(owner, {})
        new = [value for value in values if value not in known]
        if not new:
            return
        known |= dict.fromkeys(new)
        while len(known) > MOST:
            del known[next(iter(known))]
        self._in_logs(new)
        if (redactor := self._made.get(owner)) is not None:
            redactor.learn(new)
