"""A client of the session socket, written from the wire contract; an oracle judges every frame."""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Any, Self, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.connection import Connection
from tests.oracle import Broken, Frame, Log, law

WITHIN = 60.0
"""Seconds that anything may take, also on a slow and busy machine."""
IDS = count(1)
Found = TypeVar("Found")


class Closed(Broken):
    """The connection ended before what was waited for; whether it may is for the caller to say."""


class Viewer:
    """One connection to one session: `async with Viewer(url, session) as viewer`.

    `log` is what the client has: give it to the next viewer to come back with `after`.
    """

    def __init__(
        self,
        url: str,
        session: str,
        *,
        log: Log | None = None,
        after: int | None = None,
        generation: str | None = None,
        most: int | None = None,
        deltas: str | None = None,
        headers: Mapping[str, str] | None = None,
        subprotocols: tuple[str, ...] = ("mooring.v1",),
    ) -> None:
        self.session = session
        self.log = log or Log()
        if log is None and after:
            self.log.begin(after + 1)
        position = self.log.last if after is None else after
        query = {"after": position or after, "log": generation, "most": most, "deltas": deltas}
        asked = "&".join(f"{key}={value}" for key, value in query.items() if value is not None)
        self.uri = f"ws{url[4:]}/api/sessions/{session}/socket" + (f"?{asked}" if asked else "")
        self.headers = headers or {}
        self.subprotocols = [Subprotocol(name) for name in subprotocols]
        self.connection = Connection(self.log, after=position, deltas=deltas != "none")
        self.frames: list[Frame] = []
        self.bye: Frame | None = None
        self.close_code: int | None = None
        self._read = self.log.last
        self.asked: dict[str | None, deque[asyncio.Future[Frame]]] = defaultdict(deque)
        self._changed = asyncio.Event()
        self._broken: BaseException | None = None
        self._reader: asyncio.Task[None] | None = None
        self._socket: ClientConnection

    async def __aenter__(self) -> Self:
        self._socket = await connect(
            self.uri,
            subprotocols=self.subprotocols or None,
            additional_headers=dict(self.headers),
            max_size=None,
            open_timeout=WITHIN,
            ping_interval=None,
            proxy=None,
            close_timeout=2,
        )
        self._reader = asyncio.create_task(self._take_frames())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.leave()
        if kind is None:
            self.check()

    async def leave(self) -> Log:
        """Close the connection; the log is what a client would come back with."""
        await self._socket.close()
        if self._reader:
            with suppress(asyncio.CancelledError):
                await self._reader
        return self.log

    def cut(self) -> Log:
        """Lose the connection without a word, as a phone in a tunnel does."""
        if self._reader:
            self._reader.cancel()  # what has not been read yet is lost
        self._socket.transport.abort()
        return self.log

    # ---- what came ---------------------------------------------------------------------------

    @property
    def hello(self) -> Frame:
        return self.connection.hello

    @property
    def status(self) -> Frame:
        return self.connection.status

    @property
    def protocol(self) -> str | None:
        return self._socket.subprotocol

    @property
    def events(self) -> list[Frame]:
        return self.log.events

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]

    def of(self, kind: str) -> list[Frame]:
        return [event for event in self.events if event["type"] == kind]

    async def until(self, kind: str, *, within: float = WITHIN, **fields: Any) -> Frame:
        """The next durable event of that kind behind the last one that was waited for."""

        def found() -> Frame | None:
            for event in self.log.events:
                if event["seq"] > self._read and event["type"] == kind and _has(event, fields):
                    self._read = event["seq"]
                    return event
            return None

        return await self.wait(found, f"{kind} {fields}", within)

    async def more(self, *, than: int | None = None, within: float = WITHIN) -> None:
        """Wait for one more durable event than there are, or one behind `than`."""
        head = self.log.last if than is None else than
        await self.wait(lambda: True if self.log.last > head else None, "one more event", within)

    async def live(self, kind: str, *, within: float = WITHIN, **fields: Any) -> Frame:
        """The first frame of that kind, past or to come."""

        def found() -> Frame | None:
            return next((f for f in self.frames if f["type"] == kind and _has(f, fields)), None)

        return await self.wait(found, f"{kind} {fields}", within)

    async def status_is(self, *, within: float = WITHIN, **fields: Any) -> Frame:
        """The newest status, as soon as it says so."""
        return await self.wait(
            lambda: self.status if self.status and _has(self.status, fields) else None,
            f"status {fields}",
            within,
        )

    async def shows(self, text: str, kind: str = "text", *, within: float = WITHIN) -> str:
        """The open text of that kind (text, reasoning, log) that holds `text`."""

        def found() -> str | None:
            open_texts = self.connection.texts.items()
            return next((t for (k, _), t in open_texts if k == kind and text in t), None)

        return await self.wait(found, f"{kind} {text!r}", within)

    async def synced(self) -> Self:
        await self.live("status")
        return self

    async def closed(self, *, within: float = WITHIN) -> int:
        """The close code, once the server has closed."""
        return await self.wait(lambda: self.close_code, "the close", within)

    # ---- what is asked -----------------------------------------------------------------------

    async def say(self, text: str, **fields: Any) -> Frame:
        return await self.accepted("user_input", text=text, **fields)

    async def accepted(self, kind: str, **fields: Any) -> Frame:
        """Send a frame (with a fresh id if none is given) and have it accepted."""
        answer = await self.ask({"type": kind, "id": new_id(), **fields})
        law(answer["type"] == "accepted", f"{kind} {fields} is accepted", answer)
        return answer

    async def refused(self, kind: str, **fields: Any) -> Frame:
        answer = await self.ask({"type": kind, "id": new_id(), **fields})
        law(answer["type"] == "refused", f"{kind} {fields} is refused", answer)
        return answer

    async def ask(self, frame: Frame, *, within: float = WITHIN) -> Frame:
        """Send a frame and have its one answer."""
        return await self.answer(await self.send(frame), within=within)

    async def tell(self, frame: Frame | str | bytes) -> None:
        """Send a frame without waiting for its answer."""
        _ = await self.send(frame)

    async def send(self, frame: Frame | str | bytes) -> asyncio.Future[Frame]:
        """Send a frame as it is; the future of its answer, which comes under the frame's id."""
        name = frame["id"] if isinstance(frame, dict) else None
        future: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self.asked[name].append(future)
        text = json.dumps(frame, ensure_ascii=False) if isinstance(frame, dict) else frame
        await self._socket.send(text)
        return future

    async def answer(self, future: asyncio.Future[Frame], *, within: float = WITHIN) -> Frame:
        def found() -> Frame | None:
            return future.result() if future.done() else None

        return await self.wait(found, "the answer", within)

    # ---- the reader --------------------------------------------------------------------------

    async def wait(
        self, found: Callable[[], Found | None], what: str, within: float = WITHIN
    ) -> Found:
        """What `found` finds, as soon as a frame makes it find something."""
        try:
            async with asyncio.timeout(within):
                while (result := found()) is None:
                    self.check()
                    if self.close_code is not None:
                        raise Closed(f"closed with {self.close_code} before {what}: {self.bye}")
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            came = "\n".join(str(frame)[:300] for frame in self.frames[-12:])
            raise Broken(f"no {what} within {within} s; the last frames were\n{came}") from None
        self.check()
        return result

    def check(self) -> None:
        """Raise what the oracle objected to."""
        if self._broken:
            raise self._broken

    async def _take_frames(self) -> None:
        try:
            async for text in self._socket:
                law(isinstance(text, str), "frames are text", {"frame": text})
                self._take(json.loads(text), str(text))
                self._changed.set()
        except ConnectionClosed:
            pass
        except (Broken, KeyError, ValueError, TypeError) as broken:
            self._broken = broken
        finally:
            self.close_code = self._socket.close_code or 1006
            self._changed.set()

    def _take(self, frame: Frame, text: str) -> None:
        self.frames.append(frame)
        law(self.bye is None, "bye is the last frame", frame)
        self.connection.take(frame)
        if len(self.log.raw) < len(self.log.events):
            self.log.raw.append(text)
        if frame["type"] == "hello" and frame["mode"] == "tail":
            self._read = self.log.last
        elif frame["type"] == "bye":
            self.bye = frame
        elif frame["type"] in ("accepted", "refused", "pong"):
            waiting = self.asked[frame["id"]] or self.asked[None]  # of raw text and bytes
            law(waiting, "each frame has one answer", frame)
            waiting.popleft().set_result(frame)


def new_id() -> str:
    return f"c{next(IDS)}"


def _has(frame: Frame, fields: Mapping[str, Any]) -> bool:
    return all(key in frame and frame[key] == value for key, value in fields.items())
