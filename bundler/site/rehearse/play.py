"""The acts of a rehearsal in their order, each a row of the report.

What stands on an act that failed is skipped. The questions stand on no other: each is asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from bundler.disk import size_text
from bundler.errors import EngineError, IntegrityError
from bundler.progress import Progress
from bundler.serving.plan import ServePlan
from bundler.site.chat import Line
from bundler.site.engines.interface import Engine
from bundler.site.install.switch import bring_up
from bundler.site.medium import find
from bundler.site.parts.interface import Part
from bundler.site.parts.keys import engine_key
from bundler.site.rehearse import outside, questions
from bundler.site.rehearse.choices import Choices
from bundler.site.rehearse.desk import Desk
from bundler.site.rehearse.names import probe_name
from bundler.site.rehearse.outside import Target
from bundler.site.rehearse.report import Ending, Ledger
from bundler.site.rehearse.stage import Stage, set_up
from bundler.site.releases.add import Added, add_release
from bundler.site.state import Release, Settings
from bundler.trust.keys import PublicKey

BUNDLE: Final = "bundle"
ENGINE: Final = "engine"
PROXY: Final = "proxy"

Question = Callable[[Line, ServePlan], str]

_QUESTIONS: Final[dict[str, Question]] = {
    "models": questions.models,
    "chat completion": questions.chat,
    "stream": questions.streamed,
    "tool call": questions.tool_call,
    "embeddings": questions.embeddings,
    "no token": questions.no_token,
    "other paths": questions.other_paths,
}
EXPECTED: Final = {
    BUNDLE: "every byte as it was packed",
    "images": "those of the bundle, by digest",
    ENGINE: "healthy in time",
    PROXY: "takes its configuration and shakes hands",
    "no way out": "nothing outside is reached from the engine's network",
    "models": "the name that clients send",
    "chat completion": "a text",
    "stream": "a text that arrives bit by bit",
    "tool call": "a call with arguments in JSON",
    "embeddings": "a list of numbers",
    "no token": "401",
    "other paths": "404",
}
"""Every check by name, in the order of the report, and what it expects."""

_OF_CHAT: Final = ("chat completion", "stream", "tool call")
_OF_PROXY: Final = (PROXY, "no token", "other paths")


class Play:
    """One rehearsal at its desk. ``added`` and ``stage`` are there as soon as they are made."""

    def __init__(
        self,
        desk: Desk,
        engine: Engine,
        choices: Choices,
        settings: Settings,
        targets: tuple[Target, ...],
        progress: Progress,
    ) -> None:
        self.ledger = Ledger(progress)
        self.added: Added | None = None
        self.stage: Stage | None = None
        self._desk, self._engine, self._choices = desk, engine, choices
        self._settings, self._targets, self._progress = settings, targets, progress

    def perform(self, bundle: Path, keys: Sequence[PublicKey] | None) -> Ending:
        """All acts. Raises: MachineError; UsageError for a bundle that cannot be rehearsed."""
        if not self._act(BUNDLE, lambda: self._unpack(bundle, keys)):
            return self._ended("damaged", "the bundle is not good")
        if not self._act("images", self._load):
            return self._ended("refused", "the images could not be loaded")
        stage = self._staged
        if not self._act(ENGINE, lambda: self._come_up(stage.engine)):
            return self._ended("refused", "the engine did not come up")
        front = stage.proxy
        if front is not None and not self._act(PROXY, lambda: self._come_up(front)):
            return self._ended("refused", "the proxy did not come up")
        if self._targets:
            self._act("no way out", self._look_outside)
        for name, question in _QUESTIONS.items():
            reason = self._reason(name)
            if not reason:  # else a row says why
                self._act(name, partial(question, stage.line, stage.plan))
        return self._ended("rehearsed", "")

    def _act(self, name: str, act: Callable[[], str]) -> bool:
        return self.ledger.check(name, EXPECTED[name], act)

    def _ended(self, ending: Ending, why: str) -> Ending:
        """Rows for what was not tried, in their places."""
        made = {check.name: check for check in self.ledger.checks}
        self.ledger.checks.clear()
        for name, expected in EXPECTED.items():
            if name in made:
                self.ledger.checks.append(made[name])
            else:
                self.ledger.skip(name, expected, why or self._reason(name))
        return ending

    def _reason(self, name: str) -> str:
        """Why a check of a service that runs is not made; empty where it is."""
        plan = self._staged.plan
        if name == "no way out":
            return "this host itself reaches nothing outside: name a place, --outside ADDRESS:PORT"
        if self._staged.proxy is None and name in _OF_PROXY:
            return "the bundle brings no image of a proxy: the engine was asked itself"
        embeds = questions.makes_embeddings(plan)
        if embeds and name in _OF_CHAT:
            return "the model embeds, and does not chat"
        if not embeds and name == "embeddings":
            return "the model chats: its arguments name no pooling"
        if name == "tool call" and plan.tool_parser is None:
            return "the bundle names no tool-call parser (serve.args)"
        return ""

    @property
    def _staged(self) -> Stage:
        if self.stage is None:
            raise EngineError("nothing is set up")
        return self.stage

    def _unpack(self, bundle: Path, keys: Sequence[PublicKey] | None) -> str:
        with find([bundle]) as medium:
            self.added = add_release(self._desk.place, medium, self._progress, keys=keys)
        report = self.added.report
        if not report.ok:
            rows = [f"{damage.path}: {damage.reason}" for damage in report.damaged]
            raise IntegrityError("; ".join(rows[:5]) + (f"; and {len(rows) - 5} more" if len(rows) > 5 else ""))
        return f"{report.members} members, {size_text(report.bytes)}"

    def _load(self) -> str:
        stage = self.stage = set_up(self._desk, self._release, self._choices, self._settings, self._engine)
        self.ledger.secrets += [stage.line.token or "", engine_key(self._desk.place)]
        new = [image for image, _ in stage.images if not self._engine.has(image)]
        self._desk.brings([image.tag for image in new])
        for image in new:
            self._engine.load(image, self._progress)
        return ", ".join(f"{image.name} {image.digest}" for image, _ in stage.images)

    @property
    def _release(self) -> Release:
        if self.added is None or self.added.release is None:
            raise EngineError("nothing is unpacked")
        return self.added.release

    def _come_up(self, part: Part) -> str:
        began = time.monotonic()
        part.prepare(self._progress)
        bring_up(part, float(self._settings.start_period), self._progress)
        self._staged.require_images()
        return f"healthy after {time.monotonic() - began:.1f} s"

    def _look_outside(self) -> str:
        ground, (image, _) = self._staged.ground, self._staged.images[0]
        name, user = probe_name(ground.digits), ground.runner().user
        spec = outside.probe(name, image.tag, ground.digits, ground.networks.private, user)
        return outside.require_no_way_out(self._engine, spec, self._targets)
