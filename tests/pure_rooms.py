"""The pure rooms, and the check that each is fully branch-covered by its own test file alone."""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parent.parent
PURE_ROOMS = (
    "agent.protocol",
    "agent.conversation",
    "agent.nesting",
    "agent.fingerprint",
    "agent.stop",
    "agent.folded",
    "agent.jobs",
    "agent.history",
    "agent.transcript",
    "agent.edges",
    "agent.waking",
    "agent.turn",
    "agent.judge",
    "agent.answering",
    "agent.questions",
    "agent.approval",
    "agent.compaction",
    "agent.repetition",
    "agent.budget",
    "agent.recovery",
    "agent.redaction",
    "agent.errors",
    "agent.models.retry",
    "agent.sandbox.chain",
    "agent.tools.editing",
    "agent.tools.mcp_content",
    "agent.tools.mcp_names",
    "agent.tools.printed",
    "agent.tools.schema",
    "server.delivery.ring",
    "server.delivery.cursor",
    "server.delivery.frames",
    "server.delivery.inflate",
    "server.delivery.growing",
    "server.delivery.status",
    "server.delivery.presence",
    "server.access",
    "server.masks",
    "server.proxies",
    "server.identity.admission",
    "server.wire",
)


def source_of(room: str) -> Path:
    """agent.turn -> agent/turn.py, or the folder of that name where the room is a package."""
    path = Path(*room.split("."))
    return path if (ROOT / path).is_dir() else path.with_suffix(".py")


def tests_of(room: str) -> Path:
    """agent.turn -> tests/agent/test_turn.py."""
    *above, name = room.split(".")
    return Path("tests", *above, f"test_{name}.py")


def complaint(room: str) -> str | None:
    """What is wrong with a room's coverage, or None; a room that is not built yet is not wrong."""
    source, tests = source_of(room), tests_of(room)
    if not (ROOT / source).exists():
        return None
    if not (ROOT / tests).exists():
        return f"{tests} is missing: a pure room has its own test file"
    pattern = f"{source}/*" if (ROOT / source).is_dir() else str(source)
    with tempfile.TemporaryDirectory() as folder:
        data = f"--data-file={folder}/coverage"
        run = _python(
            *("coverage", "run", data, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests))
        )
        if run.returncode:
            return run.stdout
        report = _python(
            *("coverage", "report", data, f"--include={pattern}", "--show-missing"),
            "--fail-under=100",
        )
        return report.stdout + report.stderr if report.returncode else None


def _python(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True
    )


def main() -> int:
    rooms = sys.argv[1:] or PURE_ROOMS
    failed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for room, wrong in zip(rooms, pool.map(complaint, rooms), strict=True):
            if wrong is not None:
                failed += 1
                print(f"{room} is not covered by {tests_of(room)} alone:\n{wrong}")
    print(f"{len(rooms) - failed} of {len(rooms)} pure rooms are covered by their own tests")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
