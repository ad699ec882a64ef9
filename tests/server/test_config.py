"""The configuration file: its contract, its defaults, and what it refuses."""

import json
from pathlib import Path

import pytest

from agent.approval import Rule
from agent.config import load
from agent.errors import ConfigProblem
from server.app import configured
from server.config import Config
from server.settings import ServeSettings

SHIPPED = Path(__file__).parents[2] / "configs" / "agent.json"
CONTRACT = {
    "limits": {
        "sessions_per_user": 1000,
        "live_sessions": 200,
        "running_turns_per_user": 10,
        "queued_per_session": 20,
        "viewers_per_session": 1000,
        "connections_per_user": 100,
        "submissions_per_minute": 240,
        "upload_mib": 100,
    },
    "retry": {
        "transient_seconds": [5, 15],
        "rate_limit_seconds": [30, 60],
        "timeout_seconds": 600,
    },
    "turn": {"max_iterations": 300},
    "approval": {"ask": [], "rules": []},
    "hibernate_after_seconds": 900,
    "mcp_servers": {},
}


def overlaid(folder: Path, overlay: object) -> Config:
    path = folder / "overlay.json"
    path.write_text(json.dumps(overlay))
    return load([SHIPPED, path], Config)


def test_the_shipped_file_is_the_contract_and_the_defaults_of_the_code() -> None:
    assert json.loads(SHIPPED.read_text()) == CONTRACT
    assert load([SHIPPED], Config) == Config()


def test_a_file_is_laid_over_it(tmp_path: Path) -> None:
    rule = {"tool": "bash", "match": {"command": "rm"}, "decision": "ask", "reason": "deletes"}
    config = overlaid(
        tmp_path, {"limits": {"upload_mib": 5}, "approval": {"ask": ["write"], "rules": [rule]}}
    )
    assert (config.limits.upload_mib, config.limits.live_sessions) == (5, 200)
    assert config.approval.ask == ("write",)
    assert config.approval.rules == (Rule("ask", "bash", {"command": "rm"}, "deletes"),)


@pytest.mark.parametrize(
    ("overlay", "says"),
    [
        ({"limit": {}}, "`limit` is not a setting. There are: limits, retry, turn, approval,"),
        ({"limits": {"upload": 1}}, "`limits.upload` is not a setting. There are: sessions_per_"),
        ({"limits": {"live_sessions": 0}}, "`limits.live_sessions`: Expected `int` >= 1."),
        ({"limits": {"upload_mib": "9"}}, "`limits.upload_mib`: Expected `int`, got `str`."),
        ({"limits": {"upload_mib": True}}, "`limits.upload_mib`: Expected `int`, got `bool`."),
        ({"limits": None}, "`limits`: Expected `object`, got `null`."),
        ({"retry": {"transient_seconds": [5, -1]}}, "`retry.transient_seconds[1]`: Expected"),
        ({"retry": {"timeout_seconds": 0}}, "`retry.timeout_seconds`: Expected `float` > 0.0."),
        ({"turn": {"iterations": 3}}, "`turn.iterations` is not a setting. There are: max_iter"),
        ({"hibernate_after_seconds": 0}, "`hibernate_after_seconds`: Expected `float` > 0.0."),
        ({"approval": {"rules": [{"tool": "x"}]}}, "missing required field `decision`"),
        ({"approval": {"rules": [{"decision": "no"}]}}, "`approval.rules[0].decision`: Invalid"),
        ({"approval": {"rules": [{"decision": "ask", "x": 1}]}}, "`approval.rules[0].x` is not"),
        ({"mcp_servers": {"a": {"comand": []}}}, "`mcp_servers.a.comand` is not a setting."),
        ({"models": {"a/b": {"context": 5}}}, "`models.a/b.context`: Expected `int` >= 1024."),
        ({"allowed_origins": "https://x"}, "`allowed_origins`: Expected `array`, got `str`."),
        ({"sandbox": {"memory": 1}}, "`sandbox.memory` is not a setting. There are: memory_mib"),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(
    overlay: object, says: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigProblem) as problem:
        overlaid(tmp_path, overlay)
    assert "overlay.json: " in problem.value.message
    assert says in problem.value.message


def test_waits_between_attempts_are_the_agents_policy(tmp_path: Path) -> None:
    retry = {"transient_seconds": [1, 2], "rate_limit_seconds": []}
    policy = overlaid(tmp_path, {"retry": retry}).retry.policy()
    assert (policy.transient_seconds, policy.rate_limit_seconds) == ((1, 2), ())


def test_the_demo_brings_a_rule_of_its_own_that_the_users_file_replaces(tmp_path: Path) -> None:
    config, catalogue = configured(ServeSettings(tmp_path, model="demo"))
    assert catalogue.default == "demo"
    assert config.approval.rules
    mine = tmp_path / "mine.json"
    mine.write_text('{"approval": {"rules": []}}')
    config, _ = configured(ServeSettings(tmp_path, model="demo", config=mine))
    assert config.approval.rules == ()
    config, _ = configured(ServeSettings(tmp_path, model="openai/x", api_base="http://x/v1"))
    assert config.approval.rules == ()


def test_models_of_the_users_file_join_the_known_ones(tmp_path: Path) -> None:
    mine = tmp_path / "mine.json"
    mine.write_text('{"models": {"demo": {"label": "Mine"}, "my/own": {"context": 5000}}}')
    _, catalogue = configured(ServeSettings(tmp_path, config=mine, model="demo"))
    offered = {offer.id: offer for offer in catalogue.host.offers()}
    assert offered["demo"].label == "Mine"
    assert offered["my/own"].context == 5000
    assert len(offered) > 2


def test_the_model_of_a_research_may_be_one_that_users_bring_the_key_for(tmp_path: Path) -> None:
    mine = tmp_path / "mine.json"
    mine.write_text('{"research": {"model": "hf/Org/Net"}}')
    config, catalogue = configured(ServeSettings(tmp_path, config=mine, model="demo"))
    assert config.research.model == "hf/Org/Net"
    assert not catalogue.host.knows("hf/Org/Net")
