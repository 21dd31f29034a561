"""``llm-bundle rehearse``."""

from __future__ import annotations

import json
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final, get_args

import click

from bundler.cli.keys import trusted_option
from bundler.cli.meter import meter
from bundler.cli.output import FOUND, emit, json_option, quiet_option, table
from bundler.disk import guarded, is_there, write_whole
from bundler.errors import EngineError, IntegrityError, MachineError, UsageError
from bundler.site.install.choices import Choices as InstallChoices
from bundler.site.install.choices import merged
from bundler.site.rehearse.choices import Choices
from bundler.site.rehearse.rehearse import rehearse
from bundler.site.rehearse.report import Rehearsal
from bundler.site.state import EngineKind, Gpus
from bundler.trust.keys import PublicKey

_EXIT: Final = {"damaged": IntegrityError.exit_code, "refused": EngineError.exit_code, "rehearsed": FOUND}
_WORDS: Final = {"passed": "ok", "failed": "FAILED", "skipped": "skipped"}
_PATH: Final = click.Path(path_type=Path)


def _places(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    """Raises: UsageError."""
    return tuple(map(_place, values))


def _place(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    try:
        number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else 0
        if 0 < number < 65536:
            return str(IPv4Address(address)), number
    except ValueError:
        pass
    raise UsageError(f"--outside: expected ADDRESS:PORT, found {text[:80]!r}", hint="As in 192.0.2.7:443.")


@click.command()
@click.argument("file", type=_PATH)
@trusted_option
@click.option("--engine", type=click.Choice(get_args(EngineKind)), help="What runs the containers. [found]")
@click.option("--gpus", type=click.Choice(get_args(Gpus)), help="How the engine reaches the GPUs. [all, or none here]")
@click.option("--start-period", type=click.IntRange(10, 86400), default=1800, show_default=True, metavar="SECONDS",
              help="How long the model may take to load.")  # fmt: skip
@click.option("--engine-arg", "engine_args", multiple=True, metavar="ARG",
              help="A further argument for the engine, in this rehearsal alone. May be given again.")  # fmt: skip
@click.option("--outside", multiple=True, callback=_places, metavar="ADDRESS:PORT",
              help="Also try to reach this from the engine's network. May be given again.")  # fmt: skip
@click.option("--work", type=_PATH, metavar="DIR", help="Where to unpack it for the time. [beside FILE]")
@click.option("--report", type=_PATH, metavar="FILE", help="Write the result there, JSON.")
@click.option("--force", is_flag=True, help="Replace a report that is there.")
@quiet_option
@json_option
def command(
    file: Path,
    keys: tuple[PublicKey, ...] | None,
    engine: EngineKind | None,
    gpus: Gpus | None,
    start_period: int,
    engine_args: tuple[str, ...],
    outside: tuple[tuple[str, int], ...],
    work: Path | None,
    report: Path | None,
    force: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Try the bundle FILE (a .tar or one of its volumes) before it is shipped, on a machine like that of the site.

    It is unpacked into a folder of its own, started on a network without a way out, behind its proxy on a free port of
    127.0.0.1, and asked for a chat completion, a stream and a tool call. Then everything is taken away again. An
    installation on this machine is left alone, but GPUs are shared with it.
    """
    _require_new(report, force=force)
    kind = engine or merged(None, InstallChoices(), containers=True).engine
    choices = Choices(kind, gpus, start_period, engine_args, outside)
    done = rehearse(file, choices, meter(quiet), work=work, keys=keys)
    document = done.document()
    if report:
        write_whole(report, (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode(), 0o644)
    emit(document, as_json=as_json, text=_text(done, report))
    return 0 if done.ok else _EXIT[done.ending]


def _require_new(report: Path | None, *, force: bool) -> None:
    """Before an hour is spent on what cannot be written then. Raises: MachineError."""
    if report is None:
        return
    if is_there(report) and not force:
        raise MachineError(f"{report}: is there already", hint="Name a new file, or say --force.")
    with guarded(report, "write"), TemporaryFile(dir=report.parent):
        pass


def _text(done: Rehearsal, report: Path | None) -> list[str]:
    """For people: a line for each check; below what failed, what is expected, and further lines of what was found."""
    rows = []
    for check in done.checks:
        first, *more = check.found.splitlines() or [""]
        seconds = "" if check.state == "skipped" else f"{check.seconds:.1f} s"
        rows.append([_WORDS[check.state], check.name, seconds, first])
        rows += [["", "", "", line.strip()] for line in more]
        if check.state == "failed":
            rows.append(["", "", "", f"expected: {check.expected}"])
    counts = {state: sum(check.state == state for check in done.checks) for state in _WORDS}
    total = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    lines = [*table(rows, indent=""), f"{'rehearsed' if done.ok else 'NOT FIT'} {done.bundle or 'the bundle'}: {total}"]
    return [*lines, *([f"wrote {report}"] if report else [])]
