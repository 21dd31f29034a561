"""Files as people keep them: fresh ones, packaged ones, nested ones, one of 300 lines full of comments."""

from __future__ import annotations

from pathlib import Path

import pytest

from preconfigured import Settings
from preconfigured.merge import apply, remove
from preconfigured.merge.diff import unified
from tests.preconfigured.merge.view import view
from tests.preconfigured.wishes import EVERYTHING, VLLM, stack

DATA = Path(__file__).parents[2] / "data" / "kibana-yml-merge"
FILES = sorted(DATA.glob("*.yml"))
WISH = Settings(private_ca="/etc/kibana/certs/llm-ca.crt", default_connector=VLLM.id)


def read(path: Path) -> str:
    return path.read_bytes().decode()


@pytest.mark.parametrize("line_break", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_in_and_out(path: Path, line_break: str) -> None:
    text = read(path).replace("\n", line_break)
    both = [VLLM, EVERYTHING[5]]
    edited = apply(text, both, WISH, stack("9.2.0"))
    assert not apply(edited.text, both, WISH, stack("9.2.0")).changed
    kept = iter(edited.text)
    assert all(character in kept for character in text), "every old character is there, in its order"
    assert "\n" not in edited.text.replace("\r\n", "") or line_break == "\n"
    before, after = view(text), view(edited.text)
    changed = {name for name, value in before.items() if after.get(name) != value}
    assert changed <= {
        "xpack.actions.allowedHosts", "xpack.actions.customHostSettings", "xpack.actions.enabledActionTypes",
        "uiSettings.overrides",
    }  # fmt: skip
    assert remove(remove(edited.text, VLLM.id).text, EVERYTHING[5].id).text == text


def test_the_long_one_is_changed_in_the_right_places() -> None:
    text = read(DATA / "commented-300-lines.yml")
    assert len(text.splitlines()) >= 300
    edited = apply(text, [VLLM], WISH, stack("9.2.0"))
    after = view(edited.text)
    assert after["xpack.actions.allowedHosts"][3:] == ["llm.example.internal"]
    assert [host["url"] for host in after["xpack.actions.customHostSettings"]][2:] == [
        "https://llm.example.internal:443"
    ]
    assert after["uiSettings.overrides.genAiSettings:defaultAIConnector"] == VLLM.id
    assert after["xpack.actions.responseTimeout"] == "90s"
    assert [str(note) for note in edited.notes] == [
        "xpack.actions.responseTimeout: left as it is in line 203 (90s); 600s was wanted: --replace takes that"
    ]
    assert edited.text.index("end of the connectors") < edited.text.index(f"begin {VLLM.id}")
    diff = unified(text, edited.text, "kibana.yml")
    assert not [line for line in diff.splitlines()[2:] if line.startswith("-")]
    assert diff == read(DATA / "commented-300-lines.diff")
