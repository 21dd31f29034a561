"""Hypothesis strategies for locks: any that ``encode`` can be given, not only sensible ones."""

from __future__ import annotations

from dataclasses import fields

from hypothesis import strategies as st

from bundler.lock.model import KINDS, Lock, LockedFile, LockedImage, LockedModel, LockedTool
from bundler.models.facts import ModelFacts
from bundler.sources.image import Blob
from tests.layout.strategies import digests, relative_paths

characters = st.characters(exclude_categories=["Cs"])
texts = st.text(characters, min_size=1, max_size=40)
sizes = st.one_of(st.integers(0, 10_000), st.integers(0, 1 << 53))
blobs = st.builds(Blob, texts, digests, sizes)
files = st.builds(LockedFile, relative_paths, sizes, digests)
rows = st.lists(files, max_size=3).map(tuple)
facts = st.builds(
    ModelFacts,
    **{
        field.name: st.none() | (texts if "str" in str(field.type) else sizes)
        for field in fields(ModelFacts)
        if field.name != "weights_bytes"
    },
    weights_bytes=sizes,
)
images = st.builds(
    LockedImage,
    role=texts,
    written=texts,
    name=texts,
    platform=texts,
    source_digest=digests,
    manifest=st.text(characters, min_size=1, max_size=200),
    config=blobs,
    layers=st.lists(blobs, max_size=3).map(tuple),
)
models = st.builds(
    LockedModel,
    id=texts,
    kind=st.sampled_from(KINDS),
    commit=st.none() | texts,
    license=st.none() | texts,
    files=rows,
    facts=facts,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), 1 << 63) | st.text(characters, max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(characters, max_size=8), inner, max_size=3),
    max_leaves=8,
)
locks = st.builds(
    Lock,
    tool=texts,
    created=st.integers(0, 1 << 35),
    request=st.dictionaries(st.text(characters, max_size=8), json_values, max_size=4),
    images=st.lists(images, max_size=2).map(tuple),
    models=st.lists(models, max_size=2).map(tuple),
    extras=rows,
    rendered=rows,
    elastic=rows,
    site_tool=st.builds(LockedTool, sizes, digests, st.fixed_dictionaries({"pex": texts}, optional={"click": texts})),
)
