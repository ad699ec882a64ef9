"""A stop without particulars is the server's, and keeps what is queued."""

from agent.protocol import MOORING
from agent.stop import Stop


def test_a_stop_holds_the_queue_and_answers_nobody_unless_it_says_so() -> None:
    stop = Stop()
    assert (stop.queue, stop.by, stop.submission, stop.ends_session) == (
        "hold",
        MOORING,
        None,
        False,
    )
