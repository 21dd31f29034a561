"""Which way a signature is checked: by the cryptography library where Python has it, else by the openssl program."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from bundler.errors import MachineError
from bundler.trust.keys import PublicKey
from bundler.trust.signature import Seal, Verifier, examine, unchecked
from bundler.trust.with_openssl import WithOpenssl


def seal(sums: bytes, signature: bytes | None, keys: Sequence[PublicKey] | None) -> Seal:
    """What ``signature`` is worth to someone who trusts ``keys``; None: nobody was named, so it is not checked.

    Raises: SignatureRefused when keys are given and none of them made it; MachineError.
    """
    return unchecked(signature) if keys is None else examine(sums, signature, keys, verifier())


def verifier() -> Verifier:
    """The way that this machine has. Raises: MachineError when it has none."""
    try:
        from bundler.trust.with_library import WithLibrary
    except ImportError:
        program = shutil.which("openssl")
        if program is None:
            raise MachineError(
                "a signature cannot be checked here: neither Python's cryptography library nor openssl is installed",
                hint="Install openssl (llm-bundle.pex uses no other). Without --key everything else is checked, but not"
                " who made the bundle.",
            ) from None
        return WithOpenssl(program)
    return WithLibrary()
