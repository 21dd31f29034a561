"""``serve:``, ``proxy:``, ``connectors:`` and ``monitoring:`` → how the model is served and used.

Rules: what ends up in a unit file, in nginx.conf or in kibana.yml is matched against a narrow pattern here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address

from bundler.spec.document import Scalar, Sequence
from bundler.spec.fields import SECRETS, Field, Section
from bundler.spec.keys import CONNECTOR, IMAGE, MONITORING, PROXY, SERVE
from bundler.spec.model import Connector, Engine, ImageSource, Monitoring, Proxy, Serve
from bundler.spec.named import Named, named
from bundler.spec.reference import ReferenceProblem, parse_image
from bundler.spec.upstream import EXPECTED_UPSTREAM, MOST_REPLICAS, MOST_UPSTREAMS, upstreams_fault
from bundler.spec.wording import nearest, quoted, secret_option

PROVIDERS = ("vllm", "lmstudio", "openai-compatible")
MOST_CONTEXT = 100_000_000
MOST_GPUS = 1024

_HOST_NAME = re.compile(r"(?=.{1,253}$)(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
_NUMERIC = re.compile(r"(.*\.)?[0-9]+")
_CONNECTOR_ID = re.compile("(?=[a-z0-9-]*[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# Kibana refuses these at start (xpack.actions, server/config.ts); the others it refuses, _CONNECTOR_ID refuses.
_REFUSED_BY_KIBANA = ("constructor",)


def read_serve(field: Field, ids: tuple[str, ...], paths: tuple[str, ...] = ()) -> Serve:
    """How the model is served; ``ids`` and ``paths`` are the models and files there are. Raises: SpecError."""
    section = field.section(SERVE)
    engine: Engine = "vllm" if section["engine"].choice(("vllm", "lmstudio")) == "vllm" else "lmstudio"
    model = section["model"].text("a model id")
    if model not in ids:
        hint = nearest(model, ids)
        raise section["model"].expected(f"one of the models above ({', '.join(ids)[:200]})", hint=hint)
    gpus = _optional(section.get("gpus"), lambda f: f.integer(1, MOST_GPUS, "a number of GPUs")) or 1
    return Serve(
        engine,
        model,
        _engine_image(section, engine),
        _optional(section.get("context"), lambda f: f.integer(1, MOST_CONTEXT, "a number of tokens")),
        gpus,
        _args(section.get("args"), engine, ids, paths),
        _replicas(_vllm_alone(section, "replicas", engine), gpus),
        _upstreams(_vllm_alone(section, "upstreams", engine)),
    )


def _vllm_alone(section: Section, key: str, engine: Engine) -> Field | None:
    field = section.get(key)
    if field and engine == "lmstudio":
        hint = "remove the key: LM Studio spreads a model over its GPUs by itself, and runs once on a host"
        raise field.error(f"engine lmstudio takes no {key}", hint=hint)
    return field


def _replicas(field: Field | None, gpus: int) -> int:
    replicas = field.integer(1, MOST_REPLICAS, "a number of engines") if field else 1
    if field and replicas * gpus > MOST_GPUS:
        hint = "each replica has GPUs of its own: serve.gpus of them"
        raise field.error(f"{replicas} replicas with {gpus} GPUs each need more than {MOST_GPUS} GPUs", hint=hint)
    return replicas


def _upstreams(field: Field | None) -> tuple[str, ...]:
    items = field.items("a list of engines on other hosts") if field else ()
    if field and len(items) > MOST_UPSTREAMS:
        raise field.error(f"expected at most {MOST_UPSTREAMS} upstreams, found {len(items)}")
    texts = tuple(item.text("an engine on another host") for item in items)
    fault = upstreams_fault(texts)
    if fault:
        at, why = fault
        hint = "the engines of this host need not be named: the proxy knows them"
        raise items[at].error(f"expected {EXPECTED_UPSTREAM}, found {quoted(texts[at])}, which {why}", hint=hint)
    return texts


def _optional(field: Field | None, read: Callable[[Field], int]) -> int | None:
    return read(field) if field else None


def _engine_image(section: Section, engine: Engine) -> ImageSource | None:
    image = section.get("image")
    if engine == "vllm" and image is None:
        hint = "add image: vllm/vllm-openai:v0.9.1, or the version that you mean"
        raise section.field.error("engine vllm needs an image", hint=hint)
    if engine == "lmstudio" and image is not None:
        hint = "remove the key: LM Studio has no image; the operator of the site installs it"
        raise image.error("engine lmstudio takes no image", hint=hint)
    return read_image(image) if image else None


def read_image(field: Field) -> ImageSource:
    """An image, a text or ``{reference: …}``. Raises: SpecError."""
    if isinstance(field.node, Sequence):
        raise field.expected("an image, as text or as {reference: …}")
    inner = field if isinstance(field.node, Scalar) else field.section(IMAGE)["reference"]
    text = inner.text("an image")
    try:
        return parse_image(text)
    except ReferenceProblem as problem:
        raise inner.error(str(problem), hint=problem.hint) from problem


def _args(field: Field | None, engine: Engine, ids: tuple[str, ...], paths: tuple[str, ...]) -> tuple[str, ...]:
    items = field.items("a list of texts") if field else ()
    for item in items:
        option = secret_option(item.text())
        if option:
            hint = f"the site makes its own tokens; {SECRETS}"
            raise item.error(f"{quoted(option)} carries a secret", hint=hint)
        for part in named(item.text()):
            _check_named(item, part, engine, ids, paths)
    return tuple(item.text() for item in items)


def _check_named(item: Field, part: Named, engine: Engine, ids: tuple[str, ...], paths: tuple[str, ...]) -> None:
    """An argument names a part of the bundle that there is."""
    if engine == "lmstudio":
        raise item.error(f"{quoted(str(part))}: LM Studio runs in no container", hint="name the path at the site")
    known = ids if part.kind == "model" else tuple(path.removeprefix("extra/") for path in paths)
    if part.name not in known:
        key = "models" if part.kind == "model" else "files"
        hint = nearest(part.name, known) or f"add it to {key}:, that it may go into the bundle"
        raise item.error(f"{quoted(str(part))} is none of {key}:", hint=hint)


def read_proxy(field: Field | None) -> Proxy | None:
    """The Nginx in front. Raises: SpecError."""
    if field is None:
        return None
    section = field.section(PROXY)
    name = _host_name(section["server_name"])
    run, image = section.get("run"), section.get("image")
    if run is not None and run.choice(("container", "host")) == "host":
        if image is not None:
            raise image.error("run: host takes no image", hint="remove it, or say run: container")
        return Proxy(name, "host")
    if image is None:
        hint = "add image: nginx:1.29-alpine, or say run: host to use the Nginx of the host"
        raise section.field.error("run: container needs an image", hint=hint)
    return Proxy(name, "container", read_image(image))


def _host_name(field: Field) -> str:
    hint = "the name alone, without scheme, port and path, as in llm.example.internal"
    name = field.matching(_HOST_NAME, "a host name", hint=hint)
    if _NUMERIC.fullmatch(name):
        try:
            IPv4Address(name)
        except AddressValueError as error:
            raise field.expected("a host name or an IPv4 address") from error
    return name


def read_connectors(field: Field | None) -> tuple[Connector, ...]:
    """The preconfigured connectors, with unique ids. Raises: SpecError."""
    connectors: list[Connector] = []
    for item in field.items("a list of connectors") if field else ():
        section = item.section(CONNECTOR)
        hint = "Kibana splits ids at dots, and keystore keys are made of them"
        found = section["id"].matching(_CONNECTOR_ID, "an id of a-z, 0-9 and -, with a letter, at most 63", hint=hint)
        if found in _REFUSED_BY_KIBANA:
            raise section["id"].error(f"Kibana refuses the connector id {quoted(found)}", hint="take another")
        if any(found == other.id for other in connectors):
            raise section["id"].error(f"connector {quoted(found)} stands twice", hint="each needs its own id")
        name = section["name"].text("a name")
        if not name.strip():
            raise section["name"].expected("a name", hint="Kibana shows it where a connector is chosen")
        connectors.append(Connector(found, name, section["provider"].choice(PROVIDERS)))
    return tuple(connectors)


def read_monitoring(field: Field | None) -> Monitoring:
    """What of the Elastic side goes along. Raises: SpecError."""
    if field is None:
        return Monitoring()
    section = field.section(MONITORING)
    package, filebeat = section.get("package"), section.get("filebeat")
    return Monitoring(package.boolean() if package else False, filebeat.boolean() if filebeat else False)
