"""A build: the plan's bytes, each once, to one file or to volumes that bear their names only when they are whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bundler.crew import Task, work
from bundler.digest import Digest
from bundler.disk import guarded, require_file_size, require_space
from bundler.errors import MachineError, UsageError
from bundler.layout.arrangement import Slot
from bundler.layout.volumes import MOST, SMALLEST, Cut, volume_name
from bundler.pack.fetch import CHUNK, Fetch, Workplace
from bundler.pack.journal import Journal
from bundler.pack.plan import Plan
from bundler.pack.target import Target
from bundler.pack.volume_sums import VolumeSums
from bundler.progress import SILENT, Progress
from bundler.sources.interface import Origin, Source
from bundler.sources.retry import ATTEMPTS


@dataclass(frozen=True, slots=True)
class Options:
    """How to build. ``folder`` gets the bundle; ``jobs`` downloads run at once; sizes in bytes, waits in seconds."""

    folder: Path
    volume_size: int | None = None
    jobs: int = 4
    force: bool = False
    attempts: int = ATTEMPTS
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Built:
    """What a build made; byte counts are of this run, so a resumed one fetched less than ``bytes``."""

    bundle: Path
    volumes: tuple[Path, ...]
    bytes: int
    manifest: Digest
    bytes_fetched: int
    bytes_written: int
    seconds: float


def build(plan: Plan, source: Source, options: Options, progress: Progress = SILENT) -> Built:
    """Build ``plan`` into ``options.folder``. Raises: BundleError; what was fetched so far is kept for the next run."""
    began = time.monotonic()
    cut = _cut(plan, options)
    with guarded(options.folder, "write"):
        options.folder.mkdir(parents=True, exist_ok=True)
    require_file_size(options.folder, cut.size_of(0))
    target = Target(options.folder, cut)
    journal = Journal(
        options.folder / f"{cut.name}.partial.state", plan.manifest_digest, cut.volume_size, len(plan.fetched)
    )
    with journal:
        continued = journal.load()
        if continued:
            target.reclaim()
        _check_names(target, options)
        with target:
            if not continued:
                journal.start()
                target.clear()
            elif journal.begun:
                progress.say("continuing the build that was not finished; what it left is hashed again")
            require_space(options.folder, max(0, cut.total - target.allocated))
            fetched = _fill(plan, source, target, journal, options, progress)
            target.finish()
            journal.remove()
    paths = target.finals
    return Built(
        bundle=options.folder / cut.name,
        volumes=paths if cut.volume_size else (),
        bytes=cut.total,
        manifest=plan.manifest_digest,
        bytes_fetched=fetched,
        bytes_written=target.written,
        seconds=round(time.monotonic() - began, 3),
    )


def _cut(plan: Plan, options: Options) -> Cut:
    cut = Cut(plan.file_name, plan.arrangement.size, options.volume_size)
    if options.volume_size is None:
        return cut
    if options.volume_size < SMALLEST:
        hint = "For a FAT32 medium: --volume-size 4000MB."
        raise UsageError(f"--volume-size: expected at least 1MiB, found {options.volume_size} bytes", hint=hint)
    if len(cut.names) > MOST:
        raise UsageError(
            f"--volume-size: {len(cut.names):,} volumes would be needed, {MOST} are the most",
            hint=f"Use at least {-(-cut.total // MOST):,} bytes a volume.",
        )
    return cut


def _check_names(target: Target, options: Options) -> None:
    """The final names must be free, or be files that the user gives up; no volume of an older build may go on them."""
    if target.cut.volume_size:
        after = options.folder / volume_name(target.cut.name, len(target.finals) + 1)
        if after.exists():
            raise MachineError(f"{after}: is a volume of another build", hint="Move the old volumes away first.")
    for path in target.finals:
        with guarded(path, "look at"):
            if path.is_dir():
                raise MachineError(f"{path}: is a folder", hint="Move it away, or build into another --output folder.")
            if not options.force and (path.exists() or path.is_symlink()):
                raise MachineError(
                    f"{path}: is there already",
                    hint="`llm-bundle verify` tells whether it is good; --force builds it anew; or raise the version"
                    " in bundle.yml.",
                )


def _fill(plan: Plan, source: Source, target: Target, journal: Journal, options: Options, progress: Progress) -> int:
    """Write everything; how many bytes came from sources."""
    for offset, frame in plan.arrangement.frame():
        target.write(offset, frame)
    for slot, content in zip(plan.arrangement.slots, plan.contents, strict=True):
        if isinstance(content, bytes):
            target.write(slot.data, content)
    stop = threading.Event()
    place = Workplace(source, target, journal, progress, stop, options.attempts, options.sleep)
    sums = VolumeSums(target, stop)
    fetches = _Fetches(place, sums)
    progress.begin(f"building {target.cut.name}", plan.fetch_bytes)
    try:
        tasks = fetches.tasks(plan.fetched, by_offset=target.cut.volume_size is not None)
        work(tasks, jobs=options.jobs, chunk=CHUNK, stop=stop)
        sums.write(options.folder)
    finally:
        progress.end()
    return fetches.bytes


class _Fetches:
    """The tasks of a build, and the bytes that they fetched."""

    def __init__(self, place: Workplace, sums: VolumeSums) -> None:
        self._place, self._sums = place, sums
        self._lock = threading.Lock()
        self.bytes = 0

    def tasks(self, rows: Iterable[tuple[int, Slot, Origin]], *, by_offset: bool) -> list[Task]:
        """Largest first, so that no long download is left for the end; by offset where volumes are to be completed."""
        order = sorted(rows, key=lambda row: (0 if by_offset else -row[1].member.size, row[1].data))
        first: list[Task] = list(self._sums.ready([slot for _, slot, _ in order]))
        return first + [self._task(*row) for row in order]

    def _task(self, index: int, slot: Slot, origin: Origin) -> Task:
        def run(buffer: memoryview) -> Iterable[Task]:
            fetch = Fetch(self._place, index, slot, origin, buffer)
            try:
                fetch.run()
            finally:
                with self._lock:
                    self.bytes += fetch.fetched
            return self._sums.done(slot)

        return run
