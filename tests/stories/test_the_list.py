"""The list of sentences names only stories that are told."""

import re
from pathlib import Path

HERE = Path(__file__).parent
LIST = (HERE / "README.md").read_text()


def test_every_story_that_the_list_names_exists() -> None:
    named = re.findall(r"`(test_\w+)::(test_\w+)`", LIST)
    told = {module: (HERE / f"{module}.py").read_text() for module, _ in named}
    missing = [name for module, name in named if f"def {name}(" not in told[module]]
    assert named
    assert missing == []


def test_every_file_of_stories_is_on_the_list() -> None:
    modules = {path.stem for path in HERE.glob("test_*.py")}
    listed = set(re.findall(r"`(test_\w+)(?:`|::)", LIST))
    assert modules - listed == {Path(__file__).stem}
