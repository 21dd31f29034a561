"""A place where bundles are installed: the commands of the site, a client of its service, and the engine's own word."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx2 as httpx
import openai

from bundler.site.engines.stored import tag_of
from bundler.site.medium import find
from bundler.site.opening import open_bundle
from tests.counterparts.need import need
from tests.counterparts.port import free_port
from tests.serving.nginx.running import client_context
from tests.site.install.world import MODEL, NAME, ROOT, Done, World

LABEL = "label=llm-bundle.owner"


@dataclass
class Spot:
    """``engine`` is docker or podman, ``cli`` its own command line, ``env`` leads our tool to that engine."""

    world: World
    root: Path
    engine: str
    cli: tuple[str, ...]
    env: dict[str, str]
    https: int = field(default_factory=free_port)
    http: int = field(default_factory=free_port)

    def bundle(self, version: str) -> Path:
        return self.world.connected / f"tiny-{version}.tar"

    def arguments(self, bundle: Path, *more: str) -> list[str]:
        """The command line of ``install``."""
        tls = ["--tls-cert", str(self.world.certificate.certificate), "--tls-key", str(self.world.certificate.key)]
        ports = ["--https-port", str(self.https), "--http-port", str(self.http), "--address", "127.0.0.1"]
        chosen = ["--root", str(self.root), "--engine", self.engine, "--gpus", "none", "--start-period", "40"]
        return ["install", str(bundle), *chosen, *ports, *tls, "--json", *more]

    def install(self, version: str | Path, *more: str) -> Done:
        """All that a first installation needs; what stands in ``more`` wins."""
        bundle = version if isinstance(version, Path) else self.bundle(version)
        return self.run(self.arguments(bundle, *more))

    def at(self, command: str, *more: str) -> Done:
        """Another command of the site."""
        return self.run([command, "--root", str(self.root), *more])

    def run(self, arguments: Sequence[str], **env: str) -> Done:
        """The tool; whatever it does, it shows no traceback, and with --json it prints one object."""
        process = self.start(arguments, **env)
        out, err = process.communicate(timeout=240)
        done = Done(process.returncode, out, err)
        assert "Traceback" not in done.err, done.err
        if "--json" in arguments:
            assert isinstance(json.loads(done.out), dict), done.out
        return done

    def start(self, arguments: Sequence[str], **env: str) -> subprocess.Popen[str]:
        """The tool as a process that runs."""
        return subprocess.Popen(
            [sys.executable, "-m", "bundler.cli.main", *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT), **self.env, **env}, cwd=self.root.parent,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def status(self) -> dict[str, Any]:
        """What ``status --json`` says."""
        found = json.loads(self.at("status", "--json").out)
        assert isinstance(found, dict)
        return found

    def state(self) -> dict[str, Any]:
        """state.json."""
        found = json.loads((self.root / "state.json").read_text())
        assert isinstance(found, dict)
        return found

    @property
    def token(self) -> str:
        return (self.root / "secrets" / "kibana.token").read_text().strip()

    def chat(self, token: str | None = None) -> str:
        """What the model says to OpenAI's own client, through TLS."""
        base = f"https://127.0.0.1:{self.https}/v1"
        transport = _Named(verify=client_context(self.world.certificate))
        with httpx.Client(transport=transport, timeout=20) as http:
            client = openai.OpenAI(base_url=base, api_key=token or self.token, http_client=http, max_retries=0)
            messages: Any = [{"role": "user", "content": "Say: ready"}]
            said = client.chat.completions.create(model=MODEL, messages=messages)
            return said.choices[0].message.content or ""

    def answers(self) -> bool:
        """Whether it serves just now."""
        try:
            return bool(self.chat())
        except (openai.OpenAIError, OSError):
            return False

    def answers_soon(self, seconds: float = 20) -> bool:
        """Whether it serves within some seconds: a container that was just started takes a moment."""
        end = time.monotonic() + seconds
        while not self.answers():
            if time.monotonic() > end:
                return False
            time.sleep(0.3)
        return True

    def ask(self, *arguments: str) -> list[str]:
        """What the engine's own command line prints, a line each."""
        done = subprocess.run([*self.cli, *arguments], env={**os.environ, **self.env},
                              check=True, capture_output=True, text=True, timeout=60)  # fmt: skip
        return done.stdout.split()

    def containers(self) -> list[str]:
        """Names of the containers of this world's releases, running or not."""
        return self._marked(self.ask("ps", "--all", "--filter", LABEL, "--format", "{{.Names}}"))

    def networks(self) -> list[str]:
        """Names of their networks."""
        return self._marked(self.ask("network", "ls", "--filter", LABEL, "--format", "{{.Name}}"))

    def images(self) -> list[str]:
        """Tags of their images."""
        tags = {tag for bundle in self.world.bundles for tag in marks(bundle)[1]}
        return sorted(tags & set(self.ask("images", "--format", "{{.Repository}}:{{.Tag}}")))

    def running(self) -> list[str]:
        """Names of all that runs or could run."""
        return sorted([*self.containers(), *self.networks()])

    def _marked(self, names: list[str]) -> list[str]:
        """This machine's engine may serve other bundles: they are none of ours."""
        digits = [marks(bundle)[0] for bundle in self.world.bundles]
        return sorted(name for name in names if any(one in name for one in digits))

    def serve(self, version: str) -> str:
        """Let that version serve, with the settings of a first installation; the id of its release."""
        done = self.install(version, "--allow-downgrade")
        assert done.code == 0, done.err
        return str(json.loads(done.out)["release"])

    def of(self, release: str) -> list[str]:
        """What there is to be of a release that serves."""
        digits = release.rpartition("-")[2]
        front = [f"llm-bundle-{digits}", f"llm-bundle-{digits}-front"]
        return sorted([*front, f"llm-engine-{digits}-1", f"llm-proxy-{digits}"])

    def clear(self) -> None:
        """Take away what a test has left."""
        for verb, names in ((["rm", "--force"], self.containers()), (["network", "rm"], self.networks())):
            if names:
                subprocess.run([*self.cli, *verb, *names], env={**os.environ, **self.env}, capture_output=True,
                               check=False, timeout=60)  # fmt: skip


