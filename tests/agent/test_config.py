"""Settings: files laid over each other, the environment filled in, errors that name the key."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct

from agent.config import load
from agent.errors import ConfigProblem


class Inner(Struct, frozen=True, forbid_unknown_fields=True):
    count: Annotated[int, Meta(ge=1)] = 1
    name: str = "inner"


class Outer(Struct, frozen=True, forbid_unknown_fields=True):
    inner: Inner = Inner()
    maybe: Inner | None = None
    many: tuple[Inner, ...] = ()
    named: dict[str, Inner] = {}
    numbers: tuple[int, ...] = (1, 2)
    text: str = "default"
    deep: dict[str, dict[str, str]] = {}
    few: Annotated[tuple[Inner, ...], Meta(max_length=2)] = ()


@pytest.fixture
def settings(tmp_path: Path) -> "Settings":
    return Settings(tmp_path)


class Settings:
    """Files with settings, loaded in the order they were written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, *contents: Any) -> list[Path]:
        paths = []
        for number, content in enumerate(contents):
            path = self.folder / f"{number}.json"
            path.write_bytes(
                content if isinstance(content, bytes) else json.dumps(content).encode()
            )
            paths.append(path)
        return paths

    def load(self, *contents: Any, **environment: str) -> Outer:
        return load(self.write(*contents), Outer, environment)

    def complaint(self, *contents: Any, **environment: str) -> str:
        with pytest.raises(ConfigProblem) as problem:
            self.load(*contents, **environment)
        assert problem.value.code == "bad_config"
        return problem.value.message.removeprefix(f"{self.folder}/")


def test_nothing_is_the_defaults(settings: Settings) -> None:
    assert settings.load({}) == Outer()
    assert settings.load() == Outer()


def test_objects_merge_and_everything_else_replaces(settings: Settings) -> None:
    below = {
        "inner": {"count": 5},
        "numbers": [7, 8, 9],
        "named": {"a": {"count": 2}, "b": {}},
        "text": "below",
    }
    above = {"inner": {"name": "x"}, "numbers": [1], "named": {"a": {"name": "y"}, "c": {}}}
    assert settings.load(below, above) == Outer(
        inner=Inner(5, "x"),
        numbers=(1,),
        named={"a": Inner(2, "y"), "b": Inner(), "c": Inner()},
        text="below",
    )


def test_three_files_are_laid_in_their_order(settings: Settings) -> None:
    layers = [{"text": "one", "inner": {"count": 1}}, {"text": "two"}, {"inner": {"name": "3"}}]
    assert settings.load(*layers) == Outer(text="two", inner=Inner(1, "3"))


def test_an_object_over_a_scalar_and_a_scalar_over_an_object_replace(settings: Settings) -> None:
    assert settings.load({"maybe": None}, {"maybe": {"count": 3}}).maybe == Inner(3)
    assert settings.load({"maybe": {"count": 3}}, {"maybe": None}).maybe is None


@pytest.mark.parametrize(
    ("text", "environment", "filled"),
    [
        ("${NAME}", {"NAME": "x"}, "x"),
        ("a${NAME}b${NAME}", {"NAME": "x"}, "axbx"),
        ("${A}${B}", {"A": "1", "B": "2"}, "12"),
        ("${NAME:-default}", {}, "default"),
        ("${NAME:-default}", {"NAME": ""}, "default"),
        ("${NAME:-default}", {"NAME": "x"}, "x"),
        ("${NAME:-}", {}, ""),
        ("${NAME:-a:-b}", {}, "a:-b"),
        ("${NAME:-http://x:1/${}", {}, "http://x:1/${"),
        ("${NAME}", {"NAME": ""}, ""),
        ("${NAME}", {"NAME": "${OTHER}"}, "${OTHER}"),
        ("$NAME $ {NAME} ${} ${1A} ${NAME-x}", {}, "$NAME $ {NAME} ${} ${1A} ${NAME-x}"),
        ("no variable", {}, "no variable"),
    ],
)
def test_the_environment_is_filled_into_strings(
    text: str, environment: Mapping[str, str], filled: str, settings: Settings
) -> None:
    assert settings.load({"text": text}, **environment).text == filled


def test_it_is_filled_in_wherever_a_string_is_but_not_into_keys(settings: Settings) -> None:
    given = {
        "many": [{"name": "${NAME}"}],
        "deep": {"${NAME}": {"b": "${NAME}"}},
        "inner": {"count": 3},
    }
    loaded = settings.load(given, NAME="x")
    assert loaded.many == (Inner(name="x"),)
    assert loaded.deep == {"${NAME}": {"b": "x"}}


