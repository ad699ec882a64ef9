"""A stream is given up after a silence or at its deadline, and while neither is there it is not."""

import asyncio

from agent.models.patience import Patience


async def test_a_silence_ends_it() -> None:
    gone = asyncio.Event()
    patience = Patience(0.01, asyncio.get_running_loop().time() + 1_000, gone.set)
    await gone.wait()
    assert patience.ran_out


async def test_a_deadline_ends_it_however_much_is_heard() -> None:
    gone = asyncio.Event()
    patience = Patience(1_000, asyncio.get_running_loop().time() + 0.01, gone.set)
    while not gone.is_set():
        patience.heard()
        await asyncio.sleep(0)
    assert patience.ran_out


async def test_what_was_heard_puts_it_off() -> None:
    loop = asyncio.get_running_loop()
    times: list[float] = []
    gone = asyncio.Event()

    def hear() -> None:
        patience.heard()
        times.append(loop.time())

    def give_up() -> None:
        times.append(loop.time())
        gone.set()

    silence = 0.05
    patience = Patience(silence, loop.time() + 1_000, give_up)
    loop.call_later(silence / 2, hear)
    await gone.wait()
    heard, given_up = times
    assert given_up >= heard + silence * 0.99


async def test_once_it_was_ended_nothing_is_given_up() -> None:
    gone, passed = asyncio.Event(), asyncio.Event()
    patience = Patience(0.01, asyncio.get_running_loop().time() + 1_000, gone.set)
    patience.end()
    asyncio.get_running_loop().call_later(0.03, passed.set)
    await passed.wait()
    assert not patience.ran_out
    assert not gone.is_set()
