"""What is weak is told; what is dangerous keeps a server from starting unless it is accepted."""

from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from agent.errors import ConfigProblem
from server.config import Config, Risk
from server.settings import ServeSettings
from server.weaknesses import Weakness, of_files, of_settings, refuse_dangers

HERE = Path("/nowhere/at/all")
ALLOW = {"decision": "allow"}


def weak(overlay: dict[str, Any] | None = None, **flags: Any) -> list[Weakness]:
    config = msgspec.convert(overlay or {}, Config)
    return list(of_settings(ServeSettings(HERE, **flags), config))


def mcp(url: str, **more: Any) -> dict[str, Any]:
    return {"mcp_servers": {"far": {"url": url, **more}}}


def test_what_is_shipped_is_not_weak() -> None:
    assert weak() == []


DANGERS: list[tuple[dict[str, Any], str, Risk]] = [
    ({"allowed_origins": ["*"]}, "allowed_origins", "any_origin"),
    ({"trusted_proxies": ["0.0.0.0/0"]}, "trusted_proxies", "wide_proxies"),
    ({"trusted_proxies": ["::/0"]}, "trusted_proxies", "wide_proxies"),
    ({"trusted_proxies": ["10.0.0.0/8"]}, "trusted_proxies", "wide_proxies"),
    ({"trusted_proxies": ["203.0.0.0/16"]}, "trusted_proxies", "wide_proxies"),
    ({"web": {"allow": ["169.254.0.0/16"]}}, "web.allow", "metadata_reachable"),
    ({"web": {"allow": ["0.0.0.0/0"]}}, "web.allow", "metadata_reachable"),
    ({"web": {"allow": ["fd00::/8"]}}, "web.allow", "metadata_reachable"),
    (mcp("http://far.example", hub_token="header"), "mcp_servers.far", "tokens_in_clear"),
    (mcp("http://10.0.0.2", headers={"A": "b"}), "mcp_servers.far", "tokens_in_clear"),
    (mcp("http://[", headers={"A": "b"}), "mcp_servers.far", "tokens_in_clear"),
    ({"hub": {"endpoint": "http://mirror.example"}}, "hub.endpoint", "tokens_in_clear"),
    ({"hub": {"router": "http://mirror.example/v1"}}, "hub.router", "tokens_in_clear"),
    (
        {"web": {"search": {"provider": "brave", "key": "k", "url": "http://x.example"}}},
        "web.search.url",
        "tokens_in_clear",
    ),
    ({"approval": {"rules": [ALLOW]}}, "approval.rules[0]", "all_allowed"),
    ({"approval": {"rules": [ALLOW | {"tool": "hf_*"}]}}, "approval.rules[0]", "all_allowed"),
]


@pytest.mark.parametrize(("overlay", "setting", "risk"), DANGERS)
def test_a_danger_is_named_and_keeps_it_from_starting(
    overlay: dict[str, Any], setting: str, risk: Risk
) -> None:
    (found,) = weak(overlay)
    assert (found.setting, found.risk) == (setting, risk)
    settings = ServeSettings(HERE)
    with pytest.raises(ConfigProblem) as problem:
        refuse_dangers(settings, msgspec.convert(overlay, Config))
    assert f"`{setting}`" in problem.value.message
    assert f'{{"accept_risks": ["{risk}"]}}' in problem.value.message
    refuse_dangers(settings, msgspec.convert(overlay | {"accept_risks": [risk]}, Config))
    other = "any_origin" if risk != "any_origin" else "all_allowed"
    with pytest.raises(ConfigProblem):
        refuse_dangers(settings, msgspec.convert(overlay | {"accept_risks": [other]}, Config))


def test_every_risk_that_can_be_accepted_is_one() -> None:
    assert {risk for *_, risk in DANGERS} | {"data_open_to_others"} == {*get_args(Risk)}


def test_all_dangers_are_named_at_once() -> None:
    both = msgspec.convert(DANGERS[0][0] | DANGERS[1][0], Config)
    with pytest.raises(ConfigProblem, match=r'\["any_origin", "wide_proxies"\]'):
        refuse_dangers(ServeSettings(HERE), both)


