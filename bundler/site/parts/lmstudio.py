"""LM Studio, which the operator brought, as the engine of a release.

Rules: it is one program for all releases, and clients name the model alike in all of them. So a release unloads and
stops only what its own record says that it started, and files that another release needs stay. Nothing of LM Studio
itself is installed, changed or removed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from bundler.disk import guarded
from bundler.errors import EngineError, MachineError
from bundler.progress import SILENT, Progress
from bundler.serving.lmstudio import LmStudioPlan
from bundler.serving.lmstudio_unit import UnitChoices, unit
from bundler.site.lmstudio import serving
from bundler.site.lmstudio.account import Account, account, lmstudio_home, models_folder
from bundler.site.lmstudio.lms import Lms, find_lms
from bundler.site.lmstudio.logs import last_events
from bundler.site.lmstudio.models import Shelf, missing_files, place_files, take_files
from bundler.site.lmstudio.record import Record, other_records, read_record, record_path, write_record
from bundler.site.lmstudio.server import greets, listed
from bundler.site.lmstudio.systemd import Unit
from bundler.site.parts.interface import PartState
from bundler.site.place import Place
from bundler.site.state import Settings


@dataclass(frozen=True, slots=True)
class LmStudioPart:
    """The model of the release in ``release_folder``, served by LM Studio as ``plan`` says."""

    place: Place
    release_folder: Path
    plan: LmStudioPlan
    settings: Settings

    @property
    def name(self) -> str:
        """What people call it."""
        return "engine"

    @property
    def upstream(self) -> str:
        """Where the proxy finds it: ``address:port``."""
        return f"127.0.0.1:{self.plan.port}"

    @property
    def unit(self) -> Unit:
        """Its unit, where systemd keeps it."""
        return Unit(f"llm-bundle-lmstudio-{self._release[-12:]}.service")

    def prepare(self, progress: Progress = SILENT) -> None:
        """Put the model's files where LM Studio looks. Raises: MachineError, IntegrityError, EngineError."""
        who = self._who()
        find_lms(self.settings.lms, who)
        shelf = Shelf(models_folder(who), self.plan.folder)
        record = self._record() or Record(shelf.models, shelf.folder)
        if (record.models, record.folder) != (shelf.models, shelf.folder):
            hint = "Choose the old folder again in LM Studio's settings, or remove this release first."
            raise MachineError(f"LM Studio: its models folder was {record.models}, now it is {shelf.models}", hint=hint)
        missing = missing_files(shelf, self.plan.files, self.release_folder)
        others = [one for one in other_records(self.place, self._release) if one.has(shelf.models, shelf.folder)]
        shared = {name: digest for one in others for name, digest in one.files.items()}
        ours = {**shared, **record.files, **{file.name: file.digest for file in missing}}
        self._write(replace(record, files=ours))
        place_files(shelf, missing, self.release_folder, who, progress)

    def start(self) -> None:
        """Load the model and start the server, or let systemd do it. Raises: as ``prepare``."""
        who = self._who()
        lms = find_lms(self.settings.lms, who)
        record = self._known()
        greets(self.plan.port)
        if self.settings.keeper == "systemd":
            self._write(replace(record, active=True))
            self._start_by_systemd(lms)
            return
        serving.wake(lms)
        self._write(replace(record, active=True))
        serving.load(lms, self.plan, gpu=self.settings.gpus != "none", seconds=self.settings.start_period)
        # Said before it is done: a server that nobody knows of would be left running.
        self._write(replace(record, active=True, server=record.server or not greets(self.plan.port)))
        serving.serve(lms, self.plan)

    def stop(self) -> None:
        """Unload the model; stop the server if we started it. Raises: EngineError, MachineError."""
        self.unit.stop()
        record = self._record()
        if record is None or not record.active:
            return
        lms = self._lms_if_there()
        if lms is not None:
            serving.unload(lms, self.plan)
            if record.server:
                serving.stop_server(lms, self.plan)
        self._write(replace(record, active=False, server=False))

    def remove(self) -> None:
        """Stop it; take its unit and its files away, those apart that another release needs. Raises: as ``stop``."""
        self.stop()
        self.unit.remove()
        record = self._record()
        if record is None:
            return
        others = [one for one in other_records(self.place, self._release) if one.has(record.models, record.folder)]
        needed = {name for one in others for name in one.files}
        mine = {name: digest for name, digest in record.files.items() if name not in needed}
        take_files(Shelf(record.models, record.folder), mine, self.release_folder, self.plan.files)
        path = record_path(self.place, self._release)
        with guarded(path, "remove"):
            path.unlink(missing_ok=True)

    def drop_images(self) -> None:
        """Nothing: it has none."""

    def state(self) -> PartState:
        """How it is now, by what its server answers. Raises: MachineError for a damaged record."""
        record = self._record()
        if record is None or not record.active:
            return PartState(self.name, running=False, healthy=None)
        where = f"LM Studio at {self.upstream}"
        try:
            if not greets(self.plan.port):
                return PartState(self.name, running=False, healthy=None, detail=f"{where} does not answer")
            healthy = self.plan.identifier in listed(self.plan.port)
        except EngineError as error:
            return PartState(self.name, running=False, healthy=False, detail=error.message)
        detail = "" if healthy else f"{where} does not have {self.plan.identifier} loaded"
        return PartState(self.name, running=True, healthy=healthy, detail=detail)

    def logs(self, tail: int = 50) -> str:
        """The last events of LM Studio's server log, without prompts and answers."""
        try:
            return last_events(lmstudio_home(self._who()), tail)
        except MachineError as error:
            return f"{error.message}\n"

    @property
    def _release(self) -> str:
        return self.release_folder.name

    def _who(self) -> Account:
        return account(self.settings.lmstudio_user)

    def _record(self) -> Record | None:
        return read_record(record_path(self.place, self._release))

    def _known(self) -> Record:
        record = self._record()
        if record is None:
            raise MachineError(f"{self._release}: its model was not put into LM Studio", hint="Install it again.")
        return record

    def _write(self, record: Record) -> None:
        write_record(record_path(self.place, self._release), record)

    def _lms_if_there(self) -> Lms | None:
        """None when LM Studio went away and serves no more: then there is nothing to unload."""
        try:
            return find_lms(self.settings.lms, self._who())
        except MachineError:
            if self.state().running:
                raise
            return None

    def _start_by_systemd(self, lms: Lms) -> None:
        serving.refuse_another(lms, self.plan)
        choices = UnitChoices(
            user=lms.who.name,
            home=str(lms.who.home),
            lms=lms.program,
            gpu=self.settings.gpus != "none",
            daemon=serving.daemon(lms) != "unknown",
            bind=serving.knows_bind(lms),
            load_seconds=self.settings.start_period,
        )
        text = unit(self.plan, choices)
        if not (self.state().healthy and self.unit.holds(text)):
            self.unit.start(text, seconds=self.settings.start_period)
        serving.only_loopback(self.plan)
