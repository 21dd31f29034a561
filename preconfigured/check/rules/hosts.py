"""Rules about the hosts that connectors may call, and the certificates by which Kibana trusts them."""

from __future__ import annotations

import ipaddress
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from preconfigured.check.against import FORMATS
from preconfigured.check.case import Case
from preconfigured.check.rules.rule import Hit, hit, rule
from preconfigured.check.rules.urls import targets
from preconfigured.check.shown import plain_text
from preconfigured.check.tree import Mapping, Scalar, Sequence
from preconfigured.check.view import Setting, below

_PRIVATE = (".internal", ".local", ".lan", ".corp", ".home", ".intranet", ".private", ".home.arpa", ".test")
_LARGEST_CA = 4 << 20
_PORTS = {"https": 443, "smtp": 25, "http": 80}


def host_settings(case: Case) -> Iterator[Setting]:
    """The entries of customHostSettings."""
    at = case.setting("xpack", "actions", "customHostSettings")
    if at and isinstance(at.value, Sequence):
        for index, item in enumerate(at.value.items[:1000]):
            if isinstance(item, Mapping):
                yield below(at, item, index)


def _allowed(case: Case) -> tuple[Setting, list[Scalar]] | None:
    at = case.setting("xpack", "actions", "allowedHosts")
    if at is None or not isinstance(at.value, Sequence):
        return None
    return at, [item for item in at.value.items if isinstance(item, Scalar)]


@rule("host-format", "error", "A port, a scheme or a path where only a host name may stand.")
def host_format(case: Case) -> Iterator[Hit]:
    """Kibana says: value must be a valid hostname (see RFC 1123)."""
    fits = FORMATS["hostname"][0]
    for problem in case.problems:
        text = problem.setting.text
        if problem.kind == "format" and problem.schema.get("format") == "hostname" and text is not None:
            host = _host_in(text)
            fix = f"Write {host}." if host and fits(host) else "Write the host's name alone, or * for every host."
            message = "Expected a host name without scheme, port and path. Kibana does not start."
            yield hit(problem.setting, message, fix)


@rule("blocked-host", "error", "A connector's host that allowedHosts does not admit.")
def blocked_host(case: Case) -> Iterator[Hit]:
    """Kibana says at first use: target url … is not added to the Kibana config xpack.actions.allowedHosts."""
    allowed = _allowed(case)
    if allowed is None or any("${" in item.text for item in allowed[1]):
        return
    # An entry with a port is refused by a rule of its own; its host is meant all the same.
    names = {item.text.strip("[]") for item in allowed[1]} | {_host_in(item.text) for item in allowed[1]}
    for _, setting, parts in targets(case):
        host = (parts.hostname or "").rstrip(".")
        if "*" not in names and host not in names:
            message = f"xpack.actions.allowedHosts (line {allowed[0].line}) leaves it out: every call is refused."
            yield hit(setting, message, f"Add {host} to xpack.actions.allowedHosts.", found=host)


@rule("blocked-type", "warning", "A connector type that enabledActionTypes does not name.")
def blocked_type(case: Case) -> Iterator[Hit]:
    """Preconfigured connectors still run (alerting-settings.md), but their type counts as disabled."""
    at = case.setting("xpack", "actions", "enabledActionTypes")
    if at is None or not isinstance(at.value, Sequence):
        return
    names = {item.text for item in at.value.items if isinstance(item, Scalar)}
    for one in case.connectors:
        written = one.kind.action_type if one.kind else ""
        if written and "*" not in names and written not in names and not any("${" in n for n in names):
            message = (
                f"xpack.actions.enabledActionTypes (line {at.line}) leaves the type out: Kibana shows it as disabled, "
                "and pages that offer only enabled types do not offer the connector."
            )
            fix = f'Add "{written}" to xpack.actions.enabledActionTypes.'
            yield hit(one.setting.get("actionTypeId") or one.setting, message, fix)


@rule("untrusted-host", "note", "An https host that looks private, without customHostSettings.")
def untrusted_host(case: Case) -> Iterator[Hit]:
    """An error where the site says that its certificate comes from a private authority."""
    trusted = {_origin(parts) for parts, ca in map(_trust, host_settings(case)) if parts and ca}
    off = _text(case, "xpack", "actions", "ssl", "verificationMode") == "none"
    for one, setting, parts in targets(case):
        host = (parts.hostname or "").rstrip(".")
        if parts.scheme != "https" or _origin(parts) in trusted or off:
            continue
        if one.of("config", "verificationMode") == "none" or not (known := host in case.site.private_hosts) | (
            one.kind is not None and _looks_private(host)
        ):
            continue
        certain = "comes from a private authority" if known else "probably comes from a private authority"
        message = f"Its certificate {certain}; Kibana trusts it only where customHostSettings names it."
        url = f"https://{host}:{parts.port or 443}"
        fix = f"Add {url} with ssl.certificateAuthoritiesFiles to xpack.actions.customHostSettings."
        yield hit(setting, message, fix, found=host, level="error" if known else None)


