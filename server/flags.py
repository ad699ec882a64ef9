"""The words of the command: its parser, and settings out of flags, environment and defaults."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import msgspec

from agent.errors import ConfigProblem
from server.people import ROLES
from server.places import user_data_folder
from server.settings import AuthMode, LogFormat, LogLevel, ServeSettings

SWITCHES = {
    "insecure_no_auth": "serve other interfaces than loopback without authentication",
    "no_browser": "do not open the page",
}
VALUES = {
    "host": "the address to listen on (127.0.0.1)",
    "port": "the port to listen on, 0 to 65535; 0 takes a free one (8765)",
    "data_dir": "the folder of logs, workspaces and tokens (the platform's user data folder)",
    "config": "a JSON file that is laid over configs/agent.json",
    "model": "the model of new sessions: openai/NAME, hf/ORG/NAME, a LiteLLM id, or demo",
    "api_base": "the address of an OpenAI-compatible server, for openai/NAME",
    "auth": f"one of {', '.join(get_args(AuthMode))} (auto)",
    "log_format": f"one of {', '.join(get_args(LogFormat))} (text)",
    "log_level": f"one of {', '.join(get_args(LogLevel))} (info)",
}
SHARED = ("data_dir", "config", "model", "api_base", "host", "auth", "log_level")
"""What `doctor` must know to judge the same server that `serve` would start."""


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="mooring",
        description="An agent that keeps working while you come and go.",
        epilog="Every flag of `serve` is also read from the environment: --data-dir is "
        "MOORING_DATA_DIR. Without a command, `serve` is meant.",
    )
    top.add_argument("--version", action="store_true", help="the version, and no more")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    serve = commands.add_parser("serve", help="start the server")
    _add(serve, VALUES)
    for name in SWITCHES:
        _add_switch(serve, name)
    _add_token(commands.add_parser("token", help="make, list and revoke API tokens"))
    _add_secret(commands.add_parser("secret", help="what a user keeps secret: set, list, remove"))
    _add_keys(commands.add_parser("keys", help="what secrets are sealed with"))
    export = commands.add_parser("export", help="write a session to stdout")
    export.add_argument("session", metavar="SESSION")
    export.add_argument("--format", choices=("md", "jsonl"), default="md")
    _add(export, ("data_dir",))
    audit = commands.add_parser("audit", help="write who did what, and check its seals")
    audit.add_argument("--jsonl", action="store_true", help="a JSON object a line, with the seal")
    _add(audit, ("data_dir",))
    backup = commands.add_parser("backup", help="copy the store and all files, also while it runs")
    backup.add_argument("folder", metavar="FOLDER", help="a new one; it becomes a data folder")
    backup.add_argument("--without-files", action="store_true", help="the database alone")
    backup.add_argument(
        "--without-keys", action="store_true", help="leave out what opens the secrets in it"
    )
    _add(backup, ("data_dir",))
    doctor = commands.add_parser("doctor", help="what is usable here, what to install or mend")
    _add(doctor, SHARED)
    _add_switch(doctor, "insecure_no_auth")
    return top


def read(arguments: Sequence[str]) -> argparse.Namespace:
    """What was asked for; ends the process with a message and 2, as `--help` ends it with 0."""
    first = arguments[0] if arguments else ""
    about = first in {"-h", "--help", "--version"}
    if not first or (first.startswith("-") and not about):
        arguments = ["serve", *arguments]
    return parser().parse_args(arguments)


def settings(given: argparse.Namespace, environment: Mapping[str, str]) -> ServeSettings:
    """Flags before environment before defaults; an empty value counts as absent."""
    values: dict[str, str] = {"data_dir": str(user_data_folder(environment=environment))}
    for name in (*VALUES, *SWITCHES):
        if value := getattr(given, name, None) or environment.get(_variable(name)):
            values[name] = value
    try:
        return msgspec.convert(values, ServeSettings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        problem, _, name = str(error).rstrip("`").partition(" - at `$.")
        raise ConfigProblem(
            f"{_flag(name)} (or {_variable(name)}) cannot be {values[name]!r}: {problem}. "
            f"It says: {(VALUES | SWITCHES)[name]}."
        ) from error


def _add_token(token: argparse.ArgumentParser) -> None:
    verbs = token.add_subparsers(dest="verb", required=True, metavar="VERB")
    create = verbs.add_parser("create", help="print a new token, once")
    create.add_argument("--user", required=True, metavar="NAME")
    create.add_argument("--role", choices=ROLES, default="user")
    create.add_argument("--days", type=int, default=90, help="how long it lasts (90)")
    revoke = verbs.add_parser("revoke", help="refuse a token from now on")
    revoke.add_argument("id", metavar="ID", help="as `mooring token list` shows it")
    for verb in (create, verbs.add_parser("list", help="all tokens, id first"), revoke):
        _add(verb, ("data_dir",))


def _add_secret(secret: argparse.ArgumentParser) -> None:
    verbs = secret.add_subparsers(dest="verb", required=True, metavar="VERB")
    keep = verbs.add_parser("set", help="keep a secret, whose value is read from stdin")
    remove = verbs.add_parser("remove", help="remove a secret")
    for verb in (keep, remove):
        verb.add_argument("name", metavar="NAME", help="as of an environment variable: HF_TOKEN")
    for verb in (keep, verbs.add_parser("list", help="the names of all"), remove):
        verb.add_argument("--user", required=True, metavar="USER")
        _add(verb, ("data_dir",))


def _add_keys(keys: argparse.ArgumentParser) -> None:
    verbs = keys.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, says in (
        ("rotate", "seal everything with a new key, while no server runs"),
        ("forget", "give up what was sealed with keys that are lost"),
    ):
        _add(verbs.add_parser(name, help=says), ("data_dir",))


def _add(command: argparse.ArgumentParser, names: Sequence[str] | Mapping[str, str]) -> None:
    for name in names:
        command.add_argument(_flag(name), metavar=name.upper(), help=VALUES[name])


def _add_switch(command: argparse.ArgumentParser, name: str) -> None:
    command.add_argument(_flag(name), action="store_const", const="true", help=SWITCHES[name])


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _variable(name: str) -> str:
    return "MOORING_" + name.upper()


def _path(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value).expanduser()
    raise NotImplementedError
