"""All checks, in the order of the table. A new check is a function in a file of its kind, and a line here."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bundler.site.doctor.certificate import check_certificate
from bundler.site.doctor.engine import check_engine, engines_here
from bundler.site.doctor.gpu import check_gpus
from bundler.site.doctor.host import check_clock, check_guards, check_limits, check_ports, check_root, check_space
from bundler.site.doctor.interface import Check, Finding, Wish
from bundler.site.doctor.lmstudio import check_lmstudio
from bundler.site.doctor.platform import check_platform

CHECKS: Final[tuple[Check, ...]] = (
    check_root,
    check_space,
    check_platform,
    check_engine,
    check_lmstudio,
    check_gpus,
    check_ports,
    check_certificate,
    check_clock,
    check_limits,
    check_guards,
)


def examine(wish: Wish) -> tuple[Finding, ...]:
    """Everything that the checks find; the machine is not changed."""
    if wish.manifest is not None and wish.manifest.images:
        wish = replace(wish, engines=tuple(engines_here(wish.engine)))
    return tuple(finding for check in CHECKS for finding in check(wish))


def blocked(findings: tuple[Finding, ...]) -> bool:
    """Whether an installation would fail."""
    return any(finding.state == "block" for finding in findings)
