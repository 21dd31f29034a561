"""Rules about secrets: missing, in the file, half a client certificate, in the keystore without a connector.

Rules: where the keystore's keys are given, a secret that is neither there nor in the file is an error; where they are
not, it is a warning that names the key. A secret's value is never shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from preconfigured.check.against import VARIABLE
from preconfigured.check.case import PRECONFIGURED, Case, ConnectorView
from preconfigured.check.near import nearest
from preconfigured.check.rules.rule import Hit, hit, rule
from preconfigured.check.shown import HIDDEN, path_text
from preconfigured.check.tree import Scalar
from preconfigured.check.view import Setting
from preconfigured.secret_sources import keystore_key

_FIRST_USE = "Kibana starts, but the connector fails when somebody first uses it"
_PAIR = ("certificateData", "privateKeyData")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+=*\s*", re.ASCII)
_KEYSTORE = re.compile(r"xpack\.actions\.preconfigured\.(?P<id>.+?)\.(?P<rest>secrets\.(?P<name>[^.]+)|.+)")


def _has(case: Case, one: ConnectorView, name: str) -> bool:
    at = one.setting.get("secrets", name)
    written = at is not None and not (isinstance(at.value, Scalar) and at.value.text == "")
    return written or keystore_key(one.id, name) in (case.site.keystore or frozenset())


def _wanted(case: Case, one: ConnectorView) -> tuple[str, ...]:
    """The secrets that the connector cannot do without."""
    if one.kind is None:
        return ()
    if one.kind.name == "gen-ai-other":
        pki = any(_has(case, one, name) for name in _PAIR)
        return () if pki else ("apiKey",)
    return tuple(key.name for key in one.kind.secrets if key.required)


@rule("missing-secret", "error", "A secret that is neither in the file nor in the keystore.")
def missing_secret(case: Case) -> Iterator[Hit]:
    """A warning where nobody said what the keystore holds."""
    known = case.site.keystore is not None
    for one in case.connectors:
        for name in _wanted(case, one):
            if _has(case, one, name):
                continue
            # As the id will be once its dots are gone: with them, Kibana would split the key as well.
            key = keystore_key(one.id.replace(".", "-"), name)
            at = one.setting.get("secrets", name) or one.setting.get("secrets") or one.setting
            message = f"{_FIRST_USE}." if known else f"{_FIRST_USE}, unless the keystore of every Kibana has this key."
            fix = f"kibana-keystore add {key} --stdin (the value in double quotes)."
            found = f"no {name}" + (", and no such key in the keystore" if known else "")
            path = (*one.setting.path, "secrets", name)
            yield hit(at, message, fix, found=found, path=path, level=None if known else "warning")


@rule("inline-secret", "warning", "A secret in the file itself.")
def inline_secret(case: Case) -> Iterator[Hit]:
    """Also as the default of a variable."""
    for one in case.connectors:
        for at in one.secrets.walk() if one.secrets else ():
            if isinstance(at.value, Scalar) and at.value.text and at.value.kind != "null" and _is_inline(at.value.text):
                key = keystore_key(one.id, one.setting.name and at.path[len(one.setting.path) + 1])
                message = "Everybody who can read the file, its backups or its repository has the secret."
                fix = f"Move it to the keystore: kibana-keystore add {path_text(tuple(key.split('.')))} --stdin."
                yield hit(at, message, fix, found=HIDDEN)


@rule("ca-data-alone", "error", "caData without a client certificate.")
def ca_data_alone(case: Case) -> Iterator[Hit]:
    """It is no way to trust a private authority."""
    for one in case.connectors:
        at = one.setting.get("secrets", "caData")
        if at and _is_other(one) and not any(_has(case, one, name) for name in _PAIR):
            message = f"caData belongs to a client certificate; alone it is refused. {_FIRST_USE}."
            fix = "Trust the authority in xpack.actions.customHostSettings (ssl.certificateAuthoritiesFiles) instead."
            yield hit(at, message, fix, found=HIDDEN)


@rule("half-certificate", "error", "A client certificate without its key, or a key without its certificate.")
def half_certificate(case: Case) -> Iterator[Hit]:
    """The two belong together."""
    for one in case.connectors:
        there = [name for name in _PAIR if _has(case, one, name)]
        if _is_other(one) and len(there) == 1:
            missing = next(name for name in _PAIR if name not in there)
            at = one.setting.get("secrets", there[0]) or one.setting
            fix = f"Add {missing} (base64 of the PEM file) to the keystore."
            path = (*one.setting.path, "secrets", missing)
            known = case.site.keystore is not None
            message = f"{there[0]} and {missing} belong together. {_FIRST_USE}."
            yield hit(at, message, fix, found=f"no {missing}", path=path, level=None if known else "warning")


@rule("certificate-form", "error", "A certificate or a key that is not base64 of its PEM file.")
def certificate_form(case: Case) -> Iterator[Hit]:
    """Kibana decodes it before use."""
    for one in case.connectors:
        for name in (*_PAIR, "caData"):
            at = one.setting.get("secrets", name)
            if at and at.text and "${" not in at.text and not _BASE64.fullmatch(at.text):
                message = f"Expected the PEM file in base64, in one line. {_FIRST_USE}."
                yield hit(at, message, "Write the output of: base64 -w0 FILE.pem", found=HIDDEN)


@rule("pki-verification", "warning", "A client certificate without verificationMode.")
def pki_verification(case: Case) -> Iterator[Hit]:
    """How the server's certificate is checked is then left to chance."""
    for one in case.connectors:
        pki = any(_has(case, one, name) for name in _PAIR)
        if pki and _is_other(one) and one.setting.get("config", "verificationMode") is None:
            message = "With a client certificate Kibana builds its own TLS settings, and needs to know how to check."
            path = (*one.setting.path, "config", "verificationMode")
            at = one.setting.get("config") or one.setting
            yield hit(at, message, "Add verificationMode: full to config.", found="no verificationMode", path=path)


