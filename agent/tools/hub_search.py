"""The hf_search tool: models, datasets and Spaces on the Hub that fit some words."""

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta, Struct

from agent.protocol import Effect
from agent.tools.hub_client import Hub
from agent.tools.hub_failures import patiently
from agent.tools.port import Call, Outcome

if TYPE_CHECKING:
    from agent.tools.hub_client import Api

_Words = Annotated[str, Meta(max_length=200)]
_Tag = Annotated[str, Meta(min_length=1, max_length=100)]
_Author = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$")]


class SearchArguments(Struct, frozen=True, forbid_unknown_fields=True):
    repo_type: Literal["model", "dataset", "space"] = "model"
    query: Annotated[_Words | None, Meta(description="Words of the name.")] = None
    author: Annotated[_Author | None, Meta(description="A user or an organisation.")] = None
    tags: Annotated[
        tuple[_Tag, ...],
        Meta(max_length=10, description="All of them, such as text-generation, language:de."),
    ] = ()
    sort: Literal["downloads", "likes", "last_modified", "created_at", "trending_score"] | None = (
        None
    )
    limit: Annotated[int, Meta(ge=1, le=50)] = 15


class HubSearch:
    name = "hf_search"
    description = (
        "Find models, datasets and Spaces on the Hugging Face Hub by words, author and tags; the"
        " most used first. Look at what you find before you use it: the card with hf_repo_files"
        " read, a dataset with hf_inspect_dataset."
    )
    effect: Effect = "read"
    arguments: type[Struct] = SearchArguments

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def run(self, arguments: Any, call: Call) -> Outcome:
        asked: SearchArguments = arguments
        if not (asked.query or asked.author or asked.tags):
            return Outcome("error", "Name what to find: query, author or tags.")
        found = await patiently(
            lambda: self._hub.ask(call.keys, lambda api: _found(api, asked)), call.show
        )
        return Outcome("ok", "\n".join(found) or "Nothing fits. Try fewer or other words or tags.")


def _found(api: "Api", asked: SearchArguments) -> list[str]:
    default: Any = "likes" if asked.repo_type == "space" else "downloads"
    wanted: dict[str, Any] = {
        "search": asked.query,
        "author": asked.author,
        "filter": list(asked.tags) or None,
        "sort": asked.sort or default,
        "limit": asked.limit,
    }
    found: Iterable[Any]
    match asked.repo_type:
        case "model":
            found = api.list_models(**wanted)
        case "dataset":
            found = api.list_datasets(**wanted)
        case "space":
            found = api.list_spaces(**wanted)
    return [_line(one) for one in islice(found, asked.limit)]


def _line(one: Any) -> str:
    """What is known of it: models have a task, Spaces an SDK."""
    kind = getattr(one, "pipeline_tag", None) or getattr(one, "sdk", None)
    downloads, likes = getattr(one, "downloads", None), one.likes
    parts = [
        one.id,
        kind or "",
        f"{downloads:,} downloads" if downloads is not None else "",
        f"{likes:,} likes" if likes is not None else "",
        f"changed {one.last_modified:%Y-%m-%d}" if one.last_modified else "",
        "gated" if getattr(one, "gated", None) else "",
        "private" if one.private else "",
    ]
    return "- " + " · ".join(part for part in parts if part)
