"""The names that a certificate of ours is for, and the configuration that makes openssl write it so. No I/O.

Rules: an authority of ours can vouch for these names and nothing else (name constraints, critical), so that trusting it
opens no other door; no chain can be longer than one step. RFC 5280, 4.2.1; openssl's x509v3_config(5).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from bundler.errors import UsageError

_HOST: Final = re.compile(r"(?=.{1,253}\Z)(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Names:
    """Host names in lower case, and IP addresses, each at least once between the two."""

    hosts: tuple[str, ...]
    addresses: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Host names first."""
        return (*self.hosts, *self.addresses)

    @classmethod
    def of(cls, *texts: str) -> Names:
        """Raises: UsageError for a text that is neither a host name nor an IP address."""
        hosts, addresses = [], []
        for text in dict.fromkeys(texts):
            try:
                addresses.append(str(ip_address(text)))
            except ValueError:
                hosts.append(_host(text))
        if len(texts) > _MOST:
            raise UsageError(f"expected at most {_MOST} names, found {len(texts)}")
        return cls(tuple(dict.fromkeys(hosts)), tuple(dict.fromkeys(addresses)))


def configuration(names: Names, authority: str) -> str:
    """The text for ``openssl ca`` and ``openssl req``; ``authority`` is the common name of a new authority."""
    alternative = [f"DNS.{n} = {host}" for n, host in enumerate(names.hosts)]
    alternative += [f"IP.{n} = {address}" for n, address in enumerate(names.addresses)]
    return _TEXT.format(
        organisation=names.all[0][:64],
        authority=authority,
        permitted="\n".join(_constraints(names)),
        alternative="\n".join(alternative),
    )


def _constraints(names: Names) -> list[str]:
    """A kind of name that is not constrained would be free, so there is a rule for both."""
    lines = [f"permitted;DNS.{n} = {host}" for n, host in enumerate(names.hosts)]
    # No host of the world may bear a name below .invalid (RFC 2606).
    lines = lines or ["permitted;DNS.0 = invalid"]
    for n, address in enumerate(names.addresses):
        mask = "255.255.255.255" if ip_address(address).version == 4 else ":".join(["ffff"] * 8)
        lines.append(f"permitted;IP.{n} = {address}/{mask}")
    versions = {ip_address(address).version for address in names.addresses}
    if 4 not in versions:
        lines.append("excluded;IP.100 = 0.0.0.0/0.0.0.0")
    if 6 not in versions:
        lines.append("excluded;IP.101 = ::/::")
    return lines


def _host(text: str) -> str:
    name = text.lower()
    if not _HOST.fullmatch(name) or re.fullmatch("[0-9.]+", name):
        raise UsageError(
            f"expected a host name or an IP address, found {text[:80]!r}", hint="As in llm.example.internal."
        )
    return name


_TEXT: Final = """\
[ca]
default_ca = ours
[ours]
database = index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
email_in_dn = no
string_mask = utf8only
[any]
organizationName = optional
commonName = optional
[req]
distinguished_name = subject
prompt = no
string_mask = utf8only
[subject]
O = {organisation}
CN = {authority}
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
nameConstraints = critical, @names
[names]
{permitted}
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = @alternative
[alternative]
{alternative}
"""
