"""The stand-in's server: LM Studio's answers, and its log in the form of 0.3 and newer, prompts included.

Called as ``lms_server.py ADDRESS PORT HOME``. Unknown paths answer 200 and are logged as errors, as the real one does.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ADDRESS, PORT, HOME = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}


def log(level: str, tag: str, text: str) -> None:
    """An event of shape A2: local time without a zone, to the second."""
    now = datetime.now()
    path = HOME / "server-logs" / f"{now:%Y-%m}" / f"{now:%Y-%m-%d}.1.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"[{now:%Y-%m-%d %H:%M:%S}][{level}]{f'[{tag}]' if tag else ''} {text}\n")


def loaded() -> list[str]:
    state = json.loads((HOME / ".internal" / "stand-in.json").read_text())
    return [row["identifier"] for row in state["loaded"]]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class calls it so)
        """Nothing on stderr."""

    def do_GET(self) -> None:
        if self.path == "/lmstudio-greeting":
            return self._json(200, {"lmstudio": True})
        if self.path == "/v1/models":
            names = [*loaded(), "text-embedding-nomic-embed-text-v1.5"]
            log("INFO", "", f"Returning {len(names)} models from v1 API")
            rows = [{"id": name, "object": "model", "owned_by": "organization_owner"} for name in names]
            return self._json(200, {"object": "list", "data": rows})
        return self._unknown()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/v1/chat/completions":
            return self._chat(json.loads(body))
        if self.path in ("/api/v1/models/load", "/api/v1/models/unload", "/api/v1/models/download"):
            log("INFO", "", f"Received request: POST to {self.path}")
            return self._json(200, {"done": self.path})
        return self._unknown()

    def _unknown(self) -> None:
        text = f"Unexpected endpoint or method. ({self.command} {self.path})"
        log("ERROR", "", f"{text}. Returning 200 anyway")
        self._json(200, {"error": text})

    def _chat(self, question: dict[str, Any]) -> None:
        model = question.get("model", "")
        shown = json.dumps(question, indent=2)
        log("DEBUG", model, f"Received request: POST to /v1/chat/completions with body {shown}")
        if model not in loaded():
            log(
                "ERROR", "", f'No models loaded. Please load a model in the developer page or use "lms load". ({model})'
            )
            return self._json(404, {"error": {"message": f'Model "{model}" not found', "code": "model_not_found"}})
        log("INFO", model, f"Running chat completion on conversation with {len(question['messages'])} messages.")
        if question.get("stream"):
            log("INFO", model, "Streaming response...")
            self._stream(model)
            return log("INFO", model, "Finished streaming response")
        answer = {
            "id": "chatcmpl-1", "object": "chat.completion", "created": int(time.time()), "model": model,
            "usage": USAGE,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "ready"}, "finish_reason": "stop"}],
        }  # fmt: skip
        log("INFO", model, f"Generated prediction: {json.dumps(answer, indent=2)}")
        return self._json(200, answer)

    def _stream(self, model: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": int(time.time()), "model": model}
        for delta, finish in (({"role": "assistant", "content": "rea"}, None), ({"content": "dy"}, None), ({}, "stop")):
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            self.wfile.write(f"data: {json.dumps({**head, 'choices': [choice]})}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def _json(self, status: int, document: object) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    with ThreadingHTTPServer((ADDRESS, PORT), Handler) as running:
        log("INFO", "LM STUDIO SERVER", f"Success! HTTP server listening on port {PORT}")
        running.serve_forever()
