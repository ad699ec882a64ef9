"""hf_inspect_dataset against the dataset viewer as the tests' own Hub has it."""

from typing import Any

import pytest

from tests.agent.tools.hub_scene import HubTools, fake, tools
from tests.fakes.hub.server import ADA, FakeHub

__all__ = ["fake", "tools"]
INSPECT = "hf_inspect_dataset"
ROWS: list[dict[str, Any]] = [
    {"text": "A  film\nto see. " + "x" * 200, "label": 1, "tags": ["a", "b"]},
    {"text": "Dull.", "label": 0, "tags": []},
    {"text": "Fine.", "label": 1, "tags": None},
    {"text": "Never shown.", "label": 1, "tags": None},
]
FEATURES: list[dict[str, Any]] = [
    {"name": "text", "type": {"dtype": "string", "_type": "Value"}},
    {"name": "label", "type": {"names": ["neg", "pos"], "_type": "ClassLabel"}},
    {"name": "tags", "type": {"feature": {"dtype": "string"}, "_type": "Sequence"}},
    {"name": "chat", "type": [{"role": {"dtype": "string"}, "content": {"dtype": "string"}}]},
    {"name": "picture", "type": {"_type": "Image"}},
]
STATISTICS: list[dict[str, Any]] = [
    {
        "column_name": "text",
        "column_type": "string_text",
        "column_statistics": {"nan_count": 0, "min": 5, "max": 220, "mean": 61.333333},
    },
    {
        "column_name": "label",
        "column_type": "class_label",
        "column_statistics": {"n_unique": 2, "frequencies": {"neg": 1, "pos": 3}},
    },
]


@pytest.fixture
def films(fake: FakeHub) -> FakeHub:
    fake.viewer.splits["ada/films"] = {
        ("plain", "test"): ROWS[:1],
        ("plain", "train"): ROWS,
        ("long", "train"): ROWS[1:],
    }
    fake.viewer.features["ada/films"] = FEATURES
    fake.viewer.statistics["ada/films"] = STATISTICS
    return fake


@pytest.mark.usefixtures("films")
async def test_a_dataset_is_told_in_one_look(tools: HubTools) -> None:
    value = ("A film to see. " + "x" * 200)[:150]
    assert (await tools.says(INSPECT, dataset="ada/films", sample_rows=2)).splitlines() == [
        "# ada/films",
        "",
        "## Configs and splits",
        "- plain / test · 1,000 rows · 2 kB",
        "- plain / train · 4,000 rows · 8 kB",
        "- long / train · 3,000 rows · 6 kB",
        "",
        "## plain / train",
        "",
        "Columns:",
        "- text: string",
        "- label: label (neg, pos)",
        "- tags: list of string",
        "- chat: list of {role: string, content: string}",
        "- picture: Image",
        "",
        "Row 1:",
        f"- text: {value}... (216 characters)",
        "- label: 1",
        '- tags: ["a","b"]',
        "Row 2:",
        "- text: Dull.",
        "- label: 0",
        "- tags: []",
        "",
        "Statistics:",
        "- text (string_text): nan_count 0, min 5, max 220, mean 61.33",
        "- label (class_label): n_unique 2, pos: 3; neg: 1",
    ]


@pytest.mark.parametrize(
    ("asked", "heading"),
    [
        ({}, "## plain / train"),
        ({"split": "test"}, "## plain / test"),
        ({"config": "long"}, "## long / train"),
        ({"config": "long", "split": "train"}, "## long / train"),
    ],
)
@pytest.mark.usefixtures("films")
async def test_config_and_split_can_be_chosen(
    asked: dict[str, Any], heading: str, tools: HubTools
) -> None:
    assert heading in (await tools.says(INSPECT, dataset="ada/films", **asked)).splitlines()


@pytest.mark.usefixtures("films")
async def test_a_split_that_is_not_there_names_those_that_are(tools: HubTools) -> None:
    failed = await tools.fails(INSPECT, dataset="ada/films", config="long", split="test")
    assert failed == (
        "There is no such config or split. There are: plain/test, plain/train, long/train."
    )


@pytest.mark.parametrize("what", ["size", "first-rows", "statistics"])
async def test_a_part_that_is_not_ready_spoils_nothing_else(
    what: str, films: FakeHub, tools: HubTools
) -> None:
    films.viewer.pending.add(what)
    told = await tools.says(INSPECT, dataset="ada/films")
    assert f"[{what}: The dataset viewer is still working on this dataset." in told
    parts = {"size": "4,000 rows", "first-rows": "Columns:", "statistics": "mean 61.33"}
    assert [name for name, words in parts.items() if words not in told] == [what]


CLOSED = [
    ((500, "ResponseNotReady", "busy"), "still working"),
    ((501, "DatasetWithScriptNotSupportedError", "script"), "made by a script"),
    ((500, "UnexpectedError", "Parquet is broken."), "Parquet is broken."),
    ((404, "ResponseNotFound", "Not found."), "does not know this dataset"),
    ((404, "ExternalAuthenticatedError", "no"), "accept its terms"),
]


@pytest.mark.parametrize(("closed", "says"), CLOSED)
async def test_where_the_viewer_has_nothing_it_is_said_what_to_do(
    closed: tuple[int, str, str], says: str, fake: FakeHub, tools: HubTools
) -> None:
    fake.viewer.closed["ada/films"] = closed
    failed = await tools.fails(INSPECT, dataset="ada/films")
    assert says in failed
    assert "hf_repo_files" in failed or "terms" in failed


async def test_a_gated_dataset_opens_with_the_token_of_the_user(
    films: FakeHub, tools: HubTools
) -> None:
    films.viewer.gated.add("ada/films")
    failed = await tools.fails(INSPECT, token=None, dataset="ada/films")
    assert "private or gated" in failed
    assert "given no Hugging Face token" in failed
    await tools.says(INSPECT, dataset="ada/films")
    assert films.tokens == {None, f"Bearer {ADA}"}


@pytest.mark.parametrize(
    "arguments",
    [{"dataset": "../x"}, {"dataset": "a/b/c"}, {"dataset": "a/b", "sample_rows": 11}, {}],
)
async def test_wrong_arguments_are_told(
    arguments: dict[str, Any], fake: FakeHub, tools: HubTools
) -> None:
    assert "arguments of hf_inspect_dataset are not valid" in await tools.fails(
        INSPECT, **arguments
    )
    assert fake.asked == []


async def test_it_only_reads(tools: HubTools) -> None:
    assert tools.toolbox.stakes(INSPECT, {"dataset": "a/b"}).effect == "read"
