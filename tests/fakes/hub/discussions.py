"""The fake Hub's pull requests: opened, commented, closed, merged."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.hub.repos import Refusal, Repo, Repos

AT = "2026-11-01T00:00:00.000Z"


@dataclass
class Proposal:
    num: int
    title: str
    author: str
    pull: bool
    status: str
    events: list[dict[str, Any]] = field(default_factory=list)
    diff: str = ""

    def add(self, kind: str, author: str, **data: Any) -> dict[str, Any]:
        event = {
            "id": f"{self.num}-{len(self.events)}",
            "type": kind,
            "createdAt": AT,
            "author": {"name": author},
            "data": data,
        }
        self.events.append(event)
        return event


class Discussions:
    def __init__(self, repos: Repos) -> None:
        self.of: dict[str, list[Proposal]] = {}
        self._repos = repos

    def add(self, repo: Repo, title: str, author: str = "bob", *, pull: bool = True) -> Proposal:
        known = self.of.setdefault(repo.id, [])
        made = Proposal(len(known) + 1, title, author, pull, "draft" if pull else "open")
        known.append(made)
        if pull:
            repo.refs[f"refs/pr/{made.num}"] = dict(repo.refs["main"])
        return made

    def routes(self) -> Iterator[web.RouteDef]:
        repo = r"/api/{kind:models|datasets|spaces}/{owner}/{name}/discussions"
        yield web.get(repo, self._list)
        yield web.post(repo, self._open)
        yield web.get(f"{repo}/{{num}}", self._details)
        yield web.post(f"{repo}/{{num}}/comment", self._comment)
        yield web.post(f"{repo}/{{num}}/status", self._status)
        yield web.post(f"{repo}/{{num}}/merge", self._merge)

    def _found(self, request: web.Request, *, write: bool = False) -> tuple[Repo, Proposal]:
        repo = self._repos.of(request, write=write)
        number = int(request.match_info["num"])
        known = self.of.get(repo.id, [])
        if not 0 < number <= len(known):
            raise Refusal(404, None, "Discussion not found")
        return repo, known[number - 1]

    async def _list(self, request: web.Request) -> web.Response:
        repo = self._repos.of(request)
        status = request.query.get("status")
        known = [p for p in self.of.get(repo.id, []) if status in (None, p.status)]
        listed = [_summary(repo, proposal) for proposal in known]
        return web.json_response({"discussions": listed, "count": len(listed), "start": 0})

    async def _open(self, request: web.Request) -> web.Response:
        repo, user = self._repos.of(request), self._repos.user(request)
        if user is None:
            raise Refusal(401, None, "Invalid username or password.")
        asked = await request.json()
        made = self.add(repo, asked["title"], user, pull=asked["pullRequest"])
        made.add(
            "comment",
            user,
            latest={"raw": asked["description"], "html": ""},
            hidden=False,
            edited=False,
        )
        return web.json_response({"num": made.num})

    async def _details(self, request: web.Request) -> web.Response:
        repo, proposal = self._found(request)
        details = {
            **_summary(repo, proposal),
            "events": proposal.events,
            "diff": proposal.diff,
            "filesWithConflicts": [],
            "changes": {"base": "refs/heads/main"},
        }
        return web.json_response(details)

    async def _comment(self, request: web.Request) -> web.Response:
        _, proposal = self._found(request)
        raw = {"raw": (await request.json())["comment"], "html": ""}
        user = self._repos.user(request)
        if user is None:
            raise Refusal(401, None, "Invalid username or password.")
        event = proposal.add("comment", user, latest=raw, hidden=False, edited=False)
        return web.json_response({"newMessage": event})

    async def _status(self, request: web.Request) -> web.Response:
        _, proposal = self._found(request, write=True)
        proposal.status = (await request.json())["status"]
        event = proposal.add("status-change", "ada", status=proposal.status)
        return web.json_response({"newStatus": event})

    async def _merge(self, request: web.Request) -> web.Response:
        repo, proposal = self._found(request, write=True)
        repo.refs["main"] = dict(repo.refs[f"refs/pr/{proposal.num}"])
        proposal.status = "merged"
        return web.json_response({})


def _summary(repo: Repo, proposal: Proposal) -> dict[str, Any]:
    return {
        "num": proposal.num,
        "title": proposal.title,
        "author": {"name": proposal.author},
        "createdAt": AT,
        "status": proposal.status,
        "isPullRequest": proposal.pull,
        "repo": {"name": repo.id, "type": repo.kind},
    }
