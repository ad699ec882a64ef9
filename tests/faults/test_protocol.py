"""The session protocol keeps its laws whatever is done in whatever order, on a real server."""

from tests.faults.protocol import World, play

EXAMPLES, STEPS = 8, 20


def test_whatever_is_done_in_whatever_order_the_contract_holds() -> None:
    world = World()
    try:
        play(world, EXAMPLES, STEPS)
    finally:
        world.close()
