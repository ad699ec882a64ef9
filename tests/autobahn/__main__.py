"""Autobahn's fuzzing client against our end of a WebSocket, next to aiohttp's own.

It needs Python 2.7, which `make autobahn` looks for; without it this says so and does nothing.
"""

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from tests.autobahn.echo import Echo, aiohttps_own, ours

SUITE = "autobahntestsuite==25.10.1"
LEFT_OUT = ("9.*", "12.3.*", "12.4.*", "12.5.*", "13.*")
"""Large messages again and again: minutes, and nothing that a smaller one would not show."""
GOOD = ("OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED")
Verdicts = Mapping[str, Mapping[str, Mapping[str, Any]]]


def main() -> int:
    python = shutil.which("python2.7")
    if python is None:
        print("Autobahn's fuzzing client needs Python 2.7, and none is on the PATH.")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        client = installed(python, Path(folder))
        verdicts = asyncio.run(fuzzed(client, Path(folder)))
    for agent, cases in verdicts.items():
        print(agent, dict(Counter(case["behavior"] for case in cases.values())))
    mine, theirs = (failures(verdicts[agent]) for agent in ("ours", "aiohttp"))
    print("cases that fail in ours alone:", sorted(mine - theirs) or "none")
    return 1 if mine - theirs else 0


def installed(python: str, folder: Path) -> Path:
    """The fuzzing client in an environment of its own; CalledProcessError where that fails."""
    own = folder / "venv"
    for command in (
        (python, "-m", "virtualenv", "--quiet", str(own)),
        (str(own / "bin" / "pip"), "install", "--quiet", SUITE),
    ):
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return own / "bin" / "wstest"


async def fuzzed(client: Path, folder: Path) -> Verdicts:
    async with Echo(ours) as mine, Echo(aiohttps_own) as theirs:
        servers = [{"agent": "ours", "url": mine.url}, {"agent": "aiohttp", "url": theirs.url}]
        asked = {
            "outdir": str(folder / "reports"),
            "servers": servers,
            "cases": ["*"],
            "exclude-cases": LEFT_OUT,
            "exclude-agent-cases": {},
        }
        (folder / "spec.json").write_bytes(msgspec.json.encode(asked))
        process = await asyncio.create_subprocess_exec(
            *(str(client), "--mode", "fuzzingclient", "--spec", str(folder / "spec.json")),
            stdout=subprocess.DEVNULL,
        )
        async with asyncio.timeout(1_800):
            await process.wait()
    verdicts: Verdicts = msgspec.json.decode((folder / "reports" / "index.json").read_bytes())
    return verdicts


def failures(cases: Mapping[str, Mapping[str, Any]]) -> set[str]:
    return {
        name
        for name, case in cases.items()
        if case["behavior"] not in GOOD or case["behaviorClose"] not in GOOD
    }


if __name__ == "__main__":
    sys.exit(main())
