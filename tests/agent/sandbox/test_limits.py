"""What a command may use, and that whatever it does it ends, to the last process."""

import pytest

from agent.sandbox.bubblewrap import Bubblewrap
from agent.sandbox.port import Exit
from tests.agent.sandbox.conftest import LIMITS
from tests.agent.sandbox.running import Commands, alive, descriptors

MIB = 1024 * 1024


async def test_time_runs_out_also_for_who_ignores_signals(commands: Commands, marker: str) -> None:
    for timeout in (1, 5, 25):  # the first may be over before a busy machine gets to say `on`
        ended = await commands(
            f"trap '' TERM INT HUP; : {marker}; echo on; sleep 1000", timeout=timeout
        )
        assert ended.cut == "timeout"
        assert alive(marker) == []
        if commands.output:
            break
    assert commands.output == "on\n"


async def test_a_daemon_does_not_outlive_its_command(commands: Commands, marker: str) -> None:
    daemon = f"setsid bash -c '(trap \"\" TERM HUP; exec -a {marker} sleep 1000) & disown' &"
    ended = await commands(f"{daemon} until pgrep -f 'marker.* 1000$' | grep -qv $$; do :; done")
    assert ended == Exit(0)
    assert alive(marker) == []


async def test_a_command_ends_when_it_ends_though_others_hold_its_output(
    commands: Commands, marker: str
) -> None:
    ended = await commands(f"(exec -a {marker} sleep 1000) & echo done")
    assert (ended, commands.output) == (Exit(0), "done\n")
    assert alive(marker) == []


@pytest.mark.parametrize("bomb", [":(){ :|:& };: ", ":(){ : & : & };: "])
async def test_a_fork_bomb_is_cut(commands: Commands, marker: str, bomb: str) -> None:
    # Beside who waits for it: a shell whose own fork fails may be gone before anybody looks.
    ended = await commands(f"({bomb}) & # {marker}\nwhile :; do :; done")
    assert ended.cut == "processes"
    assert alive(marker) == []


async def test_threads_are_processes_too(commands: Commands) -> None:
    threads = "[threading.Thread(target=time.sleep, args=(1000,)).start() for _ in range(200)]"
    small = "import threading, time; threading.stack_size(1 << 16)"
    ended = await commands(f"python3 -c '{small}; {threads}'")
    assert ended.cut == "processes"


async def test_a_flood_of_output_is_cut_at_the_limit(commands: Commands, marker: str) -> None:
    ended = await commands(f"exec -a {marker} yes 1234567")
    assert ended.cut == "output"
    assert len(commands.output) == LIMITS.output_mib * MIB
    assert alive(marker) == []


async def test_output_just_at_the_limit_is_whole(commands: Commands) -> None:
    ended = await commands(f"head -c {LIMITS.output_mib * MIB} /dev/zero")
    assert (ended, len(commands.output)) == (Exit(0), LIMITS.output_mib * MIB)


async def test_one_process_that_wants_too_much_memory_gets_none(commands: Commands) -> None:
    ended = await commands(f"python3 -c 'bytearray({2 * LIMITS.memory_mib * MIB})'")
    assert ended.code == 1
    assert "MemoryError" in commands.output


async def test_many_processes_together_get_no_more_memory_than_one(
    commands: Commands, marker: str
) -> None:
    hog = f"import os, time; os.fork(); os.fork(); x = bytearray({LIMITS.memory_mib * MIB // 2})"
    ended = await commands(f"exec -a {marker} python3 -c '{hog}; time.sleep(1000)'")
    assert ended.cut == "memory"
    assert alive(marker) == []


async def test_shared_memory_counts_though_no_rlimit_holds_it(commands: Commands) -> None:
    hog = f"import mmap, time; m = mmap.mmap(-1, {2 * LIMITS.memory_mib * MIB})"
    fill = "[m.write(bytes(1 << 20)) for _ in range(len(m) >> 20)]"
    ended = await commands(f"python3 -c '{hog}; {fill}; time.sleep(1000)'")
    assert ended.cut == "memory"


async def test_memory_that_is_shared_after_a_fork_counts_once(commands: Commands) -> None:
    size = LIMITS.memory_mib * MIB * 45 // 100  # also when they are counted while they end
    share = f"x = b'x' * {size}; [os.fork() or time.sleep(0.5) or os._exit(0) for _ in '12']"
    assert await commands(f'python3 -c "import os, time; {share}; time.sleep(0.5)"') == Exit(0)


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm"])
async def test_files_in_memory_are_limited(commands: Commands, place: str) -> None:
    ended = await commands(f"head -c {LIMITS.temporary_mib * MIB + 1} /dev/zero > {place}/f")
    assert ended.code != 0
    assert "No space left" in commands.output


async def test_a_file_grows_no_larger_than_allowed(commands: Commands) -> None:
    ended = await commands("exec cat /dev/zero > f")
    assert ended.code != 0
    assert (commands.tree / "f").stat().st_size == LIMITS.file_mib * MIB


async def test_many_files_grow_no_larger_together_than_allowed(
    commands: Commands, marker: str
) -> None:
    ended = await commands(f": {marker}; while :; do n=$((n+1)); head -c 1M /dev/zero > f$n; done")
    assert ended.cut == "disk"
    assert alive(marker) == []


async def test_a_full_workspace_can_be_cleared_up_and_read(commands: Commands) -> None:
    await commands("while :; do n=$((n+1)); head -c 1M /dev/zero > f$n; done")
    assert await commands("ls | wc -l; sleep 0.3; rm f*") == Exit(0)


async def test_data_cannot_hide_in_depth(commands: Commands) -> None:
    ended = await commands("for i in $(seq 250); do mkdir d && cd d; done; while :; do :; done")
    assert ended.cut == "disk"


async def test_open_files_are_limited(commands: Commands) -> None:
    opened = f"[open('/dev/null') for _ in range({LIMITS.open_files})]"
    assert (await commands(f'python3 -c "f = {opened}"')).code == 1
    assert "Too many open files" in commands.output


async def test_broken_utf8_is_replaced_and_split_characters_are_not(commands: Commands) -> None:
    split = "printf '\\xe2\\x82'; sleep 0.1; printf '\\xac'"
    await commands(f"{split}; printf ' \\xff '; printf '\\xe2\\x82'")
    assert commands.output == "€ \ufffd \ufffd"


async def test_limits_leave_no_descriptor_open(sandbox: Bubblewrap, commands: Commands) -> None:
    before = descriptors()
    await commands("true")
    await commands("yes")
    await commands("sleep 1000", timeout=0.1)
    assert descriptors() == before
