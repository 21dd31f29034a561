"""``llm-bundle``: finds the command, and turns every error of ours into a sentence and an exit code."""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any, Final

import click

from bundler import __version__
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
}
INTERRUPTED: Final = 130


class Lazy(click.Group):
    """A group that imports a command's module only when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"bundler.cli.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            meant = f" Did you mean {near[0]!r}?" if near else f" Commands: {', '.join(COMMANDS)}."
            raise click.UsageError(f"No such command {args[0]!r}.{meant}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
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