@rule("verification-none", "warning", "Certificates are not checked.")
def verification_none(case: Case) -> Iterator[Hit]:
    """Whoever sits between can read the token and every prompt."""
    places = [case.setting("xpack", "actions", "ssl", "verificationMode")]
    places += [entry.get("ssl", "verificationMode") for entry in host_settings(case)]
    places += [one.setting.get("config", "verificationMode") for one in case.connectors if one.kind]
    for at in places:
        if at and at.text == "none":
            message = "Certificates are not checked: whoever sits between can read the token and every prompt."
            yield hit(at, message, "Write full, and trust your authority with ssl.certificateAuthoritiesFiles.")


@rule("host-url", "error", "A customHostSettings address that is none, or has more than scheme, host and port.")
def host_url(case: Case) -> Iterator[Hit]:
    """A path is ignored with a warning; another scheme makes the entry useless."""
    for entry in host_settings(case):
        at = entry.get("url")
        if at is None or not at.text or "${" in at.text:
            continue
        parts, _ = _trust(entry)
        fix = "Write https://HOST:PORT (or smtp://HOST:PORT)."
        if parts is None:
            yield hit(at, "Expected https: or smtp:, a host and a port. Kibana ignores the entry.", fix)
        elif parts.path not in {"", "/"} or parts.query or parts.fragment or "@" in parts.netloc:
            host = plain_text(f"{parts.scheme}://{_netloc(parts)}")
            message = "Only scheme, host and port count here. Kibana ignores the rest, and may ignore the entry."
            yield hit(at, message, f"Write {host}.", level="warning")


@rule("duplicate-host", "warning", "Two entries of customHostSettings for one address.")
def duplicate_host(case: Case) -> Iterator[Hit]:
    """The first wins."""
    seen: dict[tuple[str, str, int], int] = {}
    for entry in host_settings(case):
        parts, _ = _trust(entry)
        at = entry.get("url")
        if parts is None or at is None:
            continue
        origin = _origin(parts)
        if origin in seen:
            message = f"Line {seen[origin]} has the same address; Kibana takes that one and ignores this."
            yield hit(at, message, "Join the two entries.")
        seen.setdefault(origin, at.line)


@rule("ca-file", "error", "A file of certificate authorities that is not there, or is none.")
def ca_file(case: Case) -> Iterator[Hit]:
    """Looked at only on the Kibana host itself; a relative path is named everywhere."""
    for entry in host_settings(case):
        at = entry.get("ssl", "certificateAuthoritiesFiles")
        value = at.value if at else None
        items = value.items if isinstance(value, Sequence) else (value,)
        for item in items:
            if at is None or not isinstance(item, Scalar) or item.kind != "text" or not item.text or "${" in item.text:
                continue
            shown = Setting(at.path, item.line, item.column, value=item)
            if not item.text.startswith("/") and ":" not in item.text[:3]:
                message = "Kibana looks for a relative path in the folder in which it was started."
                yield hit(shown, message, "Write the whole path.", level="warning")
            elif case.site.on_host and (reason := _unfit(Path(item.text))):
                message = f"{reason} Kibana only logs a warning, and every call to the host fails later."
                yield hit(shown, message, "Put the PEM file there, readable for the user who runs Kibana.")


def _unfit(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return "It is no file."
        with path.open("rb") as file:
            head = file.read(_LARGEST_CA)
    except (OSError, ValueError) as error:
        return f"It cannot be read here: {getattr(error, 'strerror', None) or 'not a path'}."
    return "" if b"-----BEGIN CERTIFICATE-----" in head else "It holds no certificate in PEM."


def _trust(entry: Setting) -> tuple[SplitResult | None, bool]:
    """The address of an entry, None where it is none, and whether the entry says how to trust the host."""
    text = (at.text if (at := entry.get("url")) else None) or ""
    try:
        parts = urlsplit(text)
        fits = parts.scheme in {"https", "smtp"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None, False
    ssl = entry.get("ssl")
    names = ssl.children if ssl else {}
    mode = ssl.get("verificationMode") if ssl else None
    ca = {"certificateAuthoritiesFiles", "certificateAuthoritiesData"} & set(names) or (mode and mode.text == "none")
    return (parts if fits else None), bool(ca)


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(parts.scheme, 0)


def _netloc(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _host_in(text: str) -> str:
    try:
        host = urlsplit(text if "://" in text else f"//{text}").hostname or ""
    except ValueError:
        return ""
    # Kibana compares letter by letter with the host of an address, which is always in lower case.
    return host if host in text else ""


def _looks_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.endswith(_PRIVATE) or ("." not in host and host != "localhost")


def _text(case: Case, *path: str) -> str | None:
    at = case.setting(*path)
    return at.text if at else None


RULES = (
    host_format,
    blocked_host,
    blocked_type,
    untrusted_host,
    verification_none,
    host_url,
    duplicate_host,
    ca_file,
)
