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
from bundler.errors import BundleError
from preconfigured.errors import PreconfiguredError

COMMANDS: Final = {
    "init": "Write a commented bundle.yml for a model family.",
    "lock": "Look everything up and pin it in bundle.lock.",
    "plan": "Say what a build would fetch, and the space and GPU memory needed.",
    "build": "Build the bundle that bundle.lock determines.",
    "verify": "Check every byte of a bundle.",
    "inspect": "Say what is in a bundle.",
    "unpack": "Unpack a bundle, verified while it is written.",
    "diff": "Compare two bundles.",
    "connectors": "Preconfigured connectors: check a kibana.yml, and more.",
}
INTERRUPTED: Final = 130


@click.group(
    cls=Lazy,
    table=COMMANDS,
    module="bundler.cli.commands.{}",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="llm-bundle")
def cli() -> None:
    """Carry a self-hosted LLM across an air gap in one verifiable file.

    Connected side: init, lock, build. Secure site: verify, unpack.
    """


def run() -> None:
    """The program's entry."""
    sys.exit(call(sys.argv[1:]))


def call(args: list[str]) -> int:
    """Run the command line ``args``; the exit code."""
    try:
        result: Any = cli.main(args, prog_name="llm-bundle", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except (BundleError, PreconfiguredError) as error:
        return _failed(error, as_json="--json" in args)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        print("\nllm-bundle: stopped. Run the same command again to go on.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has left; there is nobody to tell, and the interpreter must not try at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _failed(error: BundleError | PreconfiguredError, *, as_json: bool) -> int:
    if as_json:
        row = {"code": error.exit_code, "message": error.message, "hint": error.hint}
        print(json.dumps({"ok": False, "error": row}, indent=2))
    print(f"llm-bundle: {clean(error.message)}", file=sys.stderr)
    if error.hint:
        print(f"  hint: {clean(error.hint)}", file=sys.stderr)
    return error.exit_code


if __name__ == "__main__":
    run()
