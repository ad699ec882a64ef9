"""What is weak about how a server is set up: what is dangerous keeps it from starting."""

import stat
from collections.abc import Iterator
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from agent.approval import Rule
from agent.errors import ConfigProblem
from agent.loopback import is_loopback
from server.config import Config, Risk
from server.settings import ServeSettings

Network = IPv4Network | IPv6Network

LEAVES_THE_SERVER = ("hf_jobs", "hf_repo_files", "hf_repo_git")
"""Built-in tools whose calls may spend or publish; those of MCP servers may, too."""
METADATA: tuple[IPv4Address | IPv6Address, ...] = (
    ip_address("169.254.169.254"),
    ip_address("100.100.100.200"),
    ip_address("fd00:ec2::254"),
)
"""Where clouds hand out credentials to whoever asks from inside."""
LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
INSIDE = tuple(
    ip_network(network)
    for network in (
        *("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10"),
    )
)
MOST_PROXIES = 256
"""Public addresses in one network of `trusted_proxies`, and 2^16 inside: more is no network of
proxies."""


class Weakness(Struct, frozen=True):
    """With a `risk`, the server does not start unless `accept_risks` names it."""

    setting: str
    says: str
    risk: Risk | None = None


def of_settings(settings: ServeSettings, config: Config) -> Iterator[Weakness]:
    """All that can be told without a look at the disk."""
    yield from _of_the_bind(settings, config)
    yield from _of_origins(config)
    yield from _of_proxies(config)
    yield from _of_the_proxy_here(settings, config)
    yield from _of_the_web(config)
    yield from _of_clear_tokens(config)
    yield from _of_rules(config.approval.rules)
    if config.oauth is not None and config.oauth.allow.anyone:
        yield Weakness("oauth.allow.anyone", "everybody whom the provider knows is let in.")
    if settings.log_level == "debug":
        yield Weakness("--log-level", "`debug` writes what people say and tools print to the log.")


def of_files(folder: Path) -> Iterator[Weakness]:
    """What others on this machine could read or change in the data folder."""
    try:
        found = [folder, *sorted(path for path in folder.iterdir() if path.is_file())]
        modes = [(path, path.lstat().st_mode) for path in found]
    except OSError:
        return  # another finding of the doctor, or a start that fails by itself
    shut = not stat.S_IMODE(modes[0][1]) & 0o077
    for path, mode in modes:
        others = stat.S_IMODE(mode) & 0o077
        if others & 0o022:
            says = f"{path} can be changed by others: chmod go-rwx {path}."
            yield Weakness("--data-dir", says, None if shut else "data_open_to_others")
        elif others and "key" in path.name.lower():
            says = f"{path} can be read by others: chmod 600 {path}, and rotate the keys."
            yield Weakness("--data-dir", says, None if shut else "data_open_to_others")
        elif others and not shut:
            yield Weakness("--data-dir", f"{path} can be read by others: chmod go-rwx {path}.")


def refuse_dangers(settings: ServeSettings, config: Config) -> None:
    """Raises ConfigProblem that names all of them, and how to insist."""
    found = (*of_settings(settings, config), *of_files(settings.data_dir))
    dangers = [weak for weak in found if weak.risk and weak.risk not in config.accept_risks]
    if dangers:
        risks = ", ".join(f'"{risk}"' for risk in dict.fromkeys(weak.risk for weak in dangers))
        told = " ".join(f"`{weak.setting}`: {weak.says}" for weak in dangers)
        raise ConfigProblem(f'{told} Mend that, or insist with {{"accept_risks": [{risks}]}}.')


def _of_the_bind(settings: ServeSettings, config: Config) -> Iterator[Weakness]:
    if is_loopback(settings.host):
        return
    if settings.insecure_no_auth and settings.auth in ("auto", "dev"):
        says = f"everybody who reaches {settings.host} is the operator where there is no token."
        yield Weakness("--insecure-no-auth", says)
    if not config.trusted_proxies:
        says = (
            f"{settings.host} is reached without TLS: tokens travel in the clear unless a proxy is "
            "in front. Name it in `trusted_proxies`, or listen on loopback."
        )
        yield Weakness("--host", says)


