"""What every story has: a server, a model that says what the story tells it to, and viewers."""

import asyncio
import io
import json
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
from websockets.exceptions import InvalidStatus

from tests.api import Answer, Api
from tests.client import WITHIN, Viewer
from tests.model_server import CallScript, ModelServer, Reply
from tests.model_server.server import DEFAULT, DEFAULT_PLAIN
from tests.oracle import Frame
from tests.serving import Server

CONFIG: Frame = {
    "limits": {"submissions_per_minute": 100_000},
    "retry": {"transient_seconds": [0.02, 0.04], "rate_limit_seconds": [0.02, 0.04]},
    "approval": {
        "rules": [
            {
                "tool": "bash",
                "match": {"command": "forbidden"},
                "decision": "deny",
                "reason": "the house forbids it",
            },
            {
                "tool": "bash",
                "match": {"command": "always-ask"},
                "decision": "always_ask",
                "reason": "it always asks",
            },
            {
                "tool": "bash",
                "match": {"command": "please-ask"},
                "decision": "ask",
                "reason": "the story asks",
            },
        ]
    },
}
UNTIL_GO = "echo waiting; while [ ! -e go ]; do sleep 0.02; done; echo went"
"""A command that runs until the story puts the file `go` into the workspace."""


class StoryModel(ModelServer):
    """The test model, one for all stories of a module; each story begins with a fresh one."""

    def fresh(self) -> None:
        self._queue.clear()
        self._plain.clear()
        self.requests.clear()
        self.plain_requests.clear()
        self.disconnected = 0
        self.answer = lambda seen: None
        self.default, self.default_plain = DEFAULT, DEFAULT_PLAIN

    async def quiet(self) -> None:
        """Wait until nobody listens any more."""
        await self._until(lambda: not self._streams)

    @property
    def left(self) -> list[Reply]:
        return [*self._queue, *self._plain]


class Story:
    """One story's world; what it opened is closed, judged and deleted at its end."""

    def __init__(self, server: Server, model: StoryModel, stack: AsyncExitStack) -> None:
        self.server = server
        self.model = model
        self.api: Api
        self._stack = stack
        self._viewers: list[Viewer] = []

    async def connect(self, headers: dict[str, str] | None = None) -> Api:
        """(Again) after a start of the server, whose port is another one then."""
        self.api = await self._stack.enter_async_context(Api(self.server.url, headers))
        return self.api

    async def join(self, session: str, **how: Any) -> Viewer:
        """A viewer that has got everything up to now."""
        viewer = Viewer(self.server.url, session, **{"headers": self.api.headers, **how})
        self._viewers.append(await self._stack.enter_async_context(viewer))
        return await viewer.synced()

    async def begin(self, **fields: Any) -> tuple[str, Viewer]:
        """A new session and its first viewer."""
        session = await self.api.session(**fields)
        return session, await self.join(session)

    async def turn(self, viewer: Viewer, text: str, *replies: Reply, **fields: Any) -> Frame:
        """One whole turn; its `turn_ended`."""
        self.model.play(*replies)
        answer = await viewer.say(text, **fields)
        started = await viewer.until("turn_started", submission=answer["id"])
        return await viewer.until("turn_ended", turn=started["turn"])

    async def put(self, session: str, name: str, content: bytes = b"") -> None:
        """A file into the session's workspace."""
        path = f"/api/sessions/{session}/files"
        await self.api.good("POST", path, data=form(name, content))

    async def restart(self) -> None:
        """`kill -9`, and a new server on the same data."""
        await self.server.restart()
        await self.connect()

    async def judge(self) -> None:
        """What any viewer saw is in the log, event by event."""
        for viewer in self._viewers:
            session = viewer.session
            if self.server.running and viewer.events:
                answer = await self.api.get(f"/api/sessions/{session}")
                if answer.status == 200:
                    seen = list(viewer.events)
                    stored = await self.api.events(session, seen[0]["seq"] - 1)
                    assert stored[: len(seen)] == seen, "a viewer saw the log"

    async def tidy(self) -> None:
        await tidy(self.api, self.model)


async def tidy(api: Api, model: StoryModel) -> None:
    """Delete what a story left, so that nothing of it disturbs the next one."""
    while page := (await api.good("GET", "/api/sessions", limit=500))["sessions"]:
        for session in page:
            await api.call("DELETE", f"/api/sessions/{session['id']}")
    async with asyncio.timeout(WITHIN):
        await model.quiet()


def form(name: str, content: bytes) -> Any:
    """The multipart body of an upload of one file."""
    body = aiohttp.FormData(quote_fields=False)  # as browsers do
    body.add_field("file", io.BytesIO(content), filename=name)
    return body


def bash(command: str, **more: Any) -> CallScript:
    return CallScript("bash", {"command": command, **more})


def calls(*scripts: CallScript, text: str = "") -> Reply:
    return Reply(text=text, calls=scripts)


def told(events: Iterable[Frame]) -> list[str]:
    """The types in order, without the book-keeping whose place is not promised."""
    return [event["type"] for event in events if event["type"] != "usage"]


def named(frame: Frame, *dropped: str) -> Frame:
    """The frame without its time and the fields that a story does not care for."""
    return {key: value for key, value in frame.items() if key not in ("at", *dropped)}


def shown(request: Any) -> str:
    """What the model was shown of the conversation, the system prompt aside, as one text."""
    return "\n".join(
        json.dumps(message, ensure_ascii=False)
        for message in request.messages
        if message["role"] != "system"
    )


def spoken(text: str) -> str:
    """The text as `shown` writes it."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def wrong_body(answer: Answer) -> bool:
    """A refusal of a body; the contract does not say by which of two statuses."""
    return (answer.status, answer.code) in ((400, "bad_request"), (422, "malformed"))


def alive(marker: str) -> list[int]:
    """Processes on this machine whose command line holds the marker."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def up_when_asleep(marker: str, count: int) -> str:
    """Says `up` once so many `sleep marker` sleep: a shell forks them before it becomes them."""
    asleep = f"grep -lsz '^{marker}$' /proc/[0-9]*/cmdline | wc -l"
    return f"until [ $({asleep}) -ge {count} ]; do :; done; echo up"


async def handshake_refusal(viewer: Viewer) -> tuple[int, str]:
    """Status and error code of a handshake that must be refused."""
    try:
        async with viewer:
            raise AssertionError("the handshake was accepted")
    except InvalidStatus as refused:
        error = json.loads(refused.response.body or b"{}")["error"]
        return refused.response.status_code, error["code"]


def rule(call: str, decision: str, **more: object) -> Frame:
    """One decision of an approval."""
    return {"call": call, "decision": decision, **more}


async def asked(story: Story, viewer: Viewer, *scripts: CallScript) -> Frame:
    """A turn that has come to its question."""
    story.model.play(calls(*scripts, text="May I?"))
    await viewer.say("Go")
    return await viewer.until("approval_required")
