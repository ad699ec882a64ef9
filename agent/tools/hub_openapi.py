"""The Hub's HTTP API as its OpenAPI document describes it: its calls, and which fit some words."""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from agent.tools.egress import Answer
from agent.tools.hub_web import decoded

METHODS = ("get", "post", "put", "patch", "delete")


class Endpoint(Struct, frozen=True):
    method: str
    path: str
    summary: str
    description: str
    tags: str
    parameters: tuple[str, ...]
    body: str

    def text(self, base: str) -> str:
        lines = [f"## {self.method} {base}{self.path}", self.summary or self.description[:300]]
        lines += [f"- {parameter}" for parameter in self.parameters[:20]]
        lines += [f"- body: {self.body}"] if self.body else []
        return "\n".join(line for line in lines if line)


class _Document(Struct):
    paths: dict[str, dict[str, Any]] = {}


def endpoints(answer: Answer) -> tuple[Endpoint, ...]:
    """Blocking. Raises Problem."""
    document = decoded(answer, _Document)
    return tuple(
        _endpoint(method, path, call)
        for path, calls in document.paths.items()
        for method, call in calls.items()
        if method in METHODS and isinstance(call, dict)
    )


def likeness(one: Endpoint, words: Sequence[str]) -> int:
    """How well a call fits; a word in its path or summary counts more than one elsewhere."""
    first = f"{one.path} {one.summary} {one.tags} {one.method}".lower()
    rest = f"{one.description} {' '.join(one.parameters)} {one.body}".lower()
    return sum(3 * (word in first) + (word in rest) for word in words)


def _endpoint(method: str, path: str, call: dict[str, Any]) -> Endpoint:
    return Endpoint(
        method.upper(),
        path,
        str(call.get("summary", "")),
        str(call.get("description", "")),
        " ".join(map(str, call.get("tags", ()))),
        tuple(_parameters(call.get("parameters"))),
        _body(call.get("requestBody")),
    )


def _parameters(listed: Any) -> Iterator[str]:
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and "name" in one:
            must = ", required" if one.get("required") else ""
            about = str(one.get("description", ""))[:150]
            yield f"{one['name']} ({one.get('in')}{must}){f': {about}' if about else ''}"


def _body(body: Any) -> str:
    """The names of its fields; a star marks those that it must have."""
    match body:
        case {"content": {"application/json": {"schema": {"properties": dict(fields)} as schema}}}:
            must = schema.get("required", ())
            return ", ".join(f"{name}{'*' * (name in must)}" for name in list(fields)[:30])
        case _:
            return ""
