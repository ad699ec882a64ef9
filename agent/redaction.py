"""Credentials taken out of text, whole or while it grows; formats are those their issuers use."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

E = TypeVar("E", bound=Struct)

LONGEST = 4096
"""Characters of a credential behind its prefix; a growing text holds back no more."""
SHORTEST_KNOWN = 8
"""Shorter keys are not hidden: they would hide words."""
_FIRST_DIGIT = 64
"""Characters within which a key of letters and digits has its first digit."""
_PREFIX = 128
"""Characters in front of a credential's own, at most: its prefix, or the head of a private key."""


class Format(Struct, frozen=True):
    """`one` matches behind a prefix what makes a credential, `run` what may still become one.

    Both are regular expressions, and greedy: `one` never ends before a `run` does that goes on.
    Neither goes back on what it took: a hostile text must not hold up the loop.
    """

    kind: str
    prefixes: tuple[str, ...]
    one: str
    run: str
    boundary: bool = True
    """Whether the prefix must begin a word."""
    longest: int = LONGEST
    """Characters behind the prefix after which a `run` is over."""


def _token(kind: str, *prefixes: str, of: str = "A-Za-z0-9_-", shortest: int = 16) -> Format:
    return Format(kind, prefixes, f"[{of}]{{{shortest},{LONGEST}}}+", f"[{of}]{{0,{LONGEST - 1}}}+")


def _key(kind: str, *prefixes: str, of: str = "A-Za-z0-9_-", shortest: int = 16) -> Format:
    """A token whose prefix begins ordinary words, too: one digit at least tells it from them."""
    plain = _token(kind, *prefixes, of=of, shortest=shortest)
    digit = f"(?=[{of.replace('0-9', '')}]{{0,{_FIRST_DIGIT}}}+[0-9])"
    return Format(kind, prefixes, digit + plain.one, plain.run)


