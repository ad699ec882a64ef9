"""How the process is told to stop, and how it ends when something in it will not."""

import asyncio
import logging
import os
import signal
import threading

log = logging.getLogger(__name__)


def on_signals() -> asyncio.Event:
    """Set by the first signal to stop; the second ends the process at once."""
    stop = asyncio.Event()

    def told() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told)
    return stop


def exit_within(seconds: float) -> None:
    """From a thread of its own: whatever blocks, also the loop, keeps the process no longer."""

    def give_up() -> None:
        log.error("not all that runs has ended within %g s: leaving it behind", seconds)
        logging.shutdown()  # a thread writes the lines
        os._exit(1)

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
