"""config/lmstudio.json and the example of a unit follow from the lock, and agree with the connectors."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bundler.content.kibana import kibana_files
from bundler.content.lmstudio import CONTEXT, SERVICE, lmstudio_files, lmstudio_plan
from bundler.content.render import render
from bundler.digest import Digest
from bundler.errors import SpecError
from bundler.lock.model import Lock, LockedFile
from bundler.serving.lmstudio import PATH, LmStudioPlan, decode
from tests.content.test_config_of_a_bundle import lock as lock

NAMES = ("q4/m-00002-of-00002.gguf", "mmproj-a.gguf", "q4/m-00001-of-00002.gguf", "README.md")


def served(lock: Lock, names: tuple[str, ...] = NAMES, **serve: object) -> Lock:
    """The example, served by LM Studio from files called ``names``."""
    request = {**lock.request, "serve": {**lock.request["serve"], "engine": "lmstudio", "args": [], **serve}}
    files = tuple(LockedFile(name, len(name), Digest.of(name.encode())) for name in sorted(names))
    return replace(lock, request=request, models=(replace(lock.models[0], files=files),))


def plan_of(lock: Lock) -> LmStudioPlan:
    plan = lmstudio_plan(lock)
    assert plan is not None
    return plan


def test_the_site_reads_what_was_written(lock: Lock) -> None:
    files = lmstudio_files(served(lock))
    assert sorted(files) == [PATH, SERVICE]
    plan = decode(files[PATH].encode())
    assert plan == plan_of(served(lock))
    assert plan.main == "m-00001-of-00002.gguf"
    assert [file.name for file in plan.files] == ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf", "mmproj-a.gguf"]
    assert plan.files[0].source == "models/example/Tiny-Llama-Instruct/q4/m-00001-of-00002.gguf"
    assert plan.folder.startswith("example/Tiny-Llama-Instruct-")
    assert len(plan.folder) == len("example/Tiny-Llama-Instruct-") + 12
    assert plan.path in files[SERVICE]
    assert plan.folder in files[SERVICE].splitlines()[0]


def test_clients_and_lm_studio_mean_the_same_model(lock: Lock) -> None:
    changed = served(lock)
    assert f"defaultModel: {plan_of(changed).identifier}\n" in kibana_files(changed)["kibana/kibana.yml"]


def test_other_bytes_get_another_folder(lock: Lock) -> None:
    one, two = plan_of(served(lock)), plan_of(served(lock, ("m.gguf",)))
    assert one.folder != two.folder
    assert one.folder == plan_of(served(lock, context=1000)).folder


def test_the_context(lock: Lock) -> None:
    assert plan_of(served(lock, context=70_000)).context == 70_000
    assert plan_of(served(lock, context=None)).context == CONTEXT == 64_000
    short = served(lock, context=None)
    model = short.models[0]
    short = replace(short, models=(replace(model, facts=replace(model.facts, context=8192)),))
    assert plan_of(short).context == 8192


@pytest.mark.parametrize(
    ("model", "folder"),
    [("plain", "llm-bundle/plain-"), ("a/b/c", "a-b/c-"), (".y/-x", "y/x-"), ("org/Name.GGUF", "org/Name.GGUF-")],
)
def test_ids_of_other_forms(lock: Lock, model: str, folder: str) -> None:
    changed = served(lock, model=model)
    changed = replace(changed, models=(replace(changed.models[0], id=model),))
    assert plan_of(changed).folder.startswith(folder)


def test_two_files_of_one_name(lock: Lock) -> None:
    with pytest.raises(SpecError, match=r"Instruct: a/m\.gguf and b/M\.gguf have one name") as caught:
        lmstudio_files(served(lock, ("a/m.gguf", "b/M.gguf")))
    assert "exclude" in caught.value.hint


def test_a_name_that_lms_would_take_for_an_option(lock: Lock) -> None:
    changed = served(lock, model="-y")
    with pytest.raises(SpecError, match="-y: LM Studio takes no name that begins with -"):
        lmstudio_files(replace(changed, models=(replace(changed.models[0], id="-y"),)))


def test_only_for_lm_studio_and_gguf(lock: Lock) -> None:
    assert lmstudio_files(lock) == {}
    assert lmstudio_files(served(lock, ("model.safetensors",))) == {}


def test_the_bundle_says_what_they_are(lock: Lock) -> None:
    files = {file.path: file for file in render(served(lock))}
    assert files[PATH].role == files[SERVICE].role == "config"
    text = files["README.md"].data.decode()
    assert "| `config/lmstudio.json` | how the model is served" in text
    assert "| `config/lmstudio.service` | an example" in text