_PART = "[A-Za-z0-9_-]"
FORMATS = (
    _token("Hugging Face token", "hf_oauth_", of="A-Za-z0-9_.-"),
    _token("Hugging Face token", "hf_", "api_org_", of="A-Za-z0-9"),
    _key("Mooring token", "mooring_", shortest=24),
    _token("GitHub token", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", of="A-Za-z0-9", shortest=20),
    _token("GitHub token", "github_pat_", of="A-Za-z0-9_", shortest=20),
    _token("GitLab token", "glpat-", shortest=20),
    _key("API key", "sk-", "gsk_", "pplx-", "sk_live_", "rk_live_"),
    _token("Slack token", "xoxa-", "xoxb-", "xoxe-", "xoxp-", "xoxr-", "xoxs-", shortest=10),
    _token("AWS key", "AKIA", "ASIA", of="A-Z0-9"),
    _token("Google key", "AIza", shortest=35),
    _token("npm token", "npm_", of="A-Za-z0-9", shortest=36),
    _token("PyPI token", "pypi-", shortest=50),
    Format(
        "JSON web token",
        ("eyJ",),
        rf"{_PART}{{8,{LONGEST}}}+\.{_PART}{{8,{LONGEST}}}+\.{_PART}{{8,{LONGEST}}}+",
        rf"[A-Za-z0-9_.-]{{0,{LONGEST - 1}}}+",
    ),
    _key("bearer token", "Bearer ", "bearer ", of="A-Za-z0-9._~+/=-"),
    Format(
        "password",
        ("://",),
        # A variable is no password, and none is the user's own name.
        r"(?!(?P<user>[^\s/\"'<>`:@]{1,256}+):(?P=user)@)"
        r"[^\s/\"'<>`:@]{0,256}+:(?!\$)[^\s/\"'<>`@]{1,256}+@",
        r"[^\s/\"'<>`@]{0,513}+",
        boundary=False,
    ),
    Format(
        "private key",
        ("-----BEGIN ",),
        rf"[A-Z ]{{0,40}}PRIVATE KEY-----(?:(?!-----END)[\s\S]){{0,{4 * LONGEST}}}+",
        r"[A-Z ]{0,40}(?:-{0,5}|PRIVATE KEY-----(?:[^-]++|-(?!----END))*+)",
        boundary=False,
        longest=4 * LONGEST,
    ),
)

ANCHORS = ("_", "-", "://", "AKIA", "ASIA", "AIza", "eyJ", "earer ")
"""One of these is in every prefix: text without any of them needs no closer look."""

_IN_WORD = re.compile("[A-Za-z0-9_]")
Halves = Mapping[str, Sequence[tuple[int, str, bool]]]
"""The last two characters (or the only one) -> how much of which word ends in them, the longest
first, and whether it must begin a word."""


class Marks(Struct, frozen=True):
    """What credentials are told by, made ready once for all texts."""

    known: re.Pattern[str] | None
    anchors: Sequence[str]
    halves: Halves

    def found(self, text: str, start: int = 0) -> Iterator[re.Match[str]]:
        """Credentials from `start` on, as one pattern for all would find them: what users keep is
        looked for beside the formats, which take ten milliseconds to compile."""
        known = self.known.search(text, start) if self.known else None
        formed = _ONE.search(text, start)
        while (first := _first(known, formed)) is not None:
            yield first
            end = first.end()
            if self.known and known and known.start() < end:
                known = self.known.search(text, end)
            if formed and formed.start() < end:
                formed = _ONE.search(text, end)

    def undecided(self, buffer: str, start: int) -> int | None:
        """Where, from `start` on, what goes to the end and may become a credential begins; it may
        have another one in it."""
        places = ((runs, max(start, len(buffer) - reach)) for runs, reach in _OPEN)
        found = [m.start() for runs, place in places if (m := runs.search(buffer, place))]
        if half := self.half(buffer, start):
            found.append(len(buffer) - half)
        return min(found, default=None)

    def may_have(self, text: str) -> bool:
        return any(map(text.__contains__, self.anchors))

    def may_end_in_half(self, text: str) -> bool:
        return text[-2:] in self.halves or text[-1] in self.halves

    def half(self, buffer: str, start: int) -> int:
        """How many of the last characters, from `start` on, may be the beginning of a prefix."""
        ends = (buffer[-2:], buffer[-1:])
        for size, word, boundary in (half for end in ends for half in self.halves.get(end, ())):
            begins = len(buffer) - size
            fits = begins >= start and word.startswith(buffer[begins:])
            if fits and not (boundary and begins and _IN_WORD.match(buffer, begins - 1, begins)):
                return size
        return 0


class Redactor:
    """`known` are credentials that are hidden whatever they look like: the users' own keys."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known: frozenset[str] = frozenset()
        self.learn(known)

    def learn(self, known: Iterable[str]) -> None:
        """Hide these, too, from now on; also in texts that are growing."""
        self._known |= {key for key in known if len(key) >= SHORTEST_KNOWN}
        keys = sorted(self._known, key=len, reverse=True)
        exact = re.compile(f"(?P<known>{'|'.join(map(re.escape, keys))})") if keys else None
        self.marks = Marks(
            known=exact,
            anchors=(*ANCHORS, *keys),
            halves=_halves(keys),
        )
        quoted = [msgspec.json.encode(key)[1:-1] for key in keys]
        self._words = (*quoted, *(p.encode() for f in FORMATS for p in f.prefixes))

    def text(self, text: str) -> str:
        """The text with `[hidden: KIND]` in the place of every credential."""
        marks = self.marks
        if not marks.may_have(text):
            return text
        shown: list[str] = []
        start = 0
        for found in marks.found(text):
            shown += text[start : found.start()], _hidden(found)
            start = found.end()
        return "".join((*shown, text[start:])) if shown else text

    def event(self, event: E) -> E:
        """An event, or any other Struct, without credentials in it, wherever they stand."""
        body = msgspec.json.encode(event)
        if not any(word in body for word in self._words):
            return event
        plain = msgspec.to_builtins(event)
        clean = self._walked(plain)
        return event if clean == plain else msgspec.convert(clean, type(event))

    def stream(self) -> "Stream":
        return Stream(self)

    def _walked(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return [self._walked(part) for part in value]
        if isinstance(value, dict):
            return {self.text(key): self._walked(part) for key, part in value.items()}
        return value


class Stream:
    """A growing text: what `grow` and `rest` return, joined, is what `Redactor.text` returns."""

    __slots__ = ("_before", "_held", "_redactor")

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = ""
        self._before = ""
        """The character before what is held: whether that begins a word."""

    def grow(self, text: str) -> str:
        """What may be shown of the text so far, beyond what was returned before."""
        marks = self._redactor.marks
        if not self._held and text and not marks.may_have(text) and not marks.may_end_in_half(text):
            self._before = text[-1]  # nearly always: what follows takes several times as long
            return text
        buffer = self._before + self._held + text
        start = len(self._before)
        shown: list[str] = []
        if marks.may_have(buffer):
            undecided = marks.undecided(buffer, start)
            if undecided == start:  # as before: a long one is not read again for each word of it
                return self._hold(buffer, start, start, shown)
            for found in marks.found(buffer, start):
                if undecided is not None and undecided <= found.start():
                    break
                shown += buffer[start : found.start()], _hidden(found)
                start = found.end()
                if undecided is not None and undecided < start:
                    undecided = marks.undecided(buffer, start)
            held = len(buffer) if undecided is None else undecided
            return self._hold(buffer, start, held, shown)
        return self._hold(buffer, start, len(buffer) - marks.half(buffer, start), shown)

    def rest(self) -> str:
        """What was held back, now that nothing more comes."""
        buffer, start = self._before + self._held, len(self._before)
        self._before = self._held = ""
        shown: list[str] = []
        for found in self._redactor.marks.found(buffer, start):
            shown += buffer[start : found.start()], _hidden(found)
            start = found.end()
        return "".join((*shown, buffer[start:]))

    def _hold(self, buffer: str, start: int, held: int, shown: list[str]) -> str:
        shown.append(buffer[start:held])
        self._before, self._held = buffer[max(held - 1, 0) : held], buffer[held:]
        return "".join(shown)


def _runs(longest: int) -> tuple[re.Pattern[str], int]:
    """What may become one of those that are over after so many characters."""
    some = [f for f in FORMATS if f.longest == longest]
    return re.compile(rf"(?:{'|'.join(_alternatives('run', some))})\Z"), longest + _PREFIX


def _alternatives(which: str, formats: Sequence[Format]) -> tuple[str, ...]:
    """Those that must begin a word share the one look behind: it is what takes time."""
    words = "|".join(_alternative(f, which) for f in formats if f.boundary)
    others = (_alternative(f, which) for f in formats if not f.boundary)
    return (*([f"(?<!{_IN_WORD.pattern})(?:{words})"] if words else ()), *others)


def _alternative(format: Format, which: str) -> str:
    prefixes = "|".join(re.escape(prefix) for prefix in format.prefixes)
    name = f"f{FORMATS.index(format)}"
    return f"(?P<{name}>(?:{prefixes}){getattr(format, which)})"


def _halves(keys: Sequence[str]) -> Halves:
    words = [(prefix, f.boundary) for f in FORMATS for prefix in f.prefixes]
    halves: dict[str, list[tuple[int, str, bool]]] = {}
    for word, boundary in (*words, *((key, False) for key in keys)):
        for end in range(1, len(word)):
            halves.setdefault(word[max(end - 2, 0) : end], []).append((end, word, boundary))
    return {c: sorted(some, key=lambda half: -half[0]) for c, some in halves.items()}


_ONE = re.compile("|".join(_alternatives("one", FORMATS)))
_OPEN = tuple(map(_runs, sorted({f.longest for f in FORMATS})))
"""Behind each how far from the end it can begin: no other place is looked at."""


def _first(one: re.Match[str] | None, other: re.Match[str] | None) -> re.Match[str] | None:
    if one is None or other is None:
        return one or other
    return one if one.start() <= other.start() else other


def _hidden(found: re.Match[str]) -> str:
    name = found.lastgroup or ""
    return f"[hidden: {'key' if name == 'known' else FORMATS[int(name[1:])].kind}]"