@pytest.mark.parametrize(
    ("overlay", "flags", "setting", "says"),
    [
        ({}, {"host": "0.0.0.0"}, "--host", "without TLS"),
        ({}, {"log_level": "debug"}, "--log-level", "what people say"),
        (
            {"oauth": {"client_id": "x", "allow": {"anyone": True}}},
            {},
            "oauth.allow.anyone",
            "everybody",
        ),
        (
            {"allowed_origins": ["http://page.example"], "trusted_proxies": ["::1"]},
            {},
            "allowed_origins",
            "without TLS",
        ),
        (
            {"allowed_origins": ["https://[", "*.x", "https://page.example"]},
            {},
            "trusted_proxies",
            "`allowed_origins` has https://page.example",
        ),
        (
            {"oauth": {"client_id": "x", "public_url": "https://m.example"}},
            {"host": "localhost"},
            "trusted_proxies",
            "`oauth.public_url` has https://m.example",
        ),
        ({"web": {"allow": ["127.0.0.1/32"]}}, {}, "web.allow", "this server too"),
        ({"web": {"allow": ["::1/128"]}}, {}, "web.allow", "this server too"),
        (
            {"approval": {"rules": [ALLOW | {"tool": "hf_jobs", "match": {"title": "^test"}}]}},
            {},
            "approval.rules[0]",
            "do not ask",
        ),
        ({"approval": {"rules": [ALLOW | {"tool": "mcp_a_b"}]}}, {}, "approval.rules[0]", "ask"),
    ],
)
def test_what_is_weak_but_no_danger_is_told_alone(
    overlay: dict[str, Any], flags: dict[str, Any], setting: str, says: str
) -> None:
    (found,) = weak(overlay, **flags)
    assert (found.setting, found.risk) == (setting, None)
    assert says in found.says
    refuse_dangers(ServeSettings(HERE, **flags), msgspec.convert(overlay, Config))


def test_an_open_bind_without_authentication_is_told_however_it_was_insisted_on() -> None:
    settings = {weakness.setting for weakness in weak(host="0.0.0.0", insecure_no_auth=True)}
    assert settings == {"--insecure-no-auth", "--host"}


@pytest.mark.parametrize(
    "overlay",
    [
        {"allowed_origins": ["http://localhost:5173"]},
        {"allowed_origins": ["https://page.example"], "trusted_proxies": ["127.0.0.1"]},
        {"oauth": {"client_id": "x", "public_url": "http://localhost:8765"}},
        {"trusted_proxies": ["127.0.0.0/8", "10.1.0.0/16", "203.0.113.0/24", "nonsense"]},
        {"web": {"allow": ["10.1.2.0/24", "nonsense"]}},
        mcp("https://far.example", hub_token="header"),
        mcp("http://127.0.0.1:9000", hub_token="header"),
        mcp("http://far.example"),
        {"hub": {"endpoint": "http://localhost:1"}},
        {"approval": {"rules": [ALLOW | {"tool": "bash"}, {"decision": "deny"}]}},
    ],
)
def test_what_is_sensible_is_not_weak(overlay: dict[str, Any]) -> None:
    assert weak(overlay) == []
    refuse_dangers(ServeSettings(HERE), msgspec.convert(overlay, Config))


def test_behind_a_proxy_an_open_bind_is_not_weak() -> None:
    assert weak({"trusted_proxies": ["10.0.0.2"]}, host="0.0.0.0") == []


# ---- the disk ----------------------------------------------------------------------------------


def folder(tmp_path: Path, mode: int, **files: int) -> Path:
    data = tmp_path / "data"
    data.mkdir()
    for name, own in files.items():
        (data / name).touch()
        (data / name).chmod(own)
    data.chmod(mode)
    return data


def test_a_folder_of_ones_own_is_fine(tmp_path: Path) -> None:
    data = folder(tmp_path, 0o700, secret_keys=0o600, mooring_db=0o644)
    assert list(of_files(data)) == []
    assert list(of_files(tmp_path / "none")) == []


@pytest.mark.parametrize(
    ("mode", "files", "risk"),
    [
        (0o755, {"mooring_db": 0o600}, None),
        (0o755, {"secret_keys": 0o600, "mooring_db": 0o644}, None),
        (0o777, {}, "data_open_to_others"),
        (0o755, {"mooring_db": 0o666}, "data_open_to_others"),
        (0o755, {"secret_keys": 0o640}, "data_open_to_others"),
        (0o700, {"secret_keys": 0o640}, None),
        (0o700, {"mooring_db": 0o666}, None),
    ],
)
def test_what_others_may_read_is_told_and_what_they_may_change_is_a_danger(
    tmp_path: Path, mode: int, files: dict[str, int], risk: Risk | None
) -> None:
    data = folder(tmp_path, mode, **files)
    found = list(of_files(data))
    assert found
    assert {weakness.risk for weakness in found} - {None} == ({risk} if risk else set())
    if risk is None:
        refuse_dangers(ServeSettings(data), Config())
    else:
        with pytest.raises(ConfigProblem, match="data_open_to_others"):
            refuse_dangers(ServeSettings(data), Config())
