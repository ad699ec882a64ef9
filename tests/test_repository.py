"""The repository keeps its own rules: floors, sizes, pinned sources, links, a wheel."""

import ast
import configparser
import re
import subprocess
import sys
import tomllib
import venv
from collections import defaultdict
from importlib.metadata import distributions, version
from pathlib import Path

import msgspec
import pytest

from server.config import Config
from server.flags import SWITCHES, VALUES
from server.settings import ServeSettings
from tests.pure_rooms import PURE_ROOMS, source_of

ROOT = Path(__file__).parent.parent
LINES_OF_A_FILE = 300
LINES_OF_A_FUNCTION = 40
LONGER: set[str] = set()
"""The vocabulary is one room however long it gets: whoever looks a word up finds it there."""
ONE_FILE_EACH = (
    "litellm",
    "regex",
    "mcp",
    "huggingface_hub",
    "aiohttp_session",
    "prometheus_client",
)
BROAD = {
    "agent/tools/toolbox.py",  # a tool's failure is a result
    "server/sessions/manager.py",  # a crash ends one turn of one session
    "server/routes/answers.py",  # no traceback reaches a client
    "server/store/writer.py",  # a failed commit is told to those who wait for it
}
"""Where `except Exception` may stand; each place is a decision of the house."""
ROOMS = sorted(path for folder in ("agent", "server") for path in (ROOT / folder).rglob("*.py"))
EXTRAS = r"(?:\[[\w,-]+\])?"
"""Of a package, as a pin names them."""
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports_of(path: Path) -> set[str]:
    """The top-level packages a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


# ---- rooms -------------------------------------------------------------------------------------


def test_each_sdk_is_imported_in_one_file_at_most() -> None:
    importers = defaultdict(list)
    for path in ROOMS:
        for sdk in imports_of(path).intersection(ONE_FILE_EACH):
            importers[sdk].append(name_of(path))
    assert {sdk: files for sdk, files in importers.items() if len(files) > 1} == {}


def test_every_pure_room_that_is_built_is_in_the_contract_of_the_floors() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    held = settings["importlinter:contract:pure"]["source_modules"].split()
    assert held == [room for room in PURE_ROOMS if (ROOT / source_of(room)).exists()]


@pytest.mark.parametrize("path", ROOMS, ids=name_of)
def test_a_room_is_small_and_says_what_is_in_it(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    lines = text.count("\n")
    assert lines <= LINES_OF_A_FILE or name_of(path) in LONGER
    assert ast.get_docstring(tree) or not text.strip(), "a room says in one sentence what it holds"
    long = [
        f"{node.name}: {size} lines"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (size := (node.end_lineno or node.lineno) - node.lineno + 1) > LINES_OF_A_FUNCTION
    ]
    assert long == []


def test_everything_is_caught_only_where_the_house_decided_so() -> None:
    def broad(path: Path) -> bool:
        return any(
            isinstance(node, ast.ExceptHandler)
            and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
            and not passes_it_on(node)
            for node in ast.walk(ast.parse(path.read_text()))
        )

    assert {name_of(path) for path in ROOMS if broad(path)} <= BROAD


def passes_it_on(handler: ast.ExceptHandler) -> bool:
    """It only tidies up: what was caught goes on as it came."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


# ---- what is installed -------------------------------------------------------------------------


def test_constraints_hold_hashes_for_everything_and_no_address() -> None:
    text = (ROOT / "constraints.txt").read_text()
    pins = re.findall(rf"^[a-z0-9][\w.-]*{EXTRAS}==\S+.*\\$", text, re.MULTILINE)
    blocks = re.findall(
        r"^[a-z0-9][^\n]*\\\n(?:    --hash=sha256:[0-9a-f]{64}[ \\]*\n?)+", text, re.M
    )
    assert len(pins) == len(blocks) > 50
    assert not re.search(r"://|--(?:index|extra|find|trusted)", text)
    assert "://" not in (ROOT / "static" / "package-lock.json").read_text()