def _of_origins(config: Config) -> Iterator[Weakness]:
    for origin in config.allowed_origins:
        if origin.strip("/") == "*":
            says = "`*` lets pages of every site speak to this server."
            yield Weakness("allowed_origins", says, "any_origin")
        elif origin.lower().startswith("http://") and not _is_here(origin):
            says = f"{origin} comes without TLS: whoever is on the way may change its page."
            yield Weakness("allowed_origins", says)


def _of_proxies(config: Config) -> Iterator[Weakness]:
    for named in config.trusted_proxies:
        try:
            network = ip_network(named)
        except ValueError:
            continue  # told where it is read
        most = 2**16 if any(_within(network, inside) for inside in INSIDE) else MOST_PROXIES
        if network.num_addresses > most and not any(_within(network, own) for own in LOOPBACK):
            says = (
                f"{named} has {network.num_addresses} addresses, at most {most} are sensible: each "
                "of them may say that it is anybody."
            )
            yield Weakness("trusted_proxies", says, "wide_proxies")


def _of_the_proxy_here(settings: ServeSettings, config: Config) -> Iterator[Weakness]:
    """A server on loopback that others reach has a proxy beside it."""
    public = config.oauth.public_url if config.oauth is not None else None
    origins = [("allowed_origins", origin) for origin in config.allowed_origins]
    named = [("oauth.public_url", public or ""), *origins]
    shows = next(((where, url) for where, url in named if _is_elsewhere(url)), None)
    if shows is not None and is_loopback(settings.host) and not config.trusted_proxies:
        says = (
            f"none is named, but `{shows[0]}` has {shows[1]}: if a proxy on this machine passes "
            "that on, all who come by it share one address with its limits, and the audit log does "
            "not tell them apart. Name it, as 127.0.0.1 or ::1."
        )
        yield Weakness("trusted_proxies", says)


def _of_the_web(config: Config) -> Iterator[Weakness]:
    for named in config.web.allow:
        try:
            network = ip_network(named)
        except ValueError:
            continue  # told where it is read
        if any(address in network for address in METADATA):
            says = f"{named} holds the address where clouds hand out credentials of this machine."
            yield Weakness("web.allow", says, "metadata_reachable")
        elif any(_within(own, network) or _within(network, own) for own in LOOPBACK):
            says = f"{named} lets agents reach what this machine offers to itself, this server too."
            yield Weakness("web.allow", says)


def _of_clear_tokens(config: Config) -> Iterator[Weakness]:
    for name, server in config.mcp_servers.items():
        carries = bool(server.headers or server.hub_token or server.github_token or server.oauth)
        if server.url and carries and _in_the_clear(server.url):
            says = f"{server.url} gets a token without TLS."
            yield Weakness(f"mcp_servers.{name}", says, "tokens_in_clear")
    hub = config.hub
    for key, url in (("hub.endpoint", hub.endpoint), ("hub.router", hub.router)):
        if _in_the_clear(url):
            says = f"{url} gets people's Hub tokens without TLS."
            yield Weakness(key, says, "tokens_in_clear")
    search = config.web.search
    if search.key and search.url and _in_the_clear(search.url):
        yield Weakness("web.search.url", f"{search.url} gets a key without TLS.", "tokens_in_clear")


def _of_rules(rules: tuple[Rule, ...]) -> Iterator[Weakness]:
    for number, rule in enumerate(rules):
        if rule.decision != "allow":
            continue
        here = f"approval.rules[{number}]"
        if not rule.match and all(fnmatchcase(name, rule.tool) for name in LEAVES_THE_SERVER):
            says = f"tools like {rule.tool!r} spend and publish without asking."
            yield Weakness(here, says, "all_allowed")
        elif _may_leave(rule.tool):
            yield Weakness(here, f"calls of {rule.tool!r} that may spend or publish do not ask.")


def _may_leave(tool: str) -> bool:
    return tool.startswith("mcp_") or any(fnmatchcase(name, tool) for name in LEAVES_THE_SERVER)


def _within(inner: Network, outer: Network) -> bool:
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and inner.subnet_of(outer)


def _in_the_clear(url: str) -> bool:
    return url.lower().startswith("http://") and not _is_here(url)


def _is_here(url: str) -> bool:
    """Nothing of it is ever on a wire."""
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False


def _is_elsewhere(url: str) -> bool:
    """It names a host, and that is not this machine."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return False
    return host is not None and not is_loopback(host)
