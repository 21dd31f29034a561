"""The stand-in ``lms``: commands, refusals and output as in lms's own source (github.com/lmstudio-ai/lms).

It is a file by itself, for LM Studio's user runs it with any Python. Beside it lie ``conduct.json``, by which tests let
it misbehave, and ``calls``, where it writes down who called it how.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

HERE = Path(__file__).parent
VERSION = "0.0.47"
RED, PLAIN = "\x1b[91m", "\x1b[39m"


def conduct() -> dict[str, Any]:
    """How tests want it to behave."""
    found: dict[str, Any] = json.loads((HERE / "conduct.json").read_text())
    return found


def home() -> Path:
    """As findLMStudioHome of lms-common-server, which writes the pointer where there is none."""
    user = Path(os.environ["HOME"])
    pointer = user / ".lmstudio-home-pointer"
    if pointer.exists() and pointer.read_text().strip():
        return Path(pointer.read_text().strip())
    cache = user / ".cache" / "lm-studio"
    found = cache if cache.exists() else user / ".lmstudio"
    pointer.write_text(str(found))
    return found


class State:
    """What LM Studio knows: daemon's number, server's port and number, loaded models."""

    def __init__(self) -> None:
        self._path = home() / ".internal" / "stand-in.json"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = self._path.read_text() if self._path.exists() else "{}"
        self.value: dict[str, Any] = {"daemon": None, "server": None, "port": None, "loaded": [], **json.loads(text)}

    def save(self) -> None:
        self._path.write_text(json.dumps(self.value))


def models() -> list[dict[str, Any]]:
    """The rows of ``ls --json``: a file at publisher/repository/file, the first of its parts, no projector."""
    settings = home() / "settings.json"
    folder = Path(json.loads(settings.read_text())["downloadsFolder"]) if settings.exists() else home() / "models"
    found = sorted(folder.glob("*/*/*.gguf"))
    firsts = [
        path for path in found if "mmproj" not in path.name and ("-of-" not in path.name or "-00001-" in path.name)
    ]
    return [
        {
            "type": "llm",
            "modelKey": path.stem.lower(),
            "format": "gguf",
            "path": str(path.relative_to(folder)),
            "sizeBytes": path.stat().st_size,
            "indexedModelIdentifier": str(path.relative_to(folder)),
            "maxContextLength": 131_072,
        }
        for path in firsts
        if path.is_file() and not path.is_symlink() and os.access(path, os.R_OK) and not conduct().get("blind")
    ]


def fail(text: str) -> NoReturn:
    """Refuse as lms does: in colours, on standard error."""
    print(f"{RED}{text}{PLAIN}", file=sys.stderr)
    sys.exit(1)


class Parser(argparse.ArgumentParser):
    """Refuses with 1, as commander does, and knows no abbreviations."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        fail(f"error: {message}")


def whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("Not an integer of 1 or more")
    return int(text)


def ratio(text: str) -> float:
    found = {"off": 0.0, "max": 1.0}.get(text.lower())
    if found is None and not 0 <= float(text) <= 1:
        raise argparse.ArgumentTypeError("Number out of range, must be between 0 and 1")
    return float(text) if found is None else found


def load(args: list[str]) -> None:
    parser = Parser(prog="lms load")
    parser.add_argument("path")
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("-c", "--context-length", type=whole, default=4096)
    parser.add_argument("--gpu", type=ratio)
    parser.add_argument("--ttl", type=whole)
    parser.add_argument("--parallel", type=whole, default=4)
    parser.add_argument("--identifier")
    parser.add_argument("-y", "--yes", action="store_true")
    wanted = parser.parse_args(args)
    if wanted.exact:
        model = next((row for row in models() if row["path"] == wanted.path), None)
    else:
        model = next((row for row in models() if wanted.yes and wanted.path.lower() in row["modelKey"]), None)
    if model is None:
        fail(f'Model not found\n\nNo model found with path being exactly "{wanted.path}".\n\n    lms ls')
    state = woken()
    identifier = wanted.identifier or model["modelKey"]
    if any(row["identifier"] == identifier for row in state.value["loaded"]):
        fail(f'Error: A model with identifier "{identifier}" is already loaded')
    if wanted.context_length > model["maxContextLength"]:
        fail("Error: Failed to load model. Context length is over the model's own.")
    row = {**model, "identifier": identifier, "contextLength": wanted.context_length, "gpu": wanted.gpu}
    state.value["loaded"].append({**row, "ttlMs": wanted.ttl and wanted.ttl * 1000, "status": "idle"})
    state.save()
    print(f'Model loaded successfully in 0.01s.\nTo use the model in the API/SDK, use the identifier "{identifier}".')


