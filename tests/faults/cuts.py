"""Connections that are cut at any byte, while a reply with tool calls streams."""

import asyncio
import json
import random

from tests.faults.phone import Phone
from tests.faults.report import Report
from tests.faults.scene import effects, exported, same_bytes
from tests.faults.talk import Talk
from tests.stories.scene import Story

PHONES = 3


async def cut_lines(story: Story, chance: random.Random, report: Report, cuts: int) -> None:
    """Phones travel with one session; in the end each has the log that the server exports."""
    story.model.fresh()
    story.model.answer = Talk(chance, words=600, gentle=True)
    session = await story.api.session()
    phones = [
        Phone(story.server.url, session, f"p{number}", chance, report) for number in range(PHONES)
    ]
    async with asyncio.TaskGroup() as group:
        for phone in phones:
            group.create_task(phone.travel(-(-cuts // PHONES)))
    for _ in range(2):  # what the last one says, the others have to hear
        for phone in phones:
            await phone.arrive()
    text = await exported(story.api, session)
    stored = [json.loads(line) for line in text.splitlines()]
    report.log(stored)
    left = await effects(story.api, session)
    report.effects(stored, left, left)
    for phone in phones:
        report.seen(phone.log.events, stored, whole=True)
        same_bytes(phone.log, text, report)
        report.submissions(stored, phone.sent, phone.accepted)
