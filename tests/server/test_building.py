"""What the approval settings name has to be there."""

import pytest

from agent.approval import Policy, Rule
from server.building import unmatched

TOOLS = ("bash", "read")


@pytest.mark.parametrize(
    ("policy", "strangers"),
    [
        pytest.param(Policy(), (), id="nothing named"),
        pytest.param(Policy(ask=("bash", "spend")), (), id="a tool and an effect"),
        pytest.param(Policy(ask=("exec", "bash")), ("exec",), id="a slip in ask"),
        pytest.param(Policy(rules=(Rule("deny", "bsh"),)), ("bsh",), id="a slip in a rule"),
        pytest.param(Policy(rules=(Rule("deny", "hf_*"),)), (), id="a pattern may match later"),
    ],
)
def test_names_that_match_nothing_are_found(policy: Policy, strangers: tuple[str, ...]) -> None:
    assert unmatched(policy, TOOLS) == strangers


def test_tools_of_mcp_servers_may_be_named_before_they_are_known() -> None:
    policy = Policy(ask=("mcp_git_git_commit", "mcp_gone_push"))
    assert unmatched(policy, TOOLS, ["git"]) == ("mcp_gone_push",)
    assert unmatched(policy, TOOLS) == ("mcp_git_git_commit", "mcp_gone_push")