def test_constraints_satisfy_what_the_distribution_declares() -> None:
    text = (ROOT / "constraints.txt").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = [re.split(r"[\[<>=!~ ]", wanted)[0] for wanted in project["dependencies"]]
    missing = [n for n in names if not pinned(n, text)]
    assert missing == []


def test_a_package_that_is_wanted_with_extras_is_pinned_with_them() -> None:
    """To an older pip a pin without the extras is none, and it takes the newest release."""
    text = (ROOT / "constraints.txt").read_text()
    wanted = [
        canonical(name) + "[" + extra
        for distribution in distributions()
        for line in distribution.requires or ()
        for name, extra in re.findall(r"^([\w.-]+)\[([\w,-]+)", line)
        if "extra ==" not in line and pinned(name, text)
    ]
    assert [one for one in wanted if f"\n{one}" not in text] == []


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(name: str, text: str) -> bool:
    return bool(re.search(rf"^{canonical(name)}{EXTRAS}==", text, re.MULTILINE))


def test_there_is_one_version() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    releases = re.findall(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert declared == releases[0] == version("mooring")


def test_the_wheel_works_when_it_is_installed_alone(tmp_path: Path) -> None:
    """In a new environment; dependencies come from this one, so that no registry is asked."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("mooring-*.whl")
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps",
         "--no-index", str(wheel)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    here = next(Path(entry) for entry in sys.path if entry.endswith("site-packages"))
    (there,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    # Linked one by one: the folder itself would bring this checkout along.
    for package in here.iterdir():
        if "mooring" not in package.name and not (there / package.name).exists():
            (there / package.name).symlink_to(package)
    told = subprocess.run(
        [str(python), "-c", "from server.places import shipped as s; import agent, server.cli;"
         "print(server.cli.__file__, *sorted(p.name for p in s('configs').iterdir()),"
         "*sorted(p.name for p in s('static').iterdir()))"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    module, *files = told.stdout.split()
    assert Path(module).is_relative_to(there)
    folders = (ROOT / "configs", ROOT / "static" / "dist")
    shipped = [sorted(path.name for path in folder.iterdir()) for folder in folders]
    assert files == [name for folder in shipped for name in folder]
    command = subprocess.run(
        [str(tmp_path / "venv" / "bin" / "mooring"), "token", "create", "--user", "ada"],
        cwd=tmp_path,
        env={"MOORING_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert command.stdout.startswith("mooring_")


# ---- words -------------------------------------------------------------------------------------


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    home = re.compile(rb"(?<![\w.$}])/(?:(?:home|Users|work)/\w|root/)")
    found = [
        name_of(path)
        for path in tracked()
        if path != Path(__file__) and home.search(path.read_bytes())
    ]
    assert found == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_the_readme_names_every_flag() -> None:
    readme = (ROOT / "README.md").read_text()
    names = (*VALUES, *SWITCHES)
    assert [n for n in names if f"`--{n.replace('_', '-')}`" not in readme] == []
    assert set(names) == set(ServeSettings.__struct_fields__)


def test_the_readme_names_every_setting_with_its_default() -> None:
    readme = (ROOT / "README.md").read_text()
    settings = msgspec.to_builtins(Config())
    assert [name for name in settings if not re.search(rf"`{name}[`.]", readme)] == []
    told = dict(re.findall(r"^\| `([a-z_.]+)` \| `?([^`|]+?)`? \|", readme, re.MULTILINE))
    for section in ("limits", "retry"):
        for name, value in settings[section].items():
            assert msgspec.json.decode(told[f"{section}.{name}"]) == list_or_itself(value), name
    assert msgspec.json.decode(told["hibernate_after_seconds"]) == Config().hibernate_after_seconds


def list_or_itself(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def test_what_the_makefile_offers_is_what_it_explains() -> None:
    text = (ROOT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    explained = re.findall(r"^([a-z]+):.*## ", text, re.MULTILINE)
    (wall,) = re.findall(r"^wall: (.*?)  ##", text, re.MULTILINE)
    alone = {"page"}  # part of the wall, and worth doing by itself
    assert set(phony.split()) - set(explained) == {"system", *wall.split()} - alone
