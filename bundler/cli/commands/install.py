"""``llm-bundle install``."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click

from bundler.cli.commands.doctor import finding_lines
from bundler.cli.commands.verify import report_json, report_text
from bundler.cli.install_options import gathered, install_options
from bundler.cli.keys import trusted_option
from bundler.cli.meter import meter
from bundler.cli.output import FOUND, emit, json_option, quiet_option
from bundler.cli.site_options import at_root, root_option
from bundler.disk import is_folder
from bundler.errors import IntegrityError
from bundler.site.install.install import Installed, install
from bundler.site.place import Place
from bundler.trust.keys import PublicKey

_FIRM: Final = ("certificate", "key")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@root_option
@trusted_option
@install_options
@quiet_option
@json_option
def command(
    file: Path, place: Place, keys: tuple[PublicKey, ...] | None, quiet: bool, as_json: bool, **said: Any
) -> int:
    """Install the bundle FILE (a .tar or one of its volumes), or upgrade to it, and serve its model.

    First comes all that doctor looks at. Then the bundle is unpacked and verified, the images are loaded and the proxy
    is configured, while what serves now goes on. Then the new release must answer a chat completion through the
    proxy; if it does not, the release before serves again. What was chosen is kept for the next time.
    """
    done = install(place, file, gathered(said), meter(quiet), keys=keys)
    emit(_json(done), as_json=as_json, text=_text(done, place))
    if done.blocked:
        return FOUND
    return 0 if done.release else IntegrityError.exit_code


def _json(done: Installed) -> dict[str, object]:
    """The stable keys of ``install --json``."""
    return {
        "ok": done.release is not None,
        "findings": [asdict(finding) for finding in done.findings],
        "verified": report_json(done.report) if done.report else None,
        "release": done.release.id if done.release else None,
        "release_before": done.came_from,
        "url": done.url or None,
        "model": done.model or None,
        "token_file": str(done.token_file) if done.token_file else None,
    }


def _text(done: Installed, place: Place) -> list[str]:
    """For people: all findings where one blocks, else what serves and what to do next."""
    if done.blocked:
        checks = dict.fromkeys(finding.check for finding in done.findings if finding.state == "block")
        # A certificate that nobody would accept is not put in place, whatever is ignored.
        ignored = " ".join(f"--ignore {shlex.quote(check)}" for check in checks if not check.startswith(_FIRM))
        knowing = f"; or, where you know better, go on all the same: {ignored}" if ignored else "."
        return [*finding_lines(done.findings), f"Nothing was installed. Mend what blocks{knowing}"]
    worth = tuple(finding for finding in done.findings if finding.state != "ok")
    lines = finding_lines(worth) if worth else []
    lines += report_text(done.report) if done.report else []
    if done.release is None:
        return lines
    lines += [f"serving {done.release.id}", f"  {done.model} at {done.url}"]
    if done.token_file:
        lines += [f"  the token for Kibana is in {done.token_file}"]
    else:
        lines += [f"  a token for another client: {at_root('llm-bundle token new', place)} --label NAME"]
    kibana = place.release(done.release.id) / "kibana"
    return [*lines, f"  {kibana} holds the connector for kibana.yml"] if is_folder(kibana) else lines
