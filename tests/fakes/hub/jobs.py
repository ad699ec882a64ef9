"""The fake Hub's jobs: they do what the test says, and print what it lets them print."""

import asyncio
import base64
import sys
from asyncio.subprocess import PIPE, STDOUT, create_subprocess_exec
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from tests.fakes.hub.repos import Refusal

AT = "2026-11-01T00:00:00.000Z"
HARDWARE = {"cpu-basic": 0.0002, "a10g-small": 0.02, "l4x1": 0.013}
"""Dollars a minute."""


@dataclass(eq=False)
class FakeJob:
    """`print` and `end` are what the test does; `asked` is the body that made it."""

    id: str
    namespace: str
    asked: dict[str, Any]
    stage: str = "RUNNING"
    message: str | None = None
    seconds: int = 0
    printed: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    readers: int = 0
    cuts: int = 0
    """How many times its log has still to break off."""

    @property
    def over(self) -> bool:
        return self.stage in ("COMPLETED", "ERROR", "CANCELED")

    @property
    def handle(self) -> str:
        return f"{self.namespace}/{self.id}"

    def print(self, *lines: str) -> None:
        self.printed += lines
        self._wake()

    @property
    def script(self) -> str:
        """The Python code that the Hub was given to run."""
        return base64.b64decode(self.asked["environment"]["UV_SCRIPT"]).decode()

    async def work(self) -> int:
        """Run the script that it was given, print what that prints; its exit status."""
        process = await create_subprocess_exec(
            sys.executable, "-I", "-c", self.script, stdout=PIPE, stderr=STDOUT
        )
        assert process.stdout is not None
        async for line in process.stdout:
            self.print(line.decode().rstrip("\n"))
        return await process.wait()

    def end(self, stage: str = "COMPLETED", message: str | None = None, seconds: int = 60) -> None:
        self.stage, self.message, self.seconds = stage, message, seconds
        self._wake()

    def cut(self, times: int = 1) -> None:
        """Break off the log that is being read, and the next ones."""
        self.cuts += times
        self._wake()

    def _wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    def told(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "createdAt": AT,
            "startedAt": AT,
            "finishedAt": AT if self.over else None,
            "dockerImage": self.asked.get("dockerImage"),
            "command": self.asked["command"],
            "arguments": [],
            "environment": self.asked["environment"],
            "flavor": self.asked["flavor"],
            "labels": self.asked.get("labels"),
            "status": {"stage": self.stage, "message": self.message},
            "durations": {"schedulingSecs": 1, "runningSecs": self.seconds, "totalSecs": 9},
            "owner": {"id": "1", "name": self.namespace, "type": "user"},
        }


