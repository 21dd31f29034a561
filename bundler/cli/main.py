"""``llm-bundle``: finds the command, and turns every error of ours into a sentence and an exit code."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Final

import click

from bundler import __version__
from bundler.cli.lazy import Lazy
from bundler.cli.output import clean
from bundler.errors import BundleError, MachineError
from kibana_assets.errors import KibanaAssetsError
from preconfigured.errors import PreconfiguredError

COMMANDS: Final = {
    "init": "Write a commented bundle.yml for a model family.",
    "lock": "Look everything up and pin it in bundle.lock.",
    "plan": "Say what a build would fetch, and the space and GPU memory needed.",
    "build": "Build the bundle that bundle.lock determines.",
    "keygen": "Make a pair of keys for signing.",
    "sign": "Sign a finished bundle in place.",
    "rehearse": "Try a bundle as the site will run it, before it is shipped.",
    "verify": "Check every byte of a bundle.",
    "inspect": "Say what is in a bundle.",
    "unpack": "Unpack a bundle, verified while it is written.",
    "doctor": "Say whether this machine is fit to serve a bundle.",
    "install": "Install a bundle at the site, or upgrade to it, and serve its model.",
    "status": "Say what serves at the site, since when, and what is to be done soon.",
    "rollback": "Serve the release before again.",
    "prune": "Remove old releases.",
    "uninstall": "Stop serving, and remove everything of ours.",
    "diff": "Compare two bundles.",
    "token": "Make, list, replace and revoke the tokens of the proxy, at the site.",
    "tls": "Make a private CA with the proxy's certificate, and renew that.",
    "connectors": "Preconfigured connectors: check a kibana.yml, and more.",
    "assets": "The integration package for Fleet: logs and metrics of the model's servers.",
}
INTERRUPTED: Final = 130
# What a shell says of a program that SIGPIPE ended: neither done nor failed.
READER_LEFT: Final = 141


@click.group(
    cls=Lazy,
    table=COMMANDS,
    module="bundler.cli.commands.{}",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="llm-bundle")
def cli() -> None:
    """Carry a self-hosted LLM across an air gap in one verifiable file.

    Connected side: init, lock, build, sign. Secure site: verify, doctor, install, token, status, rollback.
    """


def run() -> None:
    """The program's entry."""
    _open_what_is_closed()
    sys.exit(call(sys.argv[1:]))


def _open_what_is_closed() -> None:
    """After ``2>&-`` the next file to be opened, a bundle maybe, would be number 2 and get what is meant for that."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))


def call(args: list[str]) -> int:
    """Run the command line ``args``; the exit code."""
    try:
        return _call(args)
    except (KeyboardInterrupt, click.Abort):
        print("llm-bundle: stopped. Run the same command again to go on.", file=sys.stderr)
        return INTERRUPTED
    except SystemExit as left:
        # From click alone: shell completion, or 1 when the reader of an output has left.
        return READER_LEFT if left.code == 1 else 0
    except BrokenPipeError:
        _silence()
        return READER_LEFT


def _call(args: list[str]) -> int:
    as_json = "--json" in args
    try:
        _require_utf8()
        result: Any = cli.main(args, prog_name="llm-bundle", standalone_mode=False)
        code = result if isinstance(result, int) else 0
    except (BundleError, PreconfiguredError, KibanaAssetsError) as error:
        code = _failed(error, as_json=as_json)
    except click.ClickException as error:
        if as_json:
            _print_json(error.exit_code, error.format_message(), _help_of(error))
        error.show()
        code = error.exit_code
    sys.stdout.flush()
    return code


def _require_utf8() -> None:
    """Raises: MachineError, since names in a bundle are UTF-8 and files would get other names, or none."""
    found = sys.getfilesystemencoding()
    if found != "utf-8":
        hint = "Call it with PYTHONUTF8=1, or in a UTF-8 locale: LC_ALL=C.UTF-8."
        raise MachineError(f"this locale writes the names of files in {found}, bundles need UTF-8", hint=hint)


def _silence() -> None:
    """Nobody reads any more: let the interpreter write what is left into nothing, or it complains at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _help_of(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"Try: {context.command_path if context else 'llm-bundle'} --help"


def _print_json(code: int, message: str, hint: str) -> None:
    print(json.dumps({"ok": False, "error": {"code": code, "message": message, "hint": hint}}, indent=2))


def _failed(error: BundleError | PreconfiguredError | KibanaAssetsError, *, as_json: bool) -> int:
    if as_json:
        _print_json(error.exit_code, error.message, error.hint)
    print(f"llm-bundle: {clean(error.message)}", file=sys.stderr)
    if error.hint:
        print(f"  hint: {clean(error.hint)}", file=sys.stderr)
    return error.exit_code


if __name__ == "__main__":
    run()
