"""A server of tools, without any library, that does what the SDK's never would.

`rogue.py WAY [PLACE]`: in PLACE it leaves what it has to say to the test.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

WAY = sys.argv[1]
PLACE = Path(sys.argv[2]) if len(sys.argv) > 2 else Path()
TOOL = {"name": "work", "description": "Works.", "inputSchema": {"type": "object"}}

QUESTIONS: dict[str, dict[str, Any]] = {
    "form": {
        "message": "How shall we ship it?",
        "requestedSchema": {
            "type": "object",
            "properties": {
                "email": {"type": "string", "format": "email", "title": "Your e-mail"},
                "size": {"type": "string", "enum": ["s", "l"], "enumNames": ["Small", "Large"]},
                "copies": {"type": "integer", "minimum": 1, "maximum": 9, "default": 1},
                "gift": {"type": "boolean", "description": "Wrap it"},
                "extras": {"type": "array", "items": {"type": "string", "enum": ["card", "bow"]}},
            },
            "required": ["email", "size"],
        },
    },
    "page": {
        "mode": "url",
        "elicitationId": "e1",
        "message": "Sign in to the shop",
        "url": "https://shop.example.org/sign-in?order=7",
    },
}


def say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def answer(asked: dict[str, Any]) -> None:
    match asked.get("method"):
        case "initialize":
            say({"id": asked["id"], "result": greeting(asked)})
        case "tools/list":
            say({"id": asked["id"], "result": {"tools": tools()}})
        case "tools/call":
            called(asked)
        case "notifications/cancelled" if WAY == "slow":
            (PLACE / "cancelled").touch()
        case _ if "id" in asked:
            say({"id": asked["id"], "error": {"code": -32601, "message": "no such method"}})
        case _:
            pass


def greeting(asked: dict[str, Any]) -> dict[str, Any]:
    return {
        "protocolVersion": asked["params"]["protocolVersion"],
        "capabilities": {"tools": {"listChanged": True}},
        "serverInfo": {"name": WAY, "version": "0"},
    }


def tools() -> list[dict[str, Any]]:
    match WAY:
        case "crowded":
            return [{**TOOL, "name": f"work{n}"} for n in range(500)]
        case "strange":
            deep: dict[str, Any] = {"type": "object"}
            for _ in range(60):
                deep = {"type": "object", "properties": {"a": deep}}
            return [
                {**TOOL, "name": "a b/c"},
                {**TOOL, "name": "x" * 200},
                {**TOOL, "name": "deep", "inputSchema": deep},
                {**TOOL, "name": ""},
            ]
        case "growing" if (PLACE / "grown").exists():
            return [TOOL, {**TOOL, "name": "more"}]
        case "dishonest":
            return [{**TOOL, "annotations": {"readOnlyHint": True, "destructiveHint": True}}]
        case _:
            return [TOOL]


def called(asked: dict[str, Any]) -> None:
    done = {"content": [{"type": "text", "text": "done"}]}
    match WAY:
        case "dies" | "dies at once":
            os._exit(1)
        case "dies once" if not (PLACE / "died").exists():
            (PLACE / "died").touch()
            os._exit(1)
        case "slow":
            (PLACE / "called").touch()
            return
        case "floods":
            while True:
                sys.stdout.write("x" * 1_000_000)
        case "unreadable":
            deep = "[" * 1000 + "]" * 1000
            sys.stdout.write(f'{{"jsonrpc": "2.0", "id": {asked["id"]}, "result": {deep}}}\n')
            sys.stdout.flush()
            return
        case "lies":
            say({"id": 987654, "result": done})
            say({"id": asked["id"], "result": {"content": [{"type": "hologram"}, 7]}})
            return
        case "growing":
            (PLACE / "grown").touch()
            say({"method": "notifications/tools/list_changed"})
        case "page first":
            page = {**QUESTIONS["page"], "url": "https://shop.example.org/terms"}
            error = {"code": -32042, "message": "not yet", "data": {"elicitations": [page]}}
            say({"id": asked["id"], "error": error})
            return
        case "form" | "page":
            say({"id": "q1", "method": "elicitation/create", "params": QUESTIONS[WAY]})
            reply = json.loads(sys.stdin.readline())
            if "result" not in reply:  # the call was cancelled
                (PLACE / "cancelled").touch()
                return
            text = json.dumps(reply["result"], sort_keys=True)
            done = {"content": [{"type": "text", "text": text}]}
        case "asks" if asked["params"].get("arguments"):
            (PLACE / "called").touch()
            return
        case "asks":
            params = {"message": "Who?", "requestedSchema": {"type": "object", "properties": {}}}
            say({"id": "q1", "method": "elicitation/create", "params": params})
            reply = json.loads(sys.stdin.readline())
            text = json.dumps(reply["result"], sort_keys=True)
            done = {"content": [{"type": "text", "text": text}]}
        case "chatters":
            for _ in range(300):
                params = {"level": "info", "data": "x" * 1000}
                say({"method": "notifications/message", "params": params})
        case "environment":
            text = json.dumps(dict(os.environ), sort_keys=True)
            done = {"content": [{"type": "text", "text": text}]}
        case _:
            pass
    say({"id": asked["id"], "result": done})


def stubborn() -> None:
    """Neither it nor its child goes for any hint."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if (child := os.fork()) == 0:
        while True:
            time.sleep(60)
    (PLACE / "pids.part").write_text(f"{os.getpid()} {child}")
    (PLACE / "pids.part").rename(PLACE / "pids")


if WAY == "stubborn":
    stubborn()
if WAY == "babbles":
    for _ in range(20):
        print("I am not JSON", flush=True)
if WAY == "complains":
    sys.stderr.write("oh dear\n" * 100_000)
while WAY != "silent" and (line := sys.stdin.readline()):
    answer(json.loads(line))
    if WAY == "dies at once" and json.loads(line).get("method") == "tools/list":
        os._exit(1)
while WAY in ("silent", "stubborn"):
    time.sleep(60)
