"""A bundle tried before it is shipped; what was found, as a value.

Rules: whatever the bundle, its engine or its model does wrong becomes a row of the report. What this machine cannot, or
the user asked for wrongly, ends the rehearsal with an error and no report. Nothing is left in either case.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from bundler import __version__
from bundler.progress import Progress
from bundler.site.engines.interface import Engine, EngineInfo
from bundler.site.parts import assemble
from bundler.site.rehearse import outside
from bundler.site.rehearse.choices import Choices, gpus_here
from bundler.site.rehearse.desk import EngineOf, clear_leftovers, desk
from bundler.site.rehearse.play import Play
from bundler.site.rehearse.report import Rehearsal
from bundler.site.state import EngineKind, Gpus, Settings
from bundler.trust.keys import PublicKey


def engine_of(kind: EngineKind) -> Engine:
    """The engine of this machine."""
    return assemble.engine_of(Settings(engine=kind))


def rehearse(
    bundle: Path,
    choices: Choices,
    progress: Progress,
    *,
    work: Path | None = None,
    keys: Sequence[PublicKey] | None = None,
    engine_of: EngineOf = engine_of,
) -> Rehearsal:
    """Rehearse ``bundle`` in a folder below ``work``, None for the bundle's own; with ``keys`` one must have signed.

    Raises: MachineError; UsageError for a bundle that brings no engine; EngineError when no engine answers.
    """
    began, clock = time.time(), time.monotonic()
    engine = engine_of(choices.engine)
    info = engine.info()
    here = gpus_here()
    gpus: Gpus = choices.gpus or ("all" if here else "none")
    folder = (work or bundle.parent).absolute()
    targets = outside.targets(choices.outside)
    clear_leftovers(folder, choices.engine, engine_of, progress)
    with desk(folder, choices.engine, engine_of, progress) as at:
        play = Play(at, engine, choices, choices.settings(gpus), targets, progress)
        ending = play.perform(bundle, keys)
    report = play.added.report if play.added else None
    return Rehearsal(
        ending=ending,
        bundle=report.manifest.top if report and report.manifest else None,
        manifest=report.manifest_digest.hex if report and report.manifest_digest else None,
        signature=report.signature if report else "absent",
        signed_by=str(report.signed_by) if report and report.signed_by else None,
        tool=__version__,
        began=began,
        seconds=time.monotonic() - clock,
        engine=_engine_json(info),
        gpus=here,
        settings=choices.document(gpus),
        checks=tuple(play.ledger.checks),
    )


def _engine_json(info: EngineInfo) -> dict[str, str | bool]:
    return {
        "kind": info.kind,
        "version": info.version,
        "storage_driver": info.storage_driver,
        "rootless": info.rootless,
    }
