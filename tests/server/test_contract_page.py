"""docs/wire.md and the code name the same frames, fields, codes and settings."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
import pytest
from msgspec import NODEFAULT, Struct

import agent
import server
from agent import protocol
from agent.budget import RanOut
from agent.models.failures import ADVICE
from server import wire
from server.config import Config
from server.contract.frames import BOARD, EVENTS, LIVE, SUBMISSIONS, Shape, name_of
from server.errors import STATUS_OF
from tests.server.routes.test_schema import refusals

PAGE = (Path(__file__).parents[2] / "docs" / "wire.md").read_text()
IN_EXAMPLES = ["hello", "accepted", "refused", "pong", "fleet"]
MAY_BE_ABSENT = {"heartbeat": {"head"}}
Fields = Mapping[str, bool]
"""Names, and whether each may be missing."""


def table(heading: str) -> Mapping[str, str]:
    """The table whose first row is `heading`: first column -> second."""
    _, _, below = PAGE.partition(f"| {heading} |\n")
    rows = below.partition("\n\n")[0].replace("\\|", "/").splitlines()[1:]
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    return {row[1]: row[2] for row in cells if len(row) > 2}


def words(text: str) -> list[str]:
    """Everything in code spans, word by word."""
    return [word for span in re.findall(r"`([^`]*)`", text) for word in span.split()]


def fields_on_the_page(cell: str) -> tuple[Fields, Mapping[str, Fields]]:
    """Those of a frame, and of the objects in them: the code spans that a row begins with."""
    cell = re.sub(r" \([^)]*\)", "", cell)
    leading = re.match(r"(\s*`[^`]*`,?)*", cell)
    assert leading is not None
    text = ", ".join(re.findall(r"`([^`]*)`", leading[0]))
    inside = {
        name: names_in(inner) for name, inner in re.findall(r"(\w+)\??:\[?\{([^}]*)\}\]?", text)
    }
    return names_in(re.sub(r":\[?\{[^}]*\}\]?", "", text)), inside


def names_in(text: str) -> Fields:
    """`a, b?` or `"a","b"?:"x"` -> {a: False, b: True}."""
    plain = re.sub(r':"\w+"(/"\w+")*|/null', "", text)
    return {name: bool(mark) for name, mark in re.findall(r'"?(\w+)"?(\?)?', plain)}


def fields_in_the_code(shape: Shape) -> Fields:
    return {f.encode_name: f.default is not NODEFAULT for f in msgspec.structs.fields(shape)}


def structs_in(kind: Any) -> Iterator[Shape]:
    if isinstance(kind, type) and issubclass(kind, Struct):
        yield kind
    for inner in get_args(kind):
        yield from structs_in(inner)


def literals(module: Any) -> Iterator[tuple[str, str]]:
    for name, kind in vars(module).items():
        if get_origin(kind) is Literal:
            yield from ((name, value) for value in get_args(kind))


def called(*names: str) -> Iterator[ast.Call]:
    """Every call of these names in the code of both packages."""
    for package in (agent, server):
        for path in Path(str(package.__file__)).parent.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in names:
                    yield node


def first_words(*names: str) -> set[str]:
    """What is said first in these calls, where it is a word and no name of one."""
    firsts = [node.args[0] for node in called(*names) if node.args]
    return {str(word.value) for word in firsts if isinstance(word, ast.Constant)}


FRAMES: Mapping[str, tuple[Shape, ...]] = {
    "type | fields beyond seq, at": EVENTS,
    "type | fields | rule": LIVE,
    "type | fields | effect": SUBMISSIONS,
}
"""Each table, and where its frames are in the code."""
ROWS = [
    (frame, table(heading)[f"`{name_of(frame)}`"])
    for heading, frames in FRAMES.items()
    for frame in frames
    if f"`{name_of(frame)}`" in table(heading)
]
WORDS = [*literals(protocol), *literals(wire), *(("RanOut", word) for word in get_args(RanOut))]

# ---- frames ------------------------------------------------------------------------------------


def test_the_page_names_every_frame_and_no_other() -> None:
    in_tables = {name_of(frame) for frame, _ in ROWS}
    every = {name_of(frame) for frame in (*EVENTS, *LIVE, *SUBMISSIONS, *BOARD)}
    assert in_tables | set(IN_EXAMPLES) == every
    assert not in_tables & set(IN_EXAMPLES)


def test_the_tables_of_frames_hold_nothing_that_is_no_frame() -> None:
    named = [word for heading in FRAMES for cell in table(heading) for word in words(cell)]
    assert sorted(named) == sorted([*(name_of(f) for f, _ in ROWS), "accepted", "refused", "pong"])


@pytest.mark.parametrize(("frame", "cell"), ROWS, ids=[name_of(frame) for frame, _ in ROWS])
def test_a_frame_has_the_fields_of_its_row(frame: Shape, cell: str) -> None:
    on_the_page, inside = fields_on_the_page(cell)
    in_the_code = dict(fields_in_the_code(frame))
    if frame in SUBMISSIONS:
        assert not in_the_code.pop("id"), "which every one of them has"
    for name in MAY_BE_ABSENT.get(name_of(frame), ()):
        assert in_the_code[name]
        in_the_code[name] = on_the_page[name]
    assert on_the_page == in_the_code
    kinds = {field.encode_name: field.type for field in msgspec.structs.fields(frame)}
    for name, fields in inside.items():
        (nested,) = structs_in(kinds[name])
        assert fields.keys() == fields_in_the_code(nested).keys()


@pytest.mark.parametrize("name", IN_EXAMPLES)
def test_a_frame_that_is_shown_has_the_fields_it_is_shown_with(name: str) -> None:
    (frame,) = (f for f in {*LIVE, *BOARD} if name_of(f) == name)
    shown = re.search(rf'"type":"{name}",(.+\n)+|`{name} {{.*?}}', PAGE)
    assert shown is not None
    for field in fields_in_the_code(frame):
        assert re.search(rf"\b{field}\b", shown[0]), f"{name} is shown without {field}"


@pytest.mark.parametrize(
    ("shape", "begins"),
    [(wire.Session, "`Session` = `{"), (wire.Totals, "`totals` = `{")],
    ids=["Session", "Totals"],
)
def test_a_shape_that_is_spelt_out_has_just_those_fields(shape: Shape, begins: str) -> None:
    spelt = PAGE.partition(begins)[2].partition("`")[0]
    nested = [s for f in msgspec.structs.fields(shape) for s in structs_in(f.type)]
    known = [name for s in (shape, *nested) for name in fields_in_the_code(s)]
    assert sorted(re.findall(r'"(\w+)"', spelt)) == sorted(known)


def test_a_row_of_the_dashboard_has_the_fields_beyond_a_session() -> None:
    spelt = PAGE.partition("`Row` = `Session` + `{")[2].partition("`")[0]
    beyond = set(fields_in_the_code(wire.Row)) - set(fields_in_the_code(wire.Session))
    assert set(re.findall(r'"(\w+)"', spelt)) == beyond | set(fields_in_the_code(wire.Context))


@pytest.mark.parametrize(("kind", "value"), WORDS)
def test_every_word_that_a_field_may_hold_is_on_the_page(kind: str, value: str) -> None:
    assert re.search(rf'[`" ]{value}[`" ]', PAGE), f"{kind} may be {value!r}"


# ---- codes -------------------------------------------------------------------------------------


def test_the_refusals_of_submissions_are_those_of_the_page() -> None:
    listed = PAGE.partition("Codes: ")[2].partition(". ")[0]
    on_the_page = set(words(re.sub(r"\([^)]*\)", "", listed)))
    at_the_door = {"malformed", "forbidden"}
    assert on_the_page == first_words("Refused") | at_the_door
    assert STATUS_OF.keys() >= at_the_door


def test_the_errors_over_http_are_those_of_the_page() -> None:
    on_the_page = {
        (code, int(status))
        for status, cell in table("status | codes").items()
        for code in re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", cell).replace(" ", "` `"))
    }
    of_submissions = {(code, STATUS_OF.get(code, 409)) for code in first_words("Refused")}
    known = refusals() | set(STATUS_OF.items()) | of_submissions
    assert on_the_page <= known
    assert known - on_the_page <= of_submissions | {("too_long", 422)}


def test_the_notices_are_those_of_the_page() -> None:
    constants = {
        "COMPACTION_STOPPED": "compaction_stopped",
        "JOB_ENDED": "job_ended",
        "TRUNCATED": "truncated_output",
    }
    codes = first_words("Notice", "Note", "News")
    for node in called("Notice", "Note"):
        if isinstance(node.args[0], ast.Name):
            codes.add(constants[node.args[0].id])
    assert {code.strip("`") for code in table("`notice` | when")} == codes


def test_the_failures_of_models_are_those_of_the_page() -> None:
    named = PAGE.partition("that a model's failure has: ")[2].partition(". ")[0]
    assert sorted(words(named)) == sorted(ADVICE)


def test_the_codes_of_a_close_are_on_the_page() -> None:
    closes = PAGE.partition("**Close codes**")[2].partition("\n")[0]
    used = first_words("Bye")
    assert used
    assert {code for code in used if code not in closes} == set()


# ---- settings ----------------------------------------------------------------------------------


def settings(kind: Any, path: str) -> Iterator[str]:
    """a.b, a.{name}.b for what is mapped by names, a[].b for what is listed."""
    if get_origin(kind) in (Union, UnionType):
        (kind,) = (k for k in get_args(kind) if k is not type(None))
    arguments = get_args(kind)
    if isinstance(kind, type) and issubclass(kind, Struct):
        for field in msgspec.structs.fields(kind):
            yield from settings(field.type, f"{path}.{field.encode_name}")
    elif arguments and list(structs_in(arguments[-1])):
        yield from settings(arguments[-1], f"{path}.{{}}")
    elif arguments and list(structs_in(arguments[0])):
        yield from settings(arguments[0], f"{path}[]")
    else:
        yield path.lstrip(".")


def test_the_settings_are_those_of_the_page() -> None:
    on_the_page = {
        re.sub(r"{\w+}", "{}", name)
        for cell in table("key | what it does")
        for name in words(cell.replace(",", " "))
    }
    assert on_the_page == set(settings(Config, ""))


def test_the_defaults_in_the_block_are_those_of_the_code() -> None:
    block = msgspec.json.decode(PAGE.partition("```json\n")[2].partition("```")[0])
    block["approval"]["rules"] = []
    assert msgspec.convert(block, Config) == Config()
