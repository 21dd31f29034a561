"""A model like gpt-oss with all that its engine would fetch, a draft model and a chat template, all the way to its
container: real servers, a real bundle."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.cli.wording import plan_json, plan_lines
from bundler.content.render import render
from bundler.digest import Digest
from bundler.errors import IntegrityError, LockError, SourceError
from bundler.lock import side_files
from bundler.lock.file import write_lock
from bundler.pack.build import Options, build
from bundler.pack.locking import Made, locked_plan, make_lock
from bundler.pack.outlook import outlook
from bundler.serving.container import Mount, SiteChoices, engine_container
from bundler.serving.plan import PATH, decode
from bundler.site.medium import find
from bundler.site.unpack import unpack
from bundler.sources.kinds import Sources
from bundler.spec.families import Family, family_of
from bundler.spec.model import Spec
from bundler.spec.parse import read_spec
from examples.tiny.inputs import make_inputs
from tests.counterparts.faulty import FaultyServer, Route
from tests.sources.reading import Heard

OPENAI = "openaipublic.blob.core.windows.net"
O200K, CL100K, TEMPLATE = b"b2 200000\n" * 400, b"Y2w= 100000\n" * 200, b"{{ messages }}\n"
FILES = {"o200k_base.tiktoken": O200K, "cl100k_base.tiktoken": CL100K}
INSIDE = "/llm-bundle"


def bundle_yml(files: str = "files:", serve: str = "", registries: str = "  x.example: {plain_http: true}\n") -> str:
    return f"""\
apiVersion: llm-bundle/v1
name: oss
version: 1.0.0
platform: linux/amd64
models:
  - {{id: local/gpt-oss-tiny, folder: inputs/model}}
  - {{id: local/draft, folder: inputs/draft}}
serve:
  engine: vllm
  image: oci:inputs/vllm:v0.10.2
  model: local/gpt-oss-tiny
  context: 4096
{serve}proxy: {{server_name: llm.example.internal, image: "oci:inputs/nginx:1.29-alpine"}}
{files}
registries:
{registries}"""


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    """The mirror, with files whose digests are not those of the real ones, and a chat template."""
    with FaultyServer() as found:
        found.routes.update({f"/openai/encodings/{name}": Route(body) for name, body in FILES.items()})
        found.routes["/chat.jinja"] = Route(TEMPLATE)
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_inputs(tmp_path / "inputs")
    config = tmp_path / "inputs" / "model" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "architectures": ["GptOssForCausalLM"]}))
    shutil.copytree(tmp_path / "inputs" / "model", tmp_path / "inputs" / "draft")
    return tmp_path


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The family's data with the digests of what ``server`` has."""

    def found(model_id: str, architecture: str | None = None) -> Family | None:
        family = family_of(model_id, architecture)
        assert family is not None
        fetched = (replace(one, digest=Digest.of(FILES[one.name])) for one in family.fetched)
        return replace(family, fetched=tuple(fetched))

    monkeypatch.setattr(side_files, "family_of", found)


def mirrored(server: FaultyServer) -> str:
    return f'  {OPENAI}: {{mirrors: ["{server.host}/openai"]}}\n  "{server.host}": {{plain_http: true}}\n'


def plain(server: FaultyServer) -> str:
    return f'  "{server.host}": {{plain_http: true}}\n'


def brought(server: FaultyServer, name: str, path: str, body: bytes) -> str:
    return f"\n  - {{url: '{server.url}/{name}', sha256: {hashlib.sha256(body).hexdigest()}, path: {path}}}"


def spec_in(folder: Path, text: str) -> Spec:
    (folder / "bundle.yml").write_text(text)
    return read_spec(folder / "bundle.yml")


def locked(spec: Spec, heard: Heard | None = None) -> Made:
    heard = heard or Heard()
    return make_lock(spec, spec.base / "bundle.lock", Sources(spec.registries, spec.base, heard), update=True,
                     progress=heard)  # fmt: skip