@cache
def marks(bundle: Path) -> tuple[str, frozenset[str]]:
    """The digits in the names of its containers, and the tags of its images."""
    with find([bundle]) as medium:
        opened = open_bundle(medium)
    tags = frozenset(tag_of(image.name, image.digest) for image in opened.manifest.images)
    return opened.manifest_digest.short, tags


class _Named(httpx.HTTPTransport):
    """Asks 127.0.0.1 for the certificate of the proxy's name."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["Host"] = NAME
        request.extensions = {**request.extensions, "sni_hostname": NAME}
        return super().handle_request(request)


def docker_spot(world: World, root: Path, socket: Path) -> Spot:
    """A place on the Docker behind ``socket``."""
    address = f"unix://{socket}"
    root.parent.mkdir(parents=True, exist_ok=True)
    return Spot(world, root, "docker", (need("docker", "docker.io"), "--host", address), {"DOCKER_HOST": address})


def podman_spot(world: World, root: Path, command: tuple[str, ...]) -> Spot:
    """A place on Podman, whose program is found in PATH with the options of the tests."""
    root.parent.mkdir(parents=True, exist_ok=True)
    folder = root.parent / "bin"
    folder.mkdir()
    (folder / "podman").write_text(f'#!/bin/sh\nexec {" ".join(command)} "$@"\n')
    (folder / "podman").chmod(0o755)
    return Spot(world, root, "podman", command, {"PATH": f"{folder}:{os.environ['PATH']}"})


def ended(process: subprocess.Popen[str], number: signal.Signals) -> Done:
    """How a process ends to which a signal was sent."""
    process.send_signal(number)
    out, err = process.communicate(timeout=240)
    return Done(process.returncode, out, err)
