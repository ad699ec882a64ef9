"""How the fake Hub takes files in: preupload, large files by way of Xet, commits as NDJSON."""

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from tests.fakes.hub.repos import Repo, Repos

LARGE = (".safetensors", ".bin", ".parquet")


class Commits:
    """`stored` counts the bytes of large files; of one itself the Hub learns its SHA-256."""

    def __init__(self, repos: Repos) -> None:
        self.stored = 0
        self.messages: list[str] = []
        self._repos = repos

    def routes(self) -> Iterator[web.RouteDef]:
        repo = r"/api/{kind:models|datasets|spaces}/{owner}/{name}"
        yield web.post(f"{repo}/preupload/{{rev}}", self._preupload)
        yield web.post(f"{repo}/commit/{{rev}}", self._commit)
        yield web.get(f"{repo}/xet-write-token/{{rev}}", self._xet_token)
        yield web.post("/cas/v1/xorbs/{path:.*}", self._stored)
        yield web.post("/cas/v1/shards", self._stored)

    async def _preupload(self, request: web.Request) -> web.Response:
        proposal = "create_pr" in request.query
        repo = self._repos.of(request, write=not proposal)
        self._repos.files(repo, request)
        files = (await request.json())["files"]
        modes = [
            {
                "path": one["path"],
                "uploadMode": "lfs" if one["path"].endswith(LARGE) else "regular",
                "shouldIgnore": False,
            }
            for one in files
        ]
        return web.json_response({"files": modes})

    async def _xet_token(self, request: web.Request) -> web.Response:
        self._repos.of(request, write=True)
        cas = str(request.url.origin() / "cas")
        answer = {"casUrl": cas, "accessToken": "xet", "exp": int(time.time()) + 3600}
        return web.json_response(answer)

    async def _stored(self, request: web.Request) -> web.Response:
        """Chunks, compressed in a way of Xet's own: what they hold together only it knows."""
        self.stored += len(await request.read())
        return web.json_response({"was_inserted": True, "result": 1})

    async def _commit(self, request: web.Request) -> web.Response:
        proposal = "create_pr" in request.query
        repo = self._repos.of(request, write=not proposal)
        files = self._repos.files(repo, request)
        number = 1 + sum(name.startswith("refs/pr/") for name in repo.refs)
        if proposal:
            files = repo.refs[f"refs/pr/{number}"] = dict(files)
        for line in (await request.text()).splitlines():
            self._apply(repo, files, json.loads(line))
        repo.commits += 1
        base = f"{request.url.origin()}/{repo.id}"
        answer = {"commitUrl": f"{base}/commit/{repo.oid()}", "commitOid": repo.oid()}
        if proposal:
            answer["pullRequestUrl"] = f"{base}/discussions/{number}"
        return web.json_response(answer)

    def _apply(self, repo: Repo, files: dict[str, bytes], line: dict[str, Any]) -> None:
        value = line["value"]
        match line["key"]:
            case "header":
                self.messages.append(value["summary"])
            case "file":
                files[value["path"]] = base64.b64decode(value["content"])
            case "lfsFile":
                files[value["path"]] = f"sha256 {value['oid']}".encode()
                repo.large.add(value["path"])
            case "deletedFile":
                if value["path"] not in files:
                    raise web.HTTPNotFound(text='{"error": "A file with this name doesn\'t exist"}')
                del files[value["path"]]
            case "deletedFolder":
                for path in [p for p in files if p.startswith(value["path"])]:
                    del files[path]
            case _:
                raise web.HTTPBadRequest
