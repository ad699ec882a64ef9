"""Which tool call a streamed fragment belongs to, whatever indexes and ids the provider sends."""

import msgspec

from agent.models.port import CallFragment

Key = int | str | None


class _Call:
    """One call being written: `index` is ours, `id` the provider's, `held` waits for the name."""

    def __init__(self, index: int, given: Key) -> None:
        self.index = index
        self.id = given
        self.name = ""
        self.held: list[str] = []
        self.text: list[str] = []

    @property
    def whole(self) -> bool:
        """Are the arguments so far a complete JSON value? A new name then means a new call."""
        text = "".join(self.text)
        if not text.rstrip().endswith("}"):
            return False
        try:
            msgspec.json.decode(text)
        except msgspec.DecodeError:
            return False
        return True


class CallOrder:
    """Numbers calls from 0 in the order they appear.

    Providers are seen to leave out the index, to give every call index 0, to repeat name and id in
    each fragment, to give each fragment a new id, to leave out ids, and to send calls whole. A
    fragment opens a new call when its place is free, or when it carries a name that cannot be
    a repetition: under another id, or after complete arguments.
    """

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._at: dict[int | str, _Call] = {}

    @property
    def nameless(self) -> bool:
        return any(not call.name for call in self._calls)

    def take(self, index: Key, given: Key, name: str | None, arguments: str) -> list[CallFragment]:
        call = self._find(index, given)
        if call is None or (name and _begins(call, given, name)):
            if not (name or arguments or given):
                return []
            call = self._open(index, given)
        call.id = call.id or given
        call.text.append(arguments)
        if call.name:
            return [CallFragment(call.index, arguments=arguments)] if arguments else []
        if not name:
            call.held.append(arguments)
            return []
        call.name = name
        return [CallFragment(call.index, name, "".join([*call.held, arguments]))]

    def _find(self, index: Key, given: Key) -> _Call | None:
        if index is not None:
            return self._at.get(index)
        known = next((call for call in self._calls if given and call.id == given), None)
        return known or (self._calls[-1] if self._calls else None)

    def _open(self, index: Key, given: Key) -> _Call:
        call = _Call(len(self._calls), given)
        self._calls.append(call)
        if index is not None:
            self._at[index] = call
        return call


def _begins(call: _Call, given: Key, name: str) -> bool:
    """Does `name` begin another call at the place of `call`?"""
    if not call.name:
        return False
    if given and call.id:
        return given != call.id
    return name != call.name or call.whole
