"""The fake Hub's repositories: trees, files, refs, and who may see them."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from aiohttp import web


@dataclass
class Repo:
    """`refs` holds the files of every branch and tag; a private or gated one is its owner's."""

    id: str
    kind: str
    private: bool = False
    gated: str | bool = False
    refs: dict[str, dict[str, bytes]] = field(default_factory=lambda: {"main": {}})
    tags: set[str] = field(default_factory=set)
    large: set[str] = field(default_factory=set)
    commits: int = 0

    @property
    def owner(self) -> str:
        return self.id.partition("/")[0]

    def oid(self) -> str:
        return hashlib.sha1(f"{self.id} {self.commits}".encode()).hexdigest()


class Refusal(web.HTTPException):
    """As the Hub refuses: the code in a header, words in the body."""

    def __init__(self, status: int, code: str | None, says: str) -> None:
        self.status_code = status
        headers = {"X-Error-Message": says, **({"X-Error-Code": code} if code else {})}
        super().__init__(headers=headers, text=f'{{"error": "{says}"}}')
        self.content_type = "application/json"


class Repos:
    def __init__(self, users: Mapping[str, str]) -> None:
        self.all: dict[tuple[str, str], Repo] = {}
        self._users = users

    def add(self, id: str, kind: str = "model", **more: object) -> Repo:
        repo = Repo(id, kind)
        for name, value in more.items():
            setattr(repo, name, value)
        self.all[kind, id] = repo
        return repo

    def routes(self) -> Iterator[web.RouteDef]:
        repo = r"/api/{kind:models|datasets|spaces}/{owner}/{name}"
        yield web.post("/api/repos/create", self._create)
        yield web.post("/api/validate-yaml", self._validate)
        yield web.get(f"{repo}/tree/{{rev}}", self._tree)
        yield web.get(f"{repo}/tree/{{rev}}/{{path:.*}}", self._tree)
        yield web.get(f"{repo}/refs", self._refs)
        yield web.get(f"{repo}/revision/{{rev}}", self._info)
        yield web.get(repo, self._info)
        yield web.put(f"{repo}/settings", self._settings)
        yield web.post(f"{repo}/branch/{{ref}}", self._branch)
        yield web.delete(f"{repo}/branch/{{ref}}", self._delete_ref)
        yield web.post(f"{repo}/tag/{{rev}}", self._tag)
        yield web.delete(f"{repo}/tag/{{ref}}", self._delete_ref)
        for prefix in ("/datasets", "/spaces", ""):
            yield web.get(f"{prefix}/{{owner}}/{{name}}/resolve/{{rev}}/{{path:.*}}", self._file)

    def of(self, request: web.Request, *, write: bool = False) -> Repo:
        """Raises Refusal, as the Hub does: what may not be seen does not exist."""
        match = request.match_info
        kind = (match.get("kind") or request.path.split("/")[1]).removesuffix("s")
        kind = kind if kind in ("dataset", "space") else "model"
        repo = self.all.get((kind, f"{match['owner']}/{match['name']}"))
        user = self.user(request)
        if repo is None or (repo.private and user != repo.owner):
            raise Refusal(404 if user else 401, "RepoNotFound", "Repository not found")
        if write and user != repo.owner:
            says = "You don't have the rights to do this"
            raise Refusal(403 if user else 401, None, says)
        if repo.gated and user != repo.owner and not write:
            raise Refusal(403 if user else 401, "GatedRepo", "Access to this is restricted")
        return repo

    def user(self, request: web.Request) -> str | None:
        token = (request.headers.get("Authorization") or "").removeprefix("Bearer ")
        return self._users.get(token)

    def files(self, repo: Repo, request: web.Request) -> dict[str, bytes]:
        rev = unquote(request.match_info.get("rev", "main"))
        if rev not in repo.refs:
            raise Refusal(404, "RevisionNotFound", f"Invalid rev id: {rev}")
        return repo.refs[rev]

    async def _create(self, request: web.Request) -> web.Response:
        asked = await request.json()
        owner = asked.get("organization") or self.user(request)
        if self.user(request) is None:
            raise Refusal(401, None, "Invalid username or password.")
        id, kind = f"{owner}/{asked['name']}", asked.get("type") or "model"
        prefix = "" if kind == "model" else f"{kind}s/"
        url = f"{request.url.origin()}/{prefix}{id}"
        if (kind, id) in self.all:
            body = {"error": "You already created this repo", "url": url}
            return web.json_response(body, status=409)
        private = asked.get("private") is True or asked.get("visibility") == "private"
        self.add(id, kind, private=private)
        return web.json_response({"url": url, "name": id})

    async def _validate(self, request: web.Request) -> web.Response:
        content = (await request.json())["content"]
        errors = [{"message": '"license" must be known'}] if "license: odd" in content else []
        return web.json_response({"errors": errors, "warnings": []}, status=400 if errors else 200)

    async def _tree(self, request: web.Request) -> web.Response:
        repo = self.of(request)
        files = self.files(repo, request)
        below = unquote(request.match_info.get("path", ""))
        found = {p: c for p, c in files.items() if not below or p.startswith(f"{below}/")}
        if below and not found:
            raise Refusal(404, "EntryNotFound", f"{below} does not exist")
        folders = {p.rpartition("/")[0] for p in found if "/" in p}
        listed = [{"type": "directory", "oid": "0" * 40, "size": 0, "path": p} for p in folders]
        listed += [_leaf(repo, path, content) for path, content in found.items()]
        return web.json_response(listed)

    async def _refs(self, request: web.Request) -> web.Response:
        repo = self.of(request)

        def named(kind: str, names: list[str]) -> list[dict[str, str]]:
            return [
                {"name": n, "ref": f"refs/{kind}/{n}", "targetCommit": repo.oid()} for n in names
            ]

        pulls = [name for name in repo.refs if name.startswith("refs/pr/")]
        branches = [n for n in repo.refs if n not in repo.tags and n not in pulls]
        return web.json_response(
            {
                "branches": named("heads", branches),
                "tags": named("tags", sorted(repo.tags)),
                "converts": [],
                "pullRequests": named("pr", pulls),
            }
        )

    async def _info(self, request: web.Request) -> web.Response:
        repo = self.of(request)
        self.files(repo, request)
        return web.json_response({"id": repo.id, "sha": repo.oid(), "private": repo.private})

    async def _settings(self, request: web.Request) -> web.Response:
        repo = self.of(request, write=True)
        asked = await request.json()
        repo.gated = asked.get("gated", repo.gated)
        if (visible := asked.get("visibility")) is not None or "private" in asked:
            repo.private = visible == "private" or asked.get("private") is True
        return web.json_response({})

    async def _branch(self, request: web.Request) -> web.Response:
        repo = self.of(request, write=True)
        name, start = request.match_info["ref"], (await request.json()).get("startingPoint")
        if name in repo.refs:
            raise Refusal(409, None, f"Reference already exists: {name}")
        if (start or "main") not in repo.refs:
            raise Refusal(404, "RevisionNotFound", f"Invalid rev id: {start}")
        repo.refs[name] = dict(repo.refs[start or "main"])
        return web.json_response({}, status=201)

    async def _tag(self, request: web.Request) -> web.Response:
        repo = self.of(request, write=True)
        files = self.files(repo, request)
        name = (await request.json())["tag"]
        if name in repo.refs:
            raise Refusal(409, None, f"Tag reference exists already: {name}")
        repo.refs[name] = dict(files)
        repo.tags.add(name)
        return web.json_response({}, status=201)

    async def _delete_ref(self, request: web.Request) -> web.Response:
        repo = self.of(request, write=True)
        name = request.match_info["ref"]
        if name == "main":
            raise Refusal(403, None, "The main branch cannot be deleted")
        if repo.refs.pop(name, None) is None:
            raise Refusal(404, "RevisionNotFound", f"Reference does not exist: {name}")
        repo.tags.discard(name)
        return web.json_response({})

    async def _file(self, request: web.Request) -> web.Response:
        repo = self.of(request)
        content = self.files(repo, request).get(request.match_info["path"])
        if content is None:
            raise Refusal(404, "EntryNotFound", "Entry not found")
        return web.Response(body=content, content_type="text/plain")


def _leaf(repo: Repo, path: str, content: bytes) -> dict[str, object]:
    leaf: dict[str, object] = {
        "type": "file",
        "oid": hashlib.sha1(content).hexdigest(),
        "size": len(content),
        "path": path,
    }
    if path in repo.large:
        sha = hashlib.sha256(content).hexdigest()
        leaf["lfs"] = {"oid": sha, "size": len(content), "pointerSize": 130}
    return leaf
