"""The program in ``engine_image``: vLLM's command line and paths, as far as the tests need them."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import time
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).parent))
from model_server import Behaviour, _Handler  # type: ignore[import-not-found]  # beside it in the image

PLACES = ("/", "/etc", "/usr", "/llm-bundle", "/llm-bundle/model", "/llm-bundle/cache", "/tmp", "/dev/shm")
FAULTS = {
    "crash": "end at once",
    "fetch": "need a file from the hub to start",
    "mute": "answer no chat completion",
    "unparsed": "leave tool calls in the text",
    "no-tools": "refuse tools",
}


class Handler(_Handler):  # type: ignore[misc]
    """The model's server and what vLLM answers besides, without a key."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class calls it so)
        print(f'INFO:     {self.client_address[0]} - "{self.requestline}" {args[1] if args[1:] else ""}', flush=True)

    mute = False

    def _dispatch(self, body: bytes) -> Any:
        path = urlsplit(self.path).path
        if self.mute and path == "/v1/chat/completions":
            return self._json(500, {"error": {"message": "EngineCore encountered an issue, on purpose"}})
        if path == "/health":
            return self._json(200, {})
        if path == "/metrics":
            return self._json(200, {"vllm:num_requests_running": 0})
        if path == "/invocations":
            return self._chat(json.loads(body))
        if path == "/probe":
            return self._json(200, probe(parse_qs(urlsplit(self.path).query)))
        return super()._dispatch(body)


def probe(question: dict[str, list[str]]) -> dict[str, Any]:
    """What this process may do."""
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    began = time.monotonic()
    found: dict[str, Any] = {
        "argv": sys.argv[2:],
        "uid": os.getuid(),
        "gid": os.getgid(),
        "capabilities": int(status["CapEff"], 16) | int(status["CapBnd"], 16),
        "no_new_privileges": status["NoNewPrivs"].strip() == "1",
        "writable": [path for path in PLACES if writable(path)],
        "environment": dict(os.environ),
        "model": sorted(path.name for path in Path("/llm-bundle/model").iterdir()),
        "shm": os.statvfs("/dev/shm").f_blocks * os.statvfs("/dev/shm").f_frsize,
        "connects": attempt(lambda: reach(question["address"][0], int(question["port"][0]))),
        "resolves": attempt(lambda: resolve(question["name"][0])),
    }
    return {**found, "seconds": time.monotonic() - began}


def reach(address: str, port: int) -> str:
    """Connect."""
    with socket.create_connection((address, port), timeout=2):
        return "yes"


def resolve(name: str) -> str:
    """Ask for a name."""
    return str(socket.getaddrinfo(name, 80)[0][4][0])


def attempt(what: Any) -> str:
    """The outcome, or the error in words."""
    try:
        return str(what())
    except (OSError, KeyError) as error:
        return f"no: {error}"


def writable(folder: str) -> bool:
    """Whether a file can be made there."""
    path = Path(folder, "probe")
    try:
        path.write_text("x")
        path.unlink()
    except OSError:
        return False
    return True


def main() -> None:
    """Start as ``vllm serve`` does; a model that is not there ends it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["serve"])
    parser.add_argument("model")
    parser.add_argument("--served-model-name", required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--max-model-len", type=int, default=65_536)
    parser.add_argument("--fault", choices=FAULTS, help="; ".join(FAULTS.values()))
    known, _ = parser.parse_known_args()
    if known.fault == "crash":
        print("torch.OutOfMemoryError: CUDA out of memory, on purpose", file=sys.stderr, flush=True)
        sys.exit(1)
    if known.fault == "fetch":
        print("Fetching tokenizer.json from huggingface.co", file=sys.stderr, flush=True)
        socket.create_connection(("huggingface.co", 443), timeout=5)
    Handler.mute = known.fault == "mute"
    if not Path(known.model).exists():
        print(f"OSError: Repo id must be in the form 'repo_name': '{known.model}'.", file=sys.stderr)
        sys.exit(1)
    key = os.environ.get("VLLM_API_KEY", "")
    server = ThreadingHTTPServer((known.host, known.port), Handler)
    server.behaviour = Behaviour(  # type: ignore[attr-defined]
        token=key,
        model=known.served_model_name,
        context=known.max_model_len,
        gap=float(os.environ.get("TEST_GAP", "0")),
        tools={"unparsed": "text", "no-tools": "off"}.get(known.fault, "parsed"),
    )
    # The first process of a container gets no signal that it does not ask for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("INFO:     Application startup complete.", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