def built(spec: Spec) -> Path:
    """The release: built, verified, unpacked."""
    _, plan = locked_plan(spec, spec.base / "bundle.lock")
    options = Options(spec.base, attempts=1, sleep=lambda seconds: None)
    done = build(plan, Sources(spec.registries, spec.base), options)
    with find([done.bundle]) as medium:
        unpacked = unpack(medium, spec.base / "site")
    assert unpacked.path is not None
    return unpacked.path


@pytest.mark.usefixtures("known")
def test_all_the_way(folder: Path, server: FaultyServer) -> None:
    serve = """\
  replicas: 2
  upstreams: ["192.0.2.7:8000"]
  args:
    - --speculative-config
    - '{"model": "model://local/draft", "num_speculative_tokens": 5}'
    - --chat-template
    - extra://templates/chat.jinja
"""
    files = "files:" + brought(server, "chat.jinja", "extra/templates/chat.jinja", TEMPLATE)
    spec = spec_in(folder, bundle_yml(files, serve, mirrored(server)))
    paths = [file.path for file in locked(spec).lock.extras]
    assert paths == ["extra/templates/chat.jinja", "extra/side/o200k_base.tiktoken", "extra/side/cl100k_base.tiktoken"]
    release = built(spec)
    assert {path.name: path.read_bytes() for path in (release / "extra" / "side").iterdir()} == FILES
    plan = decode((release / PATH).read_bytes())
    assert (plan.replicas, plan.upstreams, plan.vocabularies) == (2, ("192.0.2.7:8000",), "extra/side")
    spec_of_container = engine_container(plan, SiteChoices(str(release), "engine", "image", "net", "oss", replica=1))
    assert dict(spec_of_container.env)["TIKTOKEN_ENCODINGS_BASE"] == f"{INSIDE}/vocabularies"
    assert Mount(f"{release}/extra/side", f"{INSIDE}/vocabularies") in spec_of_container.mounts
    assert all(Path(mount.source).exists() for mount in spec_of_container.mounts)
    inside = {mount.target: mount.source for mount in spec_of_container.mounts}
    args = spec_of_container.args
    draft = json.loads(args[args.index("--speculative-config") + 1])
    assert draft == {"model": f"{INSIDE}/models/local/draft", "num_speculative_tokens": 5}
    assert (Path(inside[draft["model"]]) / "config.json").is_file()
    assert Path(inside[args[args.index("--chat-template") + 1]]).read_bytes() == TEMPLATE
    assert spec_of_container.gpu_ids == (1,)


@pytest.mark.usefixtures("known")
def test_plan_and_readme_tell_of_them(folder: Path, server: FaultyServer) -> None:
    files = "files:" + brought(server, "chat.jinja", "extra/chat.jinja", TEMPLATE)
    spec = spec_in(folder, bundle_yml(files, "  replicas: 3\n", mirrored(server)))
    lock = locked(spec).lock
    _, plan = locked_plan(spec, folder / "bundle.lock")
    ahead = outlook(lock, plan)
    document = plan_json(lock, plan, ahead, str)
    assert [(one["path"], one["bytes"], one["fetched_by"]) for one in document["files"]] == [
        ("extra/chat.jinja", len(TEMPLATE), None),
        ("extra/side/o200k_base.tiktoken", len(O200K), "openai-harmony"),
        ("extra/side/cl100k_base.tiktoken", len(CL100K), "openai-harmony"),
    ]
    assert document["gpu"]["replicas"] == 3
    lines = plan_lines(lock, plan, ahead, str)
    assert any("o200k_base.tiktoken" in line and "for openai-harmony" in line for line in lines)
    assert not any("chat.jinja" in line and "harmony" in line for line in lines)
    assert any("GPU" in line and "3 replicas, each about" in line for line in lines)
    text = next(file.data.decode() for file in render(lock) if file.path == "README.md")
    assert "| `extra/side/o200k_base.tiktoken` | 4.0 kB, which openai-harmony in the engine would fetch when" in text
    assert f"| `extra/chat.jinja` | {len(TEMPLATE)} bytes |" in text


