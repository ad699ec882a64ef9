"""What goes wrong at the Hub, as problems that say what to do next, and which are worth a retry."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from agent.errors import Problem
from agent.tools.port import Keys

T = TypeVar("T")
WAITS = (1.0, 4.0)
"""Seconds before the second and third attempt of something that only reads."""
TRANSIENT = frozenset({"hub_failed", "hub_unreachable"})
_NO_TOKEN = (
    "The user has given no Hugging Face token. Ask for one (a server on their own machine takes it"
    " from HF_TOKEN)."
)
_MISSING = {
    "RepoNotFound": "There is no such repository, or it is private. Check name and repo_type.",
    "RevisionNotFound": "There is no such branch, tag or commit. Look with hf_repo_git list_refs.",
    "EntryNotFound": "There is no such file. Look with hf_repo_files list.",
}


def refused(
    status: int, code: str | None, says: str | None, retry_after: str | None, *, known: bool
) -> Problem:
    """A status of 400 or more as a problem; `code` is the Hub's X-Error-Code, `says` its words,
    `known` whether a token went along."""
    detail = f" It says: {says.strip()[:300]}" if says and says.strip() else ""
    token = "" if known else f" {_NO_TOKEN}"
    if code == "GatedRepo":
        how = "The user has to accept its terms on its page, with the account of the token."
        return Problem("hub_gated", f"The repository is gated. {how}{token}")
    if status == 404 or code in _MISSING:
        what = _MISSING.get(code or "", "The Hub has nothing there. Check the names.")
        return Problem("hub_not_found", what + ("" if code == "EntryNotFound" else token))
    if status == 401:
        what = "The Hub does not accept the token: it may have expired. Ask the user to renew it."
        return Problem("hub_unauthorized", what if known else _NO_TOKEN)
    if status == 403:
        what = "The token may not do this. The user can allow it in the settings of their tokens."
        return Problem("hub_forbidden", f"{what if known else _NO_TOKEN}{detail}")
    if status == 409:
        return Problem("hub_conflict", f"That exists already, or is being changed.{detail}")
    if status == 429:
        when = f"in {retry_after} seconds" if retry_after else "in a minute or two"
        return Problem("hub_limited", f"The Hub allows no more requests now. Try {when}.{token}")
    if status >= 500:
        return Problem("hub_failed", f"The Hub failed (status {status}). Try again later.{detail}")
    return Problem("hub_refused", f"The Hub refused this (status {status}).{detail}")


def unreachable() -> Problem:
    return Problem("hub_unreachable", "The Hub cannot be reached, or broke off. Try again later.")


def unusable() -> Problem:
    return Problem("hub_failed", "The Hub gave no usable answer. Try again later.")


def too_large(most: int) -> Problem:
    says = f"The Hub's answer is over {most // 2**20} MiB. Ask for less of it."
    return Problem("hub_too_large", says)


def compressed() -> Problem:
    says = "The Hub's answer is compressed, which nobody asked for. Tell who runs this server."
    return Problem("hub_unusable", says)


def late(seconds: float) -> Problem:
    says = f"The Hub did not answer within {seconds:g} s. Try again later, or ask for less."
    return Problem("hub_timed_out", says)


def token_needed(keys: Keys) -> None:
    """Before anything is changed at the Hub. Raises Problem `hub_token_needed`."""
    if keys.hub() is None:
        raise Problem("hub_token_needed", f"Nothing was done. {_NO_TOKEN}")


async def patiently(
    ask: Callable[[], Awaitable[T]],
    show: Callable[[str], None],
    *,
    waits: Sequence[float] = WAITS,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> T:
    """Ask again where the Hub failed; only for what changes nothing."""
    for wait in waits:
        try:
            return await ask()
        except Problem as problem:
            if problem.code not in TRANSIENT:
                raise
            show(f"{problem.message} Trying again in {wait:g} s.\n")
            await sleep(wait)
    return await ask()
