"""The JSON schema, for editors, and the parser, for people, say the same."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bundler.errors import SpecError
from bundler.spec import keys
from bundler.spec.elastic_sites import sites
from bundler.spec.families import families
from bundler.spec.keys import Keys
from bundler.spec.parse import PLATFORMS, parse_spec, read_spec
from bundler.spec.service import MOST_CONTEXT, MOST_GPUS, PROVIDERS
from bundler.spec.template import init_text
from bundler.spec.upstream import MOST_REPLICAS, MOST_UPSTREAMS
from tests.spec.texts import FULL, SMALLEST, load

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT / "tests" / "data"
SCHEMA: dict[str, Any] = json.loads(resources.files("bundler.spec").joinpath("schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)

# What a schema cannot say or JSON does not know: YAML's own traps, what compares two places, what parses an address.
ONLY_PARSER = {
    *("alias-bomb", "anchor", "tag", "two-documents", "directive", "duplicate-key", "duplicate-key-below"),
    *("not-yaml", "tab", "not-utf8", "utf16", "control-character", "escape-of-no-character", "empty", "list-as-key"),
    *("model-duplicate", "model-duplicate-case", "model-inside-model", "serve-model", "connector-duplicate"),
    *("connector-without-stack", "connector-without-proxy"),
    *("file-path-duplicate", "file-path-file-and-folder", "file-path-escape", "file-path-control", "model-path"),
    *("file-http", "file-userinfo", "file-signed-url", "file-port", "model-url-without-name", "model-revision"),
    *("args-api-key", "args-hf-token", "args-token-value", "args-newline", "args-nul", "proxy-server-name-number"),
    *("image-scheme", "image-docker-scheme", "image-upper-case", "image-digest", "image-digest-algorithm"),
    *("image-tag", "image-id", "image-oci-path", "image-archive-name", "image-grammar", "image-port"),
    *("args-model", "args-extra", "lmstudio-args-model", "replicas-gpus", "upstream-loopback", "upstream-duplicate"),
    *("replicas-without-proxy", "upstreams-without-proxy", "upstream-port"),
    *("elastic-without-stack", "elastic-nothing", "elastic-agent-newer", "elastic-agent-platform"),
    *("elastic-beat-duplicate", "elastic-elser-old", "elastic-product-docs-old", "elastic-product-docs-files"),
    *("signing-key", "registry-host", "registry-mirror", "too-deep"),
}
INVALID = sorted(path.stem.removeprefix("invalid-") for path in DATA.glob("invalid-*.yml"))
VALID = [*DATA.glob("valid-*.yml"), *(ROOT / "examples").rglob("bundle.yml")]

PLACES = {
    "SPEC": SCHEMA,
    **{
        name: SCHEMA["$defs"][definition]
        for name, definition in {
            "HUB_MODEL": "hubModel",
            "FOLDER_MODEL": "folderModel",
            "URL_MODEL": "urlModel",
            "PATTERNS": "patterns",
            "SERVE": "serve",
            "PROXY": "proxy",
            "CONNECTOR": "connector",
            "MONITORING": "monitoring",
            "ELASTIC": "elastic",
            "BEAT": "beat",
            "PACKAGE": "package",
            "FILE": "file",
            "SIGNING": "signing",
            "REGISTRY": "registry",
        }.items()
    },
    "IMAGE": SCHEMA["$defs"]["image"]["oneOf"][1],
}


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_every_list_of_keys_has_its_place_in_the_schema() -> None:
    assert {name for name, value in vars(keys).items() if isinstance(value, Keys)} == set(PLACES)


@pytest.mark.parametrize("name", sorted(PLACES))
def test_parser_and_schema_know_the_same_keys(name: str) -> None:
    known: Keys = getattr(keys, name)
    place = PLACES[name]
    assert set(place["properties"]) == set(known.all)
    assert set(place.get("required", ())) == set(known.required)
    assert place["additionalProperties"] is False


def test_parser_and_schema_know_the_same_values() -> None:
    serve = SCHEMA["$defs"]["serve"]["properties"]
    assert tuple(SCHEMA["properties"]["platform"]["enum"]) == PLATFORMS
    assert tuple(SCHEMA["$defs"]["connector"]["properties"]["provider"]["enum"]) == PROVIDERS
    assert (serve["context"]["maximum"], serve["gpus"]["maximum"]) == (MOST_CONTEXT, MOST_GPUS)
    elastic = SCHEMA["$defs"]["elastic"]["properties"]
    assert tuple(SCHEMA["$defs"]["beatName"]["enum"]) == sites().beats
    assert tuple(elastic["product_docs"]["oneOf"][1]["items"]["enum"]) == sites().products
    assert tuple(elastic["elser"]["oneOf"][1]["enum"]) == tuple(sites().elser)
    assert (serve["replicas"]["maximum"], serve["upstreams"]["maxItems"]) == (MOST_REPLICAS, MOST_UPSTREAMS)


@pytest.mark.parametrize("path", VALID, ids=[f"{path.parent.name}/{path.name}" for path in VALID])
def test_valid_files_pass_both(path: Path) -> None:
    read_spec(path)
    VALIDATOR.validate(load(path.read_text(encoding="utf-8")))


def test_templates_and_texts_pass_both() -> None:
    texts = [init_text(family.name, engine=engine) for family in families() for engine in ("vllm", "lmstudio")]
    for text in [SMALLEST, FULL, *texts]:
        parse_spec(text)
        VALIDATOR.validate(load(text))


@pytest.mark.parametrize("name", [name for name in INVALID if name not in ONLY_PARSER])
def test_wrong_shapes_are_refused_by_both(name: str) -> None:
    path = DATA / f"invalid-{name}.yml"
    with pytest.raises(SpecError):
        read_spec(path)
    assert not VALIDATOR.is_valid(load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", sorted(ONLY_PARSER))
def test_what_only_the_parser_sees_is_no_shape(name: str) -> None:
    try:
        value = load((DATA / f"invalid-{name}.yml").read_text(encoding="utf-8"))
    except (SpecError, UnicodeDecodeError):
        return
    assert VALIDATOR.is_valid(value), "the schema refuses it too: take it off the list"
