"""Settings of servers of tools, and which of a user's keys go to them."""

import msgspec
import pytest

from agent.errors import ConfigProblem
from agent.tools.mcp_settings import Credential, McpServer, ServerName, target_of

BOTH = Credential("hf_x", "gh_x")


@pytest.mark.parametrize(
    ("server", "why"),
    [
        (McpServer(), "needs either `command` or `url`"),
        (McpServer(command=("a",), url="https://b"), "needs either `command` or `url`"),
        (McpServer(url="file:///a"), "must begin with"),
        (McpServer(url="https://b", environment={"A": "b"}), "goes with"),
        (McpServer(command=("a",), headers={"A": "b"}), "goes with"),
        (McpServer(command=("a",), hub_token="header"), 'as "environment"'),
        (McpServer(url="https://b", github_token="environment"), 'as "header"'),
        (McpServer(url="https://b", hub_token="header", github_token="header"), "only one token"),
    ],
)
def test_what_cannot_be_meant_is_refused(server: McpServer, why: str) -> None:
    with pytest.raises(ConfigProblem, match=r"`mcp_servers\.x`") as refused:
        server.checked("x")
    assert why in refused.value.message


@pytest.mark.parametrize("name", ["a_b", "", "x" * 25, "a b", "ä"])
def test_a_server_is_named_so_that_its_tools_can_be(name: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({name: {}}, dict[ServerName, McpServer])


def test_no_key_goes_to_a_server_that_does_not_ask_for_it() -> None:
    for server in (McpServer(command=("a",)), McpServer(url="https://b")):
        target = target_of("x", server.checked("x"), BOTH)
        assert target.headers == target.environment == {}


def test_keys_go_where_they_are_configured_to() -> None:
    here = McpServer(
        command=("a",),
        environment={"A": "b"},
        hub_token="environment",
        github_token="environment",
    )
    told = target_of("x", here.checked("x"), BOTH).environment
    assert told == {"A": "b", "HF_TOKEN": "hf_x", "GITHUB_TOKEN": "gh_x"}
    there = McpServer(url="https://b", headers={"X": "y"}, hub_token="header").checked("x")
    assert target_of("x", there, BOTH).headers == {"X": "y", "Authorization": "Bearer hf_x"}
    assert target_of("x", there, Credential()).headers == {"X": "y"}