def test_a_mirror_with_other_bytes_is_found_out(folder: Path, server: FaultyServer) -> None:
    spec = spec_in(folder, bundle_yml("", registries=mirrored(server)))
    locked(spec)
    with pytest.raises(IntegrityError, match=r"o200k_base\.tiktoken|cl100k_base\.tiktoken"):
        built(spec)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("path", "more"), [("extra/x/o200k_base.tiktoken", "extra/x/cl100k_base.tiktoken"),
                       ("extra/side/cl100k_base.tiktoken", "extra/side/o200k_base.tiktoken")],
)  # fmt: skip
def test_one_that_is_brought_is_not_fetched(folder: Path, server: FaultyServer, path: str, more: str) -> None:
    name = Path(path).name
    files = "files:" + brought(server, f"openai/encodings/{name}", path, FILES[name])
    spec = spec_in(folder, bundle_yml(files, registries=mirrored(server)))
    heard = Heard()
    assert [file.path for file in locked(spec, heard).lock.extras] == [path, more]
    assert not any("digest" in text for text in heard.said)
    release = built(spec)
    assert decode((release / PATH).read_bytes()).vocabularies == str(Path(path).parent)


def test_others_that_are_brought_win_and_are_warned_of(folder: Path, server: FaultyServer) -> None:
    files = "files:" + "".join(
        brought(server, f"openai/encodings/{name}", f"extra/tiktoken/{name}", body) for name, body in FILES.items()
    )
    spec = spec_in(folder, bundle_yml(files, registries=plain(server)))
    heard = Heard()
    assert len(locked(spec, heard).lock.extras) == 2
    warned = [text for text in heard.said if "another digest than the o200k_base.tiktoken that openai-harmony" in text]
    assert len(warned) == 1
    assert decode((built(spec) / PATH).read_bytes()).vocabularies == "extra/tiktoken"


def test_what_cannot_be_fetched_is_explained(
    folder: Path, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = family_of("gpt-oss-tiny")
    assert family is not None
    gone = tuple(replace(one, url=f"{server.url}/gone/{one.name}") for one in family.fetched)
    monkeypatch.setattr(side_files, "family_of", lambda *_: replace(family, fetched=gone))
    spec = spec_in(folder, bundle_yml("", registries=plain(server)))
    with pytest.raises(SourceError) as caught:
        locked(spec)
    assert f"{server.url}/gone/o200k_base.tiktoken" in caught.value.message
    assert "the engine would fetch o200k_base.tiktoken when it starts, and cannot at the site" in caught.value.message
    assert f"registries: {{{server.host}: {{mirrors: [HOST/PREFIX]}}}}" in caught.value.hint
    assert f"sha256: {gone[0].digest.hex}, path: extra/side/o200k_base.tiktoken" in caught.value.hint


@pytest.mark.usefixtures("known")
def test_a_lock_without_them_is_refused(folder: Path, server: FaultyServer) -> None:
    spec = spec_in(folder, bundle_yml("", registries=mirrored(server)))
    lock = locked(spec).lock
    write_lock(folder / "bundle.lock", replace(lock, extras=()))
    with pytest.raises(LockError, match="extras: is not what it says was requested"):
        locked_plan(spec, folder / "bundle.lock")


def test_other_families_need_none(folder: Path) -> None:
    text = bundle_yml("").replace("local/gpt-oss-tiny", "local/llama")
    config = folder / "inputs" / "model" / "config.json"
    config.write_text(config.read_text().replace("GptOssForCausalLM", "LlamaForCausalLM"))
    assert locked(spec_in(folder, text)).lock.extras == ()


def test_the_same_model_for_lm_studio_needs_none(folder: Path, server: FaultyServer) -> None:
    spec = spec_in(folder, bundle_yml("", registries=mirrored(server)))
    models = locked(spec).lock.models
    assert len(side_files.side_files(spec, models)) == 2
    assert side_files.side_files(replace(spec, serve=replace(spec.serve, engine="lmstudio")), models) == ()