def test_a_variable_that_is_not_set_is_named_with_a_way_out(settings: Settings) -> None:
    told = settings.complaint({"deep": {"a": {"b": "${SECRET}"}}})
    assert told == "0.json: ${SECRET} is not set. Set it, or write ${SECRET:-default}."


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"txt": "x"}, "`txt` is not a setting. There are: inner, maybe, many, named,"),
        ({"inner": {"cuont": 1}}, "`inner.cuont` is not a setting. There are: count, name."),
        ({"maybe": {"x": 1}}, "`maybe.x` is not a setting. There are: count, name."),
        ({"many": [{}, {"x": 1}]}, "`many[1].x` is not a setting. There are: count, name."),
        ({"named": {"a": {"x": 1}}}, "`named.a.x` is not a setting. There are: count, name."),
        ({"named": {"a.b": {"x": 1}}}, "x` is not a setting. There are: count, name."),
        ({"few": [{"x": 1}]}, "`few[0].x` is not a setting. There are: count, name."),
        ({"few": [{}, {}, {}]}, "`few`: Expected `array` of length <= 2."),
        ({"text": 1}, "`text`: Expected `str`, got `int`."),
        ({"text": None}, "`text`: Expected `str`, got `null`."),
        ({"inner": 1}, "`inner`: Expected `object`, got `int`."),
        ({"inner": {"count": "1"}}, "`inner.count`: Expected `int`, got `str`."),
        ({"inner": {"count": 0}}, "`inner.count`: Expected `int` >= 1."),
        ({"numbers": [1, "2"]}, "`numbers[1]`: Expected `int`, got `str`."),
        ({"numbers": 1}, "`numbers`: Expected `array`, got `int`."),
        ({"many": [{"count": 0}]}, "`many[0].count`: Expected `int` >= 1."),
        ({"named": {"a": {"count": 0}}}, "`named.a.count`: Expected `int` >= 1."),
    ],
)
def test_what_is_wrong_is_located_and_says_what_is_allowed(
    content: object, says: str, settings: Settings
) -> None:
    told = settings.complaint({}, content)
    assert told.startswith("1.json: ")
    assert says in told


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not a JSON object"),
        (b"{", "is not a JSON object"),
        (b"[]", "is not a JSON object"),
        (b"\xff", "is not a JSON object"),
        (b'{"text": "a",}', "is not a JSON object"),
    ],
)
def test_a_file_that_is_no_object_is_told_so(content: bytes, says: str, settings: Settings) -> None:
    assert says in settings.complaint(content)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "none.json", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(ConfigProblem, match=why) as problem:
            load([path], Outer)
        assert str(path) in problem.value.message


def test_the_file_at_fault_is_named_not_the_last_one(settings: Settings) -> None:
    assert settings.complaint({"txt": 1}, {"text": "x"}).startswith("0.json: ")
    assert settings.complaint({"inner": {"count": 5}}, {"inner": {"count": 0}}, {}).startswith(
        "1.json: "
    )


def test_a_file_may_hold_a_table_by_name(settings: Settings) -> None:
    paths = settings.write({"a/b": {"count": 2}})
    assert load(paths, dict[str, Inner]) == {"a/b": Inner(2)}
    paths = settings.write({"a/b": {"cuont": 2}})
    with pytest.raises(ConfigProblem, match=r"`a/b.cuont` is not a setting. There are: count"):
        load(paths, dict[str, Inner])


def test_a_whole_file_of_the_wrong_kind_is_told_so(settings: Settings) -> None:
    with pytest.raises(ConfigProblem, match="the whole file"):
        load(settings.write({"a": 1}), list[int])


@pytest.mark.parametrize(
    ("content", "environment", "expected"),
    [
        pytest.param({"inner": {"count": "${N}"}}, {"N": "7"}, Outer(Inner(7)), id="a number"),
        pytest.param({"inner": {"count": "${N:-5}"}}, {}, Outer(Inner(5)), id="its default"),
        pytest.param({"text": "${N}"}, {"N": "7"}, Outer(text="7"), id="a text of digits"),
        pytest.param({"text": "n=${N}"}, {"N": "7"}, Outer(text="n=7"), id="part of a text"),
        pytest.param({"numbers": ["${N}"]}, {"N": "7"}, Outer(numbers=(7,)), id="in a list"),
    ],
)
def test_a_variable_alone_may_stand_for_a_number(
    content: object, environment: Mapping[str, str], expected: Outer, tmp_path: Path
) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(content))
    assert load([file], Outer, environment) == expected
