"""What servers answer ends up as words for the model and as files of the session."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from agent.sandbox.capacity import Capacity
from agent.sandbox.port import SandboxLimits
from agent.tools.mcp_port import Blob, Said, Words
from agent.tools.mcp_results import MOST_FILES, READ_ALONG, Keeper
from tests.agent.tools.calls import Calls


@pytest.fixture
def keeper(executor: ThreadPoolExecutor) -> Keeper:
    return Keeper(Capacity(SandboxLimits()), executor, None)


async def test_words_are_the_output(keeper: Keeper, calls: Calls) -> None:
    outcome = await keeper.outcome(Said((Words("a"), Words("b")), False), calls())
    assert (outcome.status, outcome.output, outcome.files) == ("ok", "a\nb", ())
    nothing = await keeper.outcome(Said((), True), calls())
    assert (nothing.status, nothing.output) == ("error", "[no output]")


NAMES = [
    (Blob(b"x", "image/png", "image"), "1-image.png"),
    (Blob(b"x", "image/jpeg", "image"), "1-image.jpg"),
    (Blob(b"x", "", "image"), "1-image"),
    (Blob(b"x", "m/n", "file:///notes/a%20note.md"), "1-a_note.md"),
    (Blob(b"x", "m/n", "x://y/../../etc/passwd"), "1-passwd"),
    (Blob(b"x", "m/n", "../../.."), "1-file"),
    (Blob(b"x", "m/n", "a://b/%2e%2e%2f%2e%2e%2fetc%2fshadow"), "1-shadow"),
    (Blob(b"x", "m/n", "a://b/" + "x" * 500 + ".csv"), "1-" + "x" * 56 + ".csv"),
    (Blob(b"x", "m/n", "a\0b\n"), "1-a_b"),
]


@pytest.mark.parametrize(("blob", "name"), NAMES)
async def test_files_are_kept_under_harmless_names(
    keeper: Keeper, calls: Calls, blob: Blob, name: str
) -> None:
    outcome = await keeper.outcome(Said((blob,), False), calls())
    assert outcome.files == (f".mooring/mcp/c1/{name}",)
    assert outcome.files[0] in outcome.output
    assert (calls.workspace.tree / outcome.files[0]).read_bytes() == b"x"


async def test_text_is_read_along_but_not_all_of_it(keeper: Keeper, calls: Calls) -> None:
    short = Blob(b"# Hi", "text/markdown", "a.md")
    long = Blob(b"x" * (READ_ALONG + 1), "text/plain", "b.txt")
    outcome = await keeper.outcome(Said((short, long), False), calls())
    assert "# Hi" in outcome.output
    assert "read on in the file" in outcome.output
    assert len(outcome.output) < READ_ALONG + 500


async def test_a_crowd_of_files_is_cut(keeper: Keeper, calls: Calls) -> None:
    crowd = (Blob(b"x", "image/png", "image"),) * (MOST_FILES + 2)
    outcome = await keeper.outcome(Said(crowd, False), calls())
    assert len(outcome.files) == MOST_FILES
    assert outcome.output.count("left out") == 2


async def test_a_file_for_which_there_is_no_room_is_told_of(
    executor: ThreadPoolExecutor, calls: Calls
) -> None:
    keeper = Keeper(Capacity(SandboxLimits(workspace_mib=1)), executor, None)
    large = Blob(b"x" * (1024 * 1024 + 1), "image/png", "image")
    outcome = await keeper.outcome(Said((large, Words("fine")), False), calls())
    assert outcome.files == ()
    assert "was not kept: The workspace holds" in outcome.output
    assert outcome.output.endswith("fine")
