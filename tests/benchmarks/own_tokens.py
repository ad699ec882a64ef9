"""Users with keys of their own, for this server, the Hub and a model: how many files stay open."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

from server.identity.tokens import Tokens
from server.store.sqlite import SqliteStore
from tests.benchmarks.growth import growth
from tests.benchmarks.load import Load
from tests.benchmarks.machine import rss_kib
from tests.benchmarks.processes import mooring
from tests.benchmarks.table import Figure
from tests.fakes.hub.server import FakeHub
from tests.model_server import CallScript, ModelServer, Reply, Seen
from tests.serving import Server

COUNTS = (100, 300, 1_000)
AT_ONCE = 10
SETTLED = 2.0
"""Seconds after which connections that were closed are gone."""
LOOK = CallScript("hf_repo_files", {"operation": "list", "repo_id": "ada/net"})
LITELLM = ("--model", "hosted_vllm/test-model")
KEYED = {name: {"needs": "MODEL_KEY"} for name in ("openai/test-model", LITELLM[1])}


async def measure() -> list[Figure]:
    figures: list[Figure] = []
    for named, model in (("native", ()), ("litellm", LITELLM)):
        files, memory = await _grown(model)
        few, many = COUNTS[0], COUNTS[-1]
        what = f"open files after {many:,} users with tokens of their own, {named}"
        beside = f"after {few} of them"
        figures += [
            Figure(what, files[many], "files", reference=files[few], of=beside),
            Figure(
                "memory of each further one", (memory[many] - memory[few]) / (many - few), "KiB"
            ),
            growth(f"open files with users, {named}", files),
        ]
    return figures


async def _grown(model: tuple[str, ...]) -> tuple[Mapping[int, float], Mapping[int, float]]:
    """Open files and KiB of memory, each by the number of users that had a turn."""
    files, memory = {}, {}
    with TemporaryDirectory(prefix="mooring-bench-") as folder:
        tokens = await _tokens(Path(folder) / "data", COUNTS[-1])
        async with (
            FakeHub() as hub,
            ModelServer() as service,
            mooring(
                service.url,
                Path(folder),
                ("--auth", "token", *model),
                hub=hub.config,
                models=KEYED,
            ) as server,
        ):
            hub.repos.add("ada/net", refs={"main": {"a.txt": b"x"}})
            service.answer = _answer
            done = 0
            for count in COUNTS:
                for first in range(done, count, AT_ONCE):
                    some = range(first, min(first + AT_ONCE, count))
                    await asyncio.gather(*(_user(server, hub, n, tokens[n]) for n in some))
                done = count
                await asyncio.sleep(SETTLED)
                files[count] = float(len(list(Path(f"/proc/{server.pid}/fd").iterdir())))
                memory[count] = rss_kib(server.pid)
            assert len(hub.tokens) >= COUNTS[-1], "each came to the Hub with a token of their own"
            shown = {seen.headers.get("authorization") for seen in service.requests}
            assert len(shown) == COUNTS[-1], "for each the model was asked with their own key"
    return files, memory


async def _tokens(data: Path, count: int) -> list[str]:
    data.mkdir(mode=0o700, parents=True)
    store = SqliteStore.open(data)
    try:
        tokens = Tokens(store)
        return [await tokens.create(f"user-{number}") for number in range(count)]
    finally:
        await store.close()


async def _user(server: Server, hub: FakeHub, number: int, token: str) -> None:
    """Keeps a token for the Hub and a key for the model, and has a turn that uses both."""
    mine = f"hf_{number:034}"
    hub.users[mine] = f"user-{number}"
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        for name, value in (("HF_TOKEN", mine), ("MODEL_KEY", f"sk-{number:034}")):
            kept = await http.put(f"{server.url}/api/secrets/{name}", json={"value": value})
            assert kept.status == 204, await kept.text()
        viewer = await Load(http, server).viewer()
        await viewer.turn()


def _answer(seen: Seen) -> Reply:
    looked = seen.messages[-1]["role"] == "tool"
    return Reply(text="There it is.") if looked else Reply(calls=(LOOK,))
