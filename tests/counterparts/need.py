"""A program that a test needs: found, or a loud skip that says what to install, or a failure in CI."""

from __future__ import annotations

import os
import shutil

import pytest


def need(program: str, package: str) -> str:
    """The path of ``program`` of Debian's ``package``. Without it: a skip, or a failure in CI."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if path:
        return path
    text = f"{program} is missing: install Debian's package {package} (apt-get install {package})"
    if os.environ.get("CI") == "true":
        pytest.fail(text)
    pytest.skip(text)
