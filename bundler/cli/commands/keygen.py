"""``llm-bundle keygen``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from bundler.cli.output import emit, json_option
from bundler.cli.passphrase import asker, passphrase_option
from bundler.errors import UsageError
from bundler.trust.key_files import public_path, write_pair
from bundler.trust.private_key import make_key

_OPEN: Final = "Or say --no-password."


@click.command()
@click.option(
    "-o",
    "--output",
    "path",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default="signing.key",
    show_default=True,
    help="The private key; the public one goes beside it, as .pub.",
)
@passphrase_option
@click.option("--no-password", is_flag=True, help="Do not encrypt the private key.")
@json_option
def command(path: Path, password_file: Path | None, no_password: bool, as_json: bool) -> None:
    """Make a pair of keys: a private one that signs bundles, and a public one for whoever checks them.

    Nothing that is there is ever replaced.
    """
    if no_password and password_file is not None:
        raise UsageError("--no-password and --password-file contradict each other", hint="Say one of them.")
    public_path(path)  # nobody is asked for a passphrase in vain
    passphrase = None if no_password else asker(password_file, new=True, without=_OPEN)(path.name)
    pair = write_pair(make_key(path), path, passphrase)
    document = {
        "private_key": str(pair.private),
        "public_key": str(pair.public),
        "key_id": pair.id,
        "encrypted": not no_password,
    }
    emit(document, as_json=as_json, text=_text(pair.private, pair.public, pair.id))


def _text(private: Path, public: Path, key_id: str) -> list[str]:
    return [
        f"wrote {private}: keep it secret, it signs",
        f"wrote {public}: give it to the site, on another way than the bundle's",
        f"  key id {key_id}",
        "next: llm-bundle build --key, or llm-bundle sign FILE --key",
    ]
