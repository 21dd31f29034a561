"""Hypothesis strategies for members, manifests and whole bundles in memory."""

from __future__ import annotations

import string

from hypothesis import strategies as st

from bundler.digest import Digest
from bundler.layout.manifest import ImageEntry, Manifest, ModelEntry
from bundler.layout.member import Member, ordered, set_fault
from bundler.pack.plan import Ingredient, inline
from bundler.relpath import path_fault

_LETTERS = string.ascii_letters + string.digits + "._-+ @é漢"
parts = st.text(_LETTERS, min_size=1, max_size=130).filter(lambda part: path_fault(part) is None)
relative_paths = st.lists(parts, min_size=1, max_size=4).map("/".join).filter(lambda path: path_fault(path) is None)
digests = st.binary(min_size=32, max_size=32).map(lambda raw: Digest(raw.hex()))
names = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True)
sizes = st.one_of(st.integers(0, 10_000), st.integers(0, 1 << 45))

_FOLDERS = {"config": "config/", "kibana": "kibana/", "elastic": "elastic/", "image": "images/", "model": "models/"}


@st.composite
def members(draw: st.DrawFn) -> tuple[Member, ...]:
    """Members of all roles in the bundle's order, at paths that go together."""
    found = [Member("README.md", draw(sizes), draw(digests), "readme")]
    for role, path in draw(st.lists(st.tuples(st.sampled_from(sorted(_FOLDERS)), relative_paths), max_size=8)):
        member = Member(_FOLDERS[role] + path, draw(sizes), draw(digests), role)
        if path_fault(member.path) is None and set_fault([*found, member]) is None:
            found.append(member)
    return ordered(found)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Any manifest."""
    texts = st.text(string.printable, min_size=1, max_size=40)
    image = st.builds(ImageEntry, texts, texts, texts, digests, digests, st.integers(0, 1 << 50))
    facts = st.dictionaries(texts, st.one_of(st.integers(0, 1 << 50), texts), max_size=3)
    model = st.builds(ModelEntry, texts, st.none() | texts, st.none() | texts, st.integers(0, 1 << 50), facts)
    return Manifest(
        name=draw(names),
        version=draw(names),
        platform="linux/amd64",
        created=draw(st.integers(0, 4_000_000_000)),
        tool="0.1.0",
        members=draw(members()),
        images=tuple(draw(st.lists(image, max_size=2))),
        models=tuple(draw(st.lists(model, max_size=2))),
        stack=draw(st.none() | texts),
    )


@st.composite
def ingredients(draw: st.DrawFn) -> tuple[Ingredient, ...]:
    """Small members with their bytes, in the bundle's order."""
    found = [inline("README.md", draw(st.binary(max_size=700)), "readme")]
    for path in draw(st.lists(relative_paths, max_size=5, unique=True)):
        item = inline(f"models/{path}", draw(st.binary(max_size=9000)), "model")
        if path_fault(item.member.path) is None and set_fault([i.member for i in [*found, item]]) is None:
            found.append(item)
    by_path = {item.member.path: item for item in found}
    return tuple(by_path[member.path] for member in ordered(item.member for item in found))
