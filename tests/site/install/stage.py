"""Parts that keep themselves in memory: they obey the interface, and can be told to fail."""

from __future__ import annotations

from dataclasses import dataclass, field

from bundler.errors import EngineError
from bundler.progress import SILENT, Progress
from bundler.site.parts.interface import Parts, PartState


@dataclass
class StagePart:
    """One part. ``diary`` is shared: what was done to whom, in order. ``fails`` names verbs that fail once."""

    name: str
    release: str
    diary: list[str]
    fails: set[str] = field(default_factory=set)
    running: bool = False
    healthy: bool | None = True
    since: str = "2026-11-21T12:00:00Z"

    def _do(self, verb: str) -> None:
        self.diary.append(f"{verb} {self.release} {self.name}")
        if verb in self.fails:
            self.fails.remove(verb)
            raise EngineError(f"{verb} of {self.name} failed on purpose")

    def prepare(self, progress: Progress = SILENT) -> None:
        self._do("prepare")

    def start(self) -> None:
        self._do("start")
        self.running = True

    def stop(self) -> None:
        self._do("stop")
        self.running = False

    def remove(self) -> None:
        self._do("remove")
        self.running = False

    def drop_images(self) -> None:
        self._do("drop")

    def state(self) -> PartState:
        return PartState(self.name, self.running, self.healthy, self.since)

    def logs(self, tail: int = 50) -> str:
        return f"the last words of {self.release}"

    def reload(self) -> None:
        self._do("reload")


def stage_parts(release: str, diary: list[str]) -> tuple[Parts, StagePart, StagePart]:
    """The parts of a release, and its engine and proxy."""
    engine, proxy = StagePart("engine", release, diary), StagePart("proxy", release, diary)
    return Parts(engine, proxy, "https://llm.test", ("127.0.0.1", 8443), "m", "llm.test"), engine, proxy