def unload(args: list[str]) -> None:
    """An identifier that is not loaded is said, and is no failure: so is the real one."""
    state = woken()
    kept = [row for row in state.value["loaded"] if "--all" not in args and row["identifier"] != args[0]]
    if len(kept) == len(state.value["loaded"]):
        print(f'{RED}Cannot find a model with the identifier "{args[0]}".{PLAIN}', file=sys.stderr)
    state.value["loaded"] = kept
    state.save()


def woken() -> State:
    """Asking wakes the daemon, where there is one."""
    state = State()
    if state.value["daemon"] is None:
        if not conduct().get("daemon", True):
            fail("LM Studio is not running. Please start LM Studio and try again.")
        state.value["daemon"] = os.getpid()
        state.save()
    return state


def daemon(args: list[str]) -> None:
    if not conduct().get("daemon", True):
        fail("error: unknown command 'daemon'")
    state = State()
    running = state.value["daemon"] is not None
    if args[0] == "status":
        answer = {"status": "running", "pid": 1, "isDaemon": True} if running else {"status": "not-running"}
        print(json.dumps(answer) if "--json" in args else answer["status"])
    elif args[0] == "up":
        woken()
        print("llmster started (PID: 1).")
    elif args[0] == "down":
        stop_server(state)
        state.value |= {"daemon": None, "loaded": []}
        state.save()


def server(args: list[str]) -> None:
    parser = Parser(prog="lms server")
    inner = parser.add_subparsers(dest="verb", required=True)
    start = inner.add_parser("start")
    start.add_argument("-p", "--port", type=whole, default=1234)
    start.add_argument("--cors", action="store_true")
    if conduct().get("bind", True):
        start.add_argument("--bind", default="127.0.0.1")
    inner.add_parser("stop")
    inner.add_parser("status").add_argument("--json", action="store_true")
    wanted = parser.parse_args(args)
    state = State()
    if wanted.verb == "stop":
        if not stop_server(state):
            fail("The server is not running.")
        state.save()
        print(f"Stopped the server on port {state.value['port']}.")
    elif wanted.verb == "status":
        print(json.dumps({"running": state.value["server"] is not None, "port": state.value["port"]}))
    else:
        address = str(conduct().get("listen") or getattr(wanted, "bind", "127.0.0.1"))
        start_server(woken(), address, wanted.port)


def greets(port: int) -> bool:
    """By hand: lms is called often, and the modules for HTTP are slow to import."""
    with socket.socket() as asking:
        asking.settimeout(1)
        try:
            asking.connect(("127.0.0.1", port))
            asking.sendall(b"GET /lmstudio-greeting HTTP/1.0\r\n\r\n")
            return b'{"lmstudio": true}' in b"".join(iter(lambda: asking.recv(4096), b""))
        except OSError:
            return False


def start_server(state: State, address: str, port: int) -> None:
    stop_server(state)
    with open(os.devnull, "r+b") as nothing:  # noqa: PTH123 (three times the same)
        process = subprocess.Popen(
            [sys.executable, str(HERE / "lms_server.py"), address, str(port), str(home())],
            stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True,
        )  # fmt: skip
    for _ in range(100):
        time.sleep(0.05)
        if process.poll() is not None:
            break
        if greets(port):
            break
    if process.poll() is not None:
        fail("Failed to verify the server is running. Please try to use another port.")
    state.value |= {"server": process.pid, "port": port}
    state.save()
    print(f"Success! Server is now running on port {port}")


def stop_server(state: State) -> bool:
    if state.value["server"] is None:
        return False
    try:
        os.kill(state.value["server"], signal.SIGKILL)
    except ProcessLookupError:
        pass
    state.value["server"] = None
    return True


def main(args: list[str]) -> None:
    call = {"argv": args, "uid": os.getuid(), "gid": os.getgid(), "groups": os.getgroups(), "cwd": str(Path.cwd())}
    with (HERE / "calls").open("a") as calls:
        calls.write(json.dumps({**call, "environment": dict(os.environ)}) + "\n")
    behaviour = conduct()
    verb = " ".join(args[:2]) if args[:1] in (["daemon"], ["server"]) else args[0]
    if verb in behaviour.get("hang", []):
        time.sleep(120)
    if verb in behaviour.get("fail", {}):
        fail(behaviour["fail"][verb])
    if verb in behaviour.get("say", {}):
        print(behaviour["say"][verb])
        return
    if verb in ("ls", "ps"):
        print("\x1b[33mwarning: LM Studio 0.4 is out\x1b[39m") if behaviour.get("noise") else None
        print(json.dumps(models() if woken() and verb == "ls" else woken().value["loaded"]))
    elif verb == "version":
        print(json.dumps({"version": VERSION}))
    elif verb in ("load", "unload"):
        {"load": load, "unload": unload}[verb](args[1:])
    elif args[0] in ("daemon", "server"):
        {"daemon": daemon, "server": server}[args[0]](args[1:])
    else:
        fail(f"error: unknown command '{args[0]}'")


if __name__ == "__main__":
    main(sys.argv[1:])
