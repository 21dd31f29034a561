"""``elastic:`` → what of Elastic's own goes along.

Rules: whatever is asked for must exist for the stack and the platform of this bundle.yml, as far as the data in
``elastic.json`` knows; what ends up in addresses and in kibana.yml is matched against a narrow pattern here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeVar

from bundler.spec.document import Scalar
from bundler.spec.elastic_sites import PACKAGE_VERSION, minor, numbers, sites
from bundler.spec.fields import Field
from bundler.spec.keys import BEAT, ELASTIC, PACKAGE, Keys
from bundler.spec.model import Beat, Elastic, Package
from bundler.spec.wording import quoted

VERSION: Final = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}")
PACKAGE_NAME: Final = re.compile("[a-z0-9_]{1,150}")
_SERVED: Final = re.compile(
    r"(?:file://|[Hh][Tt][Tt][Pp][Ss]?://(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?)"
    r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*/?"
)
T = TypeVar("T", Beat, Package)


def read_elastic(field: Field | None, stack: str | None, platform: str) -> Elastic | None:
    """What of Elastic's goes along. Raises: SpecError."""
    if field is None:
        return None
    section = field.section(ELASTIC)
    if stack is None:
        raise field.error("elastic needs the version of the Elastic Stack", hint="add stack: 9.2.0, or yours")
    found = Elastic(
        stack=stack,
        platform=platform,
        agent=_agent(section.get("agent"), stack),
        beats=_named(section.get("beats"), "Beats", BEAT, lambda one, version: _beat(one, version, stack)),
        packages=_named(section.get("packages"), "packages", PACKAGE, _package),
        product_docs=_product_docs(section.get("product_docs"), stack),
        elser=_elser(section.get("elser"), stack),
        served_from=_served_from(section.get("served_from")),
    )
    if not (found.agent or found.beats or found.packages or found.product_docs or found.elser):
        raise field.error("names nothing to take along", hint="add agent: true, or packages: [nginx]; or remove it")
    _platform(field, found)
    docs = section.get("product_docs")
    if docs and found.product_docs and found.served_from.startswith("file:"):
        _readable_files(docs, stack)
    return found


def _agent(field: Field | None, stack: str) -> str | None:
    if field is None:
        return None
    if isinstance(field.node, Scalar) and field.node.kind == "boolean":
        return stack if field.boolean() else None
    return _version(field, stack, "true, or a version of the Elastic Agent as in 9.2.0")


def _version(field: Field, stack: str, what: str) -> str:
    """A version that the stack takes data from: Elastic's own rule is that agents are never newer."""
    version = field.matching(VERSION, what)
    if numbers(version)[:2] > numbers(stack)[:2]:
        raise field.error(f"{version} is newer than the stack, which is {stack}", hint="take the stack's own version")
    return version


def _beat(name: Field, version: Field | None, stack: str) -> Beat:
    return Beat(name.choice(sites().beats), _version(version, stack, "a version as in 9.2.0") if version else stack)


def _package(name: Field, version: Field | None) -> Package:
    hint = "as the registry has it, for example nginx or system"
    found = name.matching(PACKAGE_NAME, "the name of a package: a-z, 0-9 and _", hint=hint)
    return Package(found, version.matching(PACKAGE_VERSION, "a version as in 1.20.0") if version else None)


def _named(field: Field | None, what: str, keys: Keys, read: Callable[[Field, Field | None], T]) -> tuple[T, ...]:
    """The entries of a list, each a name or ``{name: …, version: …}``."""
    found: list[T] = []
    for item in field.items(f"a list of {what}") if field else ():
        if isinstance(item.node, Scalar):
            one = read(item, None)
        else:
            section = item.section(keys)
            one = read(section["name"], section.get("version"))
        if any(one.name == other.name for other in found):
            raise item.error(f"{quoted(one.name)} stands twice", hint="keep one of the two")
        found.append(one)
    return tuple(found)


def _product_docs(field: Field | None, stack: str) -> tuple[str, ...]:
    known = sites().products
    if field is None:
        return ()
    if isinstance(field.node, Scalar):
        wanted = known if field.boolean() else ()
    else:
        wanted = tuple(dict.fromkeys(item.choice(known) for item in field.items("true, or a list of products")))
    if wanted and numbers(stack)[:2] < sites().docs_since:
        raise field.error(f"Kibana {stack} has no product documentation", hint="it came with 8.17")
    return wanted


def _readable_files(field: Field, stack: str) -> None:
    since = sites().docs_from_files_since
    if numbers(stack)[:2] < since:
        hint = f"add served_from: https://… of a web server at the site; files are read from {minor(since)} on"
        raise field.error(f"Kibana {stack} reads product documentation from a web server only", hint=hint)


def _elser(field: Field | None, stack: str) -> tuple[str, ...]:
    known = tuple(sites().elser)
    if field is None:
        return ()
    if isinstance(field.node, Scalar) and field.node.kind == "boolean":
        wanted = known if field.boolean() else ()
    else:
        wanted = (field.choice(known),)
    if wanted and numbers(stack)[:2] < sites().elser_since:
        raise field.error(f"Elasticsearch {stack} has no ELSER 2", hint=f"it came with {minor(sites().elser_since)}")
    return wanted


def _served_from(field: Field | None) -> str:
    if field is None:
        return "file:///opt/elastic"
    hint = "as in file:///opt/elastic, on every Kibana host, or https://artifacts.example.internal/elastic"
    text = field.matching(_SERVED, "where the site will have the files, a file:/// or https:// address", hint=hint)
    if text.rstrip("/") == "file:":
        raise field.expected("a folder of its own", hint=hint)
    return text.rstrip("/")


def _platform(field: Field, found: Elastic) -> None:
    if (found.agent or found.beats) and found.platform not in sites().platforms:
        hint = f"Elastic makes them for {', '.join(sites().platforms)}"
        raise field.error(f"there is no Elastic Agent and no Beat for {found.platform}", hint=hint)
