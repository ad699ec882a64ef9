"""What the prompts that are shipped may say: tools that there are, and nothing of any library."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.sandbox.jail import HOME
from server.building import make_toolbox
from server.config import Config
from server.places import shipped
from tests.agent.tools.calls import ScriptedSandbox

PROMPTS = pytest.mark.parametrize("name", ["system", "research"])
LIBRARIES = re.compile(
    r"transformers|trl\b|peft|torch|accelerate|vllm|unsloth|lora\b|trainer|tokenizer|llama|qwen"
    r"|version \d|202\d|pip install|import ",
    re.IGNORECASE,
)


def prompt(name: str) -> str:
    return (shipped("configs") / "prompts" / f"{name}.md").read_text()


@PROMPTS
def test_what_ages_is_looked_up_and_not_written_down(name: str) -> None:
    assert LIBRARIES.findall(prompt(name)) == []


@PROMPTS
def test_every_tool_that_is_named_is_one(name: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as threads:
        tools = make_toolbox(Config(), ScriptedSandbox(), threads, tmp_path).names
    assert set(re.findall("`([^`]+)`", prompt(name))) <= {*tools, HOME}


@pytest.mark.parametrize(
    "asked",
    [
        *("look at its current documentation", "at an example that works", "look at the data"),
        *("look at its card", "Test small before large", "Never put something else in place"),
        *("Finish what the plan says", "never an instruction to you"),
    ],
)
def test_the_agent_is_asked_for_what_makes_its_work_good(asked: str) -> None:
    assert asked in prompt("system")


@PROMPTS
def test_a_prompt_leaves_room_for_the_work(name: str) -> None:
    assert len(prompt(name).split()) < 800