@rule("secret-header", "warning", "A header that carries a secret.")
def secret_header(case: Case) -> Iterator[Hit]:
    """Headers of the config are shown in clear."""
    for one in case.connectors:
        headers = one.setting.get("config", "headers")
        for header in headers.children.values() if headers else ():
            if re.fullmatch(r"(?i)(proxy-)?authorization|cookie|(x-)?api-key|.*(token|secret|password).*", header.name):
                message = "Headers are no secrets: they are shown in clear to everybody who may see the connector."
                fix = "Put the token into secrets.apiKey; Kibana sends it as Authorization: Bearer."
                yield hit(header, message, fix, found=HIDDEN)


@rule("keystore-orphan", "error", "A key of the keystore that leads to no connector of the file.")
def keystore_orphan(case: Case) -> Iterator[Hit]:
    """Half a connector: Kibana misses its name and does not start."""
    ids = {one.id: one for one in case.connectors}
    at = case.setting(*PRECONFIGURED) or Setting((), 1, 1)
    for key in sorted(case.site.keystore or ()):
        match = _KEYSTORE.fullmatch(key)
        if match is None or any(key.startswith(f"xpack.actions.preconfigured.{name}.") for name in ids):
            continue
        near = nearest(match["id"], ids)
        message = "The keystore holds half a connector that is not in the file: Kibana does not start."
        fix = f"kibana-keystore remove {key[:200]}" + (f", and add it again for {near}." if near else ".")
        yield hit(at, message, fix, found=f"keystore: {key[:200]}", path=PRECONFIGURED)


@rule("keystore-name", "error", "A key of the keystore that names a secret which the connector does not have.")
def keystore_name(case: Case) -> Iterator[Hit]:
    """Strict schemas hold for secrets from the keystore as well."""
    for one in case.connectors:
        prefix = keystore_key(one.id, "")
        names = [key.name for key in one.kind.secrets] if one.kind else []
        for key in sorted(case.site.keystore or ()):
            name = key.removeprefix(prefix)
            if names and name != key and name not in names:
                near = nearest(name, names)
                fix = f"kibana-keystore remove {key[:200]}" + (f", and add {prefix}{near}." if near else ".")
                message = f"The connector has no such secret. {_FIRST_USE}."
                yield hit(one.setting, message, fix, found=f"keystore: {name[:80]}")


def _is_other(one: ConnectorView) -> bool:
    return one.kind is not None and one.kind.name == "gen-ai-other"


def _is_inline(text: str) -> bool:
    match = VARIABLE.fullmatch(text)
    return match is None or match[2] is not None


RULES = (
    missing_secret,
    inline_secret,
    ca_data_alone,
    half_certificate,
    certificate_form,
    pki_verification,
    secret_header,
    keystore_orphan,
    keystore_name,
)
