"""The github tool: find examples, list repositories, read files, over GitHub's REST API."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Meta, Struct
from yarl import URL

from agent.errors import Problem
from agent.protocol import Effect
from agent.tools.asked import needed
from agent.tools.egress import Answer, Egress
from agent.tools.port import Call, Keys, Outcome

PUBLIC = "https://api.github.com"
LINES = 300
"""Lines of a file that are given at a time."""
T = TypeVar("T")
Name = Annotated[str, Meta(pattern=r"^[\w.-]{1,100}$")]
Repo = Annotated[str, Meta(pattern=r"^[\w.-]{1,100}/[\w.-]{1,100}$")]
Short = Annotated[str, Meta(max_length=200)]
Path = Annotated[str, Meta(max_length=1000)]
_EXAMPLES = re.compile(
    r"(?:^|/)(?:examples?|scripts?|recipes?|tutorials?|notebooks?|cookbooks?)/", re.IGNORECASE
)
_CODE = (".py", ".ipynb", ".md", ".sh", ".yaml", ".yml")


class GithubArguments(Struct, frozen=True, forbid_unknown_fields=True):
    operation: Annotated[
        Literal["find_examples", "list_repositories", "read_file"],
        Meta(
            description="find_examples: files of `repo` (or of the best repositories of `owner`)"
            " that look like examples of `query`. list_repositories: of `owner`. read_file: `path`"
            " of `repo`."
        ),
    ]
    repo: Annotated[Repo | None, Meta(description="owner/name")] = None
    owner: Name | None = None
    query: Short | None = None
    path: Path | None = None
    ref: Annotated[Short | None, Meta(description="Branch, tag or commit.")] = None
    offset: Annotated[int, Meta(ge=1, description="First line of a file to give.")] = 1
    limit: Annotated[int, Meta(ge=1, le=1000, description="Lines, or results.")] = LINES


class _Repository(Struct):
    full_name: str
    description: str | None = None
    stargazers_count: int = 0
    default_branch: str = "HEAD"
    pushed_at: str | None = None


class _Found(Struct):
    items: list[_Repository] = []


class _Leaf(Struct):
    path: str
    type: str
    size: int = 0


class _Tree(Struct):
    tree: list[_Leaf] = []
    truncated: bool = False


class Github:
    name = "github"
    description = (
        "Look at public code on GitHub: working examples are the best documentation of a library."
        " Find examples first, then read the files; check what you copy against the version in use."
    )
    effect: Effect = "read"
    arguments: type[Struct] = GithubArguments

    def __init__(self, egress: Egress, endpoint: str = PUBLIC) -> None:
        self._egress = egress
        self._endpoint = endpoint

    async def run(self, arguments: Any, call: Call) -> Outcome:
        asked: GithubArguments = arguments
        match asked.operation:
            case "find_examples":
                needed(asked, "query", *([] if asked.owner else ["repo"]))
                return await self._examples(asked, call.keys)
            case "list_repositories":
                needed(asked, "owner")
                return await self._repositories(asked, call.keys)
            case "read_file":
                needed(asked, "repo", "path")
                return await self._file(asked, call.keys)

    async def _examples(self, asked: GithubArguments, keys: Keys) -> Outcome:
        words = [word.lower() for word in re.findall(r"\w+", asked.query or "")]
        repos = [asked.repo] if asked.repo else await self._best(asked, keys)
        found: list[tuple[int, str, _Leaf]] = []
        for repo in repos:
            path = ("repos", *repo.split("/"), "git", "trees", asked.ref or "HEAD")
            tree = await self._get(path, _Tree, keys, recursive=1)
            rated = ((_likeness(leaf.path, words), repo, leaf) for leaf in tree.tree)
            found += (one for one in rated if one[0] and one[2].type == "blob")
        found.sort(key=lambda one: (-one[0], one[2].path))
        if not found:
            where = ", ".join(repos) or asked.owner
            return Outcome("ok", f"No examples of {asked.query!r} in {where}. Try other words.")
        best = found[: min(asked.limit, 30)]
        shown = (f"{repo} {leaf.path} ({leaf.size} bytes)" for _, repo, leaf in best)
        return Outcome("ok", "\n".join(shown))

    async def _best(self, asked: GithubArguments, keys: Keys) -> list[str]:
        q = f"{asked.query} user:{asked.owner}"
        page = await self._get(("search", "repositories"), _Found, keys, q=q, per_page=3)
        return [repository.full_name for repository in page.items]

    async def _repositories(self, asked: GithubArguments, keys: Keys) -> Outcome:
        most = min(asked.limit, 50)
        found = await self._get(
            ("users", asked.owner or "", "repos"),
            list[_Repository],
            keys,
            sort="pushed",
            per_page=most,
        )
        lines = (
            f"{one.full_name} · {one.stargazers_count} stars · pushed {one.pushed_at or 'never'}"
            f" · {(one.description or '')[:200]}"
            for one in found
        )
        return Outcome("ok", "\n".join(lines) or f"{asked.owner} has no public repositories.")

    async def _file(self, asked: GithubArguments, keys: Keys) -> Outcome:
        inside = [part for part in (asked.path or "").split("/") if part]
        path = ("repos", *(asked.repo or "").split("/"), "contents", *inside)
        ref = {"ref": asked.ref} if asked.ref else {}
        answer = await self._ask(path, keys, "application/vnd.github.raw+json", **ref)
        if b"\0" in answer.body[:8192]:
            return Outcome("error", f"{asked.path} is a binary file.")
        lines = answer.text().splitlines()
        first, last = asked.offset, min(asked.offset + asked.limit - 1, len(lines))
        shown = "\n".join(lines[first - 1 : last])
        where = f"{asked.repo} {asked.path}, lines {first} to {last} of {len(lines)}"
        cut = "; the file is larger: only its beginning can be read here" if answer.cut else ""
        return Outcome("ok", f"[{where}{cut}]\n{shown}")

    async def _get(self, path: Sequence[str], shape: type[T], keys: Keys, **query: str | int) -> T:
        answer = await self._ask(path, keys, "application/vnd.github+json", **query)
        try:
            return msgspec.json.decode(answer.body, type=shape)
        except (msgspec.DecodeError, UnicodeError):
            raise Problem("github_failed", "GitHub gave no usable answer. Try later.") from None

    async def _ask(
        self, path: Sequence[str], keys: Keys, accept: str, **query: str | int
    ) -> Answer:
        if {".", ".."}.intersection(path):  # would lead to another call than the one that is meant
            raise Problem("bad_arguments", "A path must not contain . or .. as a part.")
        parts = "/".join(quote(part, safe="") for part in path)
        url = URL(f"{self._endpoint}/{parts}", encoded=True).with_query(query)
        token = keys.github()
        own = {"Authorization": f"Bearer {token}"} if token else {}
        answer = await self._egress.request("GET", str(url), headers={"Accept": accept, **own})
        if answer.status < 400:
            return answer
        raise _failure(answer, "/".join(path), known=token is not None)


def _failure(answer: Answer, path: str, *, known: bool) -> Problem:
    if answer.status == 404:
        says = f"GitHub has no {path}"
        return Problem("github_not_found", f"{says}. Check owner, name, path and ref.")
    if answer.status in (403, 429):
        hint = "" if known else " A GITHUB_TOKEN raises the limit."
        return Problem("github_limited", f"GitHub allows no more requests for now.{hint}")
    if answer.status == 401:
        return Problem("github_unauthorized", "GitHub does not accept your token. Renew it.")
    return Problem("github_failed", f"GitHub answered with status {answer.status}. Try later.")


def _likeness(path: str, words: list[str]) -> int:
    """How much a file looks like an example of these words; 0: not at all."""
    if not path.endswith(_CODE):
        return 0
    lower = path.lower()
    hits = sum(word in lower for word in words)
    return hits * 2 + bool(_EXAMPLES.search(path)) if hits else 0
