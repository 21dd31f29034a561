"""Imports point downward: the layers of the design, read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
GROUND = {"errors", "digest", "progress", "disk", "jsonrow", "relpath", "crew"}
# Who may import whom, beside the ground floor and itself.
ALLOWED: dict[str, set[str]] = {
    "spec": set(),
    "models": set(),
    "sources": {"spec"},
    "tool": set(),
    "lock": {"sources", "models", "spec", "tool"},
    "serving": {"spec"},
    "content": {"lock", "models", "spec", "serving"},
    "layout": set(),
    "trust": {"layout"},
    "pack": {"content", "lock", "trust", "layout", "sources", "models", "spec", "tool"},
    # models: how much GPU memory the facts in the manifest mean; it reads no file
    "site": {"trust", "layout", "spec", "serving", "models"},
    "cli": {"pack", "site", "content", "lock", "models", "sources", "spec", "layout", "trust"},
}
ONLY_IN_CLI = {"click", "rich"}


def modules() -> Iterator[tuple[str, Path]]:
    for package in ("bundler", "preconfigured", "kibana_assets"):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def floor(module: str) -> str:
    """The part of bundler that a module belongs to: a folder's name, or that of a module of the ground floor."""
    return module.split(".")[1] if module.count(".") else ""


def test_every_folder_has_its_rule() -> None:
    found = {floor(name) for name, _ in modules() if name.startswith("bundler.")}
    assert found == GROUND | set(ALLOWED)


def test_imports_point_downward() -> None:
    wrong = [
        f"{name} imports {imported}"
        for name, path in modules()
        if name.startswith("bundler.")
        for imported in imports(path)
        if imported.startswith("bundler.") and floor(imported) != "__version__"
        if floor(imported) not in GROUND | {floor(name)} | (ALLOWED.get(floor(name)) or set())
    ]
    assert wrong == []


def test_the_ground_floor_stands_on_itself() -> None:
    assert not {
        (name, imported)
        for name, path in modules()
        if floor(name) in GROUND
        for imported in imports(path)
        if imported.startswith("bundler.") and floor(imported) not in GROUND
    }


def test_the_site_never_reaches_what_downloads() -> None:
    """Not even through others."""
    graph = {name: set(imports(path)) for name, path in modules()}
    reached: set[str] = set()
    waiting = {name for name in graph if name.startswith("bundler.site")}
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= {imported for imported in graph.get(name, ()) if imported in graph} - reached
    assert {floor(name) for name in reached} & {"sources", "lock", "pack", "content", "cli", "tool"} == set()
    assert not {"requests", "huggingface_hub", "urllib3"} & {i for name in reached for i in graph[name]}


def test_the_other_packages_know_nothing_of_bundler() -> None:
    wrong = [
        (name, imported)
        for name, path in modules()
        if not name.startswith("bundler")
        for imported in imports(path)
        if imported.startswith("bundler")
    ]
    assert wrong == []


def test_only_the_command_line_talks_to_terminals() -> None:
    wrong = [
        (name, imported)
        for name, path in modules()
        if floor(name) != "cli"
        for imported in imports(path)
        if imported.split(".")[0] in ONLY_IN_CLI
    ]
    assert wrong == []
