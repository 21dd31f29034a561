"""Bad input in bundle.yml, bundle.lock, the environment and the arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bundler.digest import Digest
from bundler.lock.file import read_lock, write_lock
from tests.cli.bench import Bench, Case, occupy


def _spec(name: str, old: str, new: str, place: str, hint: str, *, command: str = "lock") -> Case:
    """A bundle.yml with one thing wrong."""

    def prepare(bench: Bench) -> str:
        bench.spec((old, new))
        return command

    return Case(name, prepare, 3, place, hint)


def _source(name: str, old: str, new: str, place: str, hint: str) -> Case:
    """A bundle.yml that is right, but for what it names on this disk."""
    return replace(_spec(name, old, new, place, hint), code=4)


def _plain(name: str, command: str, code: int, place: str, hint: str, **environment: str) -> Case:
    """A wrong command or environment beside a good bundle.yml."""

    def prepare(bench: Bench) -> str:
        for key, value in environment.items():
            bench.patch.setenv(key, value)
        return command

    return Case(name, prepare, code, place, hint)


def _other_spec(bench: Bench) -> str:
    bench.locked()
    bench.spec(("context: 65536", "context: 70000"), ("stack: 9.2.0", "stack: 9.3.0"))
    return "build"


def _edited(bench: Bench) -> str:
    path = bench.locked()
    path.write_text(path.read_text().replace('"created": 1', '"created": 2'))
    return "build"


def _not_json(bench: Bench) -> str:
    bench.locked().write_text("apiVersion: llm-bundle/v1\n")
    return "build"


def _other_format(bench: Bench) -> str:
    path = bench.locked()
    path.write_text(path.read_text().replace("llm-bundle-lock/1", "llm-bundle-lock/2"))
    return "build"


def _other_tool(bench: Bench) -> str:
    """As if an older llm-bundle, with other words for README.md, had made the lock."""
    path = bench.locked()
    lock = read_lock(path)
    rendered = tuple(
        replace(file, digest=Digest.of(b"")) if file.path == "README.md" else file for file in lock.rendered
    )
    write_lock(path, replace(lock, tool="0.0.9", rendered=rendered))
    return "build"


def _folder_changed(bench: Bench) -> str:
    bench.locked()
    (bench.folder / "inputs" / "model" / "tokenizer.json").unlink()
    return "build"


def _lock_is_folder(bench: Bench) -> str:
    occupy(bench.folder / "bundle.lock")
    return "lock"


def _spec_named_lock(bench: Bench) -> str:
    """Its lock would be written over it."""
    (bench.folder / "bundle.yml").rename(bench.folder / "other.lock")
    return "lock other.lock"


def _volumes(size: str) -> Callable[[Bench], str]:
    def prepare(bench: Bench) -> str:
        bench.locked()
        return f"build --volume-size {size}"

    return prepare


def _no_spec(bench: Bench) -> str:
    (bench.folder / "bundle.yml").unlink()
    return "lock"


MODEL = "  - id: example/Tiny-Llama-Instruct\n    folder: inputs/model\n"

CASES = (
    _spec("unknown key", "stack:", "stak:", 'bundle.yml:6: unknown key "stak"', 'did you mean "stack"?'),
    _spec("wrong type", "context: 65536", 'context: "64k"', "serve.context: expected a number", "plain digits"),
    _spec("bad digest", "oci:inputs/vllm:v0.10.2", "vllm/x@sha256:123", "serve.image: expected a digest", "3 digits"),
    _spec("platform unknown", "linux/amd64", "linux/amd65", "platform: expected one of", '"linux/amd64"'),
    _spec("platform that a layout lacks", "linux/amd64", "linux/arm64", "has linux/amd64", "`platform`"),
    _spec("duplicate model", MODEL, MODEL * 2, "models[1]", "keep one of the two"),
    _spec("path escaping", "stack: 9.2.0", "stack: 9.2.0\nfiles: [{url: https://a.example/a, sha256: "
          f"{'a' * 64}, path: extra/../../etc/passwd}}]", "files[0].path: expected a relative path", ""),
    _spec("pattern that matches nothing", "folder: inputs/model", "folder: inputs/model\n    files: {include: "
          '["*.gguff"]}', "*.gguff", "whole path"),
    _spec("secret in bundle.yml", "stack:", "hf_token: abc\nstack:", 'unknown key "hf_token"', "HF_TOKEN"),
    _source("folder missing", "folder: inputs/model", "folder: inputs/no", "inputs/no: no such file", "moved"),
    _source("layout missing", "oci:inputs/vllm", "oci:inputs/vlm", "inputs/vlm: no such file", "moved or deleted"),
    _spec("tag missing in layout", "vllm:v0.10.2", "vllm:v0.10.3", "v0.10.2", "Write one of these after"),
    _spec("no connector possible", "stack: 9.2.0", "stack: 7.17.0", "connectors", ""),
    Case("no bundle.yml", _no_spec, 3, "bundle.yml: there is no such file", "llm-bundle init"),
    _plain("folder for bundle.yml", "lock inputs", 3, "inputs: expected a file, found a folder", "bundle.yml?"),
    Case("bundle.yml named as a lock", _spec_named_lock, 2, "other.lock: expected a bundle.yml", "*.yml"),
    _plain("no lock", "build", 3, "bundle.lock: there is no lock", "llm-bundle lock"),
    Case("lock of another bundle.yml", _other_spec, 3,
         "bundle.lock: does not match bundle.yml: stack: \"9.2.0\" in the lock, \"9.3.0\" in bundle.yml; "
         "serve.context: 65536 in the lock, 70000 in bundle.yml", "lock --update"),
    Case("lock edited by hand", _edited, 3, "bundle.lock: was edited by hand or damaged", "lock --update"),
    Case("lock that is no JSON", _not_json, 3, "bundle.lock: not JSON", "lock --update"),
    Case("lock of another format", _other_format, 3, "bundle.lock: format: expected", "lock --update"),
    Case("lock of another version", _other_tool, 3, "README.md: llm-bundle", "Build with llm-bundle 0.0.9"),
    Case("folder changed since the lock", _folder_changed, 3, "tokenizer.json", "lock --update"),
    Case("a folder where the lock goes", _lock_is_folder, 6, "bundle.lock", ""),
    _plain("SOURCE_DATE_EPOCH", "lock", 2, "SOURCE_DATE_EPOCH: expected seconds", "date +%s", SOURCE_DATE_EPOCH="now"),
    _plain("SOURCE_DATE_EPOCH of 5,000 digits", "lock", 2, "SOURCE_DATE_EPOCH", "", SOURCE_DATE_EPOCH="0" * 5000),
    _plain("no such command", "biuld", 2, "No such command 'biuld'. Did you mean 'build'?", "--help"),
    _plain("no such option", "build --fource", 2, "No such option", "--help"),
    _plain("missing argument", "unpack x.tar", 2, "DIR", "--help"),
    Case("volumes too small", _volumes("3kB"), 2, "--volume-size: expected at least 1MiB", "4000MB"),
    Case("volume size in words", _volumes("huge"), 2, "--volume-size: expected a size", "4000MB"),
    _plain("address for a host", "lock --plain-http http://registry.example", 2, "--plain-http", "without http://"),
    _plain("unknown family", "init mistrall", 2, '"mistrall"', 'did you mean "mistral"?'),
    _plain("name of init", "init mistral --name X", 2, 'found "X"', "letter or a digit"),
    _plain("init onto a file", "init mistral", 6, "bundle.yml: is there already", "--force"),
    _plain("init into no folder", "init mistral -o no/where.yml", 6, "no/where.yml", "folder"),
    _plain("init onto a folder", "init mistral -o inputs", 6, "inputs: is a folder", "--output"),
)  # fmt: skip
