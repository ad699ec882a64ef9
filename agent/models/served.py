"""Which models an OpenAI-compatible server has, asked once at the start."""

from http.client import HTTPException
from urllib.request import Request, urlopen

import msgspec
from msgspec import Struct

from agent.errors import ConfigProblem

SECONDS = 5.0
LARGEST_LIST = 4 * 1024 * 1024
"""Bytes."""


class _Listed(Struct):
    id: str


class _Models(Struct):
    data: tuple[_Listed, ...]


def first_served(api_base: str, key: str | None) -> str:
    """The id of the first model at `GET {api_base}/models`; blocks. Raises ConfigProblem."""
    try:
        request = Request(f"{api_base.rstrip('/')}/models")
        if key:
            request.add_header("Authorization", f"Bearer {key}")
        with urlopen(request, timeout=SECONDS) as answer:
            found = msgspec.json.decode(answer.read(LARGEST_LIST), type=_Models).data
    except (OSError, ValueError, HTTPException, msgspec.DecodeError) as error:
        raise ConfigProblem(
            f"--api-base {api_base} does not say which models it has ({error}). Name one with "
            "--model openai/NAME."
        ) from None
    if not found:
        raise ConfigProblem(f"--api-base {api_base} has no models. Name one with --model.")
    return found[0].id
