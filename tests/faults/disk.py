"""The disk, all of it: full, failing, lying, each for a while."""

import random
import tempfile
from pathlib import Path

from tests.faults.disk_backup import back_up_again_and_again
from tests.faults.disk_damage import damage
from tests.faults.disk_errors import fail_statements
from tests.faults.disk_full import fill_disk
from tests.faults.disk_served import serve_damaged
from tests.faults.disk_small import NoSmallDisk
from tests.faults.disk_stalls import stall_statements
from tests.faults.disk_stubborn import refuse_writes, stand_still, start_read_only
from tests.faults.disk_wal import damage_log
from tests.faults.report import Report
from tests.stories.scene import Story

FAULTS = 25
STALLS = 10
SERVERS = 10
BACKUPS = 9
DAMAGES = 60


async def disk(story: Story, chance: random.Random, report: Report) -> None:
    """A round of each. Where a disk is to be full, the server is another one on a small disk."""
    await fail_statements(chance, report, FAULTS)
    await stall_statements(chance, report, STALLS)
    await stand_still(story, chance, report)
    await refuse_writes(story, chance, report)
    await damage(chance, report, DAMAGES)
    await damage_log(chance, report, DAMAGES // 4)
    await back_up_again_and_again(story, chance, report, BACKUPS)
    await serve_damaged(story, chance, report, SERVERS)
    with tempfile.TemporaryDirectory(prefix="mooring-disk-") as folder:
        try:
            await fill_disk(Path(folder), story.model, chance, report)
            await start_read_only(Path(folder, "again"), story.model, chance, report)
        except NoSmallDisk as none:
            report.left_out["disks that are full or read-only"] = str(none)