class Jobs:
    """`users` maps tokens to names; `orgs` are namespaces that everybody may pay with."""

    def __init__(self, users: dict[str, str]) -> None:
        self.started: list[FakeJob] = []
        self.schedules: dict[str, dict[str, Any]] = {}
        self.orgs = {"lab"}
        self.arrived = asyncio.Event()
        """Set when a job is started, before the Hub says so."""
        self.hold: asyncio.Event | None = None
        """While it is not set, a job that was started is not answered."""
        self._users = users

    def routes(self) -> Iterator[web.RouteDef]:
        yield web.get("/api/jobs/hardware", self._hardware)
        yield web.post("/api/jobs/{namespace}", self._run)
        yield web.get("/api/jobs/{namespace}", self._list)
        yield web.get("/api/jobs/{namespace}/{id}", self._inspect)
        yield web.get("/api/jobs/{namespace}/{id}/logs", self._logs)
        yield web.post("/api/jobs/{namespace}/{id}/cancel", self._cancel)
        yield web.post("/api/scheduled-jobs/{namespace}", self._schedule)
        yield web.get("/api/scheduled-jobs/{namespace}", self._schedules)
        yield web.get("/api/scheduled-jobs/{namespace}/{id}", self._scheduled)
        yield web.delete("/api/scheduled-jobs/{namespace}/{id}", self._unschedule)
        yield web.post("/api/scheduled-jobs/{namespace}/{id}/{what:suspend|resume}", self._pause)

    def namespace(self, request: web.Request) -> str:
        token = (request.headers.get("Authorization") or "").removeprefix("Bearer ")
        if token not in self._users:
            raise Refusal(401, None, "Invalid username or password.")
        name = request.match_info["namespace"]
        if name != self._users[token] and name not in self.orgs:
            raise Refusal(403, None, "You may not run jobs there.")
        return name

    def _found(self, request: web.Request) -> FakeJob:
        handle = f"{self.namespace(request)}/{request.match_info['id']}"
        for job in self.started:
            if job.handle == handle:
                return job
        raise Refusal(404, None, "Job not found")

    async def _hardware(self, request: web.Request) -> web.Response:
        listed = [
            {
                "name": name,
                "prettyName": name,
                "cpu": "2 vCPU",
                "ram": "16 GB",
                "unitCostMicroUSD": int(cost * 1_000_000),
                "unitCostUSD": cost,
                "unitLabel": "minute",
            }
            for name, cost in HARDWARE.items()
        ]
        return web.json_response(listed)

    async def _run(self, request: web.Request) -> web.Response:
        namespace, asked = self.namespace(request), await request.json()
        if asked["flavor"] not in HARDWARE:
            raise Refusal(400, None, f"No such flavor: {asked['flavor']}")
        job = FakeJob(f"job{len(self.started) + 1}", namespace, asked)
        self.started.append(job)
        self.arrived.set()
        if self.hold is not None:
            await self.hold.wait()
        return web.json_response(job.told())

    async def _list(self, request: web.Request) -> web.Response:
        namespace = self.namespace(request)
        return web.json_response([j.told() for j in self.started if j.namespace == namespace])

    async def _inspect(self, request: web.Request) -> web.Response:
        return web.json_response(self._found(request).told())

    async def _cancel(self, request: web.Request) -> web.Response:
        job = self._found(request)
        if not job.over:
            job.end("CANCELED")
        return web.json_response({})

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        """From the beginning, and on as it is printed, until the job is over."""
        job = self._found(request)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(_event("===== Job started at 2026-11-01 00:00:00 ====="))
        sent = 0
        job.readers += 1
        try:
            while True:
                changed = job.changed
                for line in job.printed[sent:]:
                    await response.write(_event(line))
                sent = len(job.printed)
                if job.cuts:
                    job.cuts -= 1
                    assert request.transport is not None
                    request.transport.abort()
                    return response
                if job.over:
                    return response
                await response.write(b": keep-alive\n\n")
                await changed.wait()
        finally:
            job.readers -= 1

    async def _schedule(self, request: web.Request) -> web.Response:
        namespace, asked = self.namespace(request), await request.json()
        id = f"plan{len(self.schedules) + 1}"
        self.schedules[id] = {
            "id": id,
            "createdAt": AT,
            "jobSpec": asked["jobSpec"],
            "schedule": asked["schedule"],
            "suspend": False,
            "status": {"lastJob": None, "nextJobRunAt": AT},
            "owner": {"id": "1", "name": namespace, "type": "user"},
        }
        return web.json_response(self.schedules[id])

    async def _schedules(self, request: web.Request) -> web.Response:
        self.namespace(request)
        return web.json_response(list(self.schedules.values()))

    def _plan(self, request: web.Request) -> dict[str, Any]:
        self.namespace(request)
        if (id := request.match_info["id"]) not in self.schedules:
            raise Refusal(404, None, "Scheduled job not found")
        return self.schedules[id]

    async def _scheduled(self, request: web.Request) -> web.Response:
        return web.json_response(self._plan(request))

    async def _unschedule(self, request: web.Request) -> web.Response:
        del self.schedules[self._plan(request)["id"]]
        return web.json_response({})

    async def _pause(self, request: web.Request) -> web.Response:
        self._plan(request)["suspend"] = request.match_info["what"] == "suspend"
        return web.json_response({})


def _event(line: str) -> bytes:
    return b"data: " + msgspec.json.encode({"data": line, "timestamp": AT}) + b"\n\n"
