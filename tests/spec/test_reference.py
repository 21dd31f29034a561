"""Image references, beside the table of distribution/reference's own tests."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.digest import Digest
from bundler.spec.model import ArchiveImage, LayoutImage, RegistryImage
from bundler.spec.reference import ReferenceProblem, parse_image, parse_reference

HEX = "0123456789abcdef" * 4

GOOD = [
    ("nginx", "docker.io/library/nginx:latest"),
    ("nginx:1.29-alpine", "docker.io/library/nginx:1.29-alpine"),
    ("vllm/vllm-openai:v0.9.1", "docker.io/vllm/vllm-openai:v0.9.1"),
    ("docker.io/nginx", "docker.io/library/nginx:latest"),
    ("index.docker.io/vllm/x", "docker.io/vllm/x:latest"),
    ("localhost/x", "localhost/x:latest"),
    ("localhost:5000/x:tag", "localhost:5000/x:tag"),
    ("registry.example/a/b/c", "registry.example/a/b/c:latest"),
    (f"registry.example/x@sha256:{HEX}", f"registry.example/x@sha256:{HEX}"),
    (f"x:1@sha256:{HEX}", f"docker.io/library/x:1@sha256:{HEX}"),
    ("HOST/x", "HOST/x:latest"),
    ("[2001:db8::1]:5000/x", "[2001:db8::1]:5000/x:latest"),
    ("a__b/c--d.e_f", "docker.io/a__b/c--d.e_f:latest"),
    ("oci", "docker.io/library/oci:latest"),
]

BAD = [
    ("", "expected [registry/]repository"),
    ("a///b", "expected [registry/]repository"),
    ("-a/b", "expected [registry/]repository"),
    ("a._b", "expected [registry/]repository"),
    ("a/b c", "expected [registry/]repository"),
    ("NGINX", "lower case"),
    ("registry.example/Nginx", "lower case"),
    ("x:", "expected a tag"),
    ("x:-a", "expected a tag"),
    ("x:" + "a" * 129, "expected a tag"),
    ("x@sha256:abc", "expected a digest"),
    (f"x@sha256:{HEX.upper()}", "expected a digest"),
    (f"x@sha512:{HEX}{HEX}", "expected a digest"),
    ("x@", "expected a digest"),
    (f"x@sha256:{HEX}@sha256:{HEX}", "expected a digest"),
    (HEX, "image id"),
    ("x/" + "a" * 256, "at most 255"),
    ("http://registry.example/x", "without http://"),
    ("docker://x", "without docker://"),
    ("docker-daemon:x:y", "expected a tag"),
    ("oci:", "expected a path"),
    ("oci:path:a b", "expected oci:PATH[:TAG]"),
    ("docker-archive:", "expected a path"),
    ("docker-archive:p:nginx", "expected docker-archive:PATH[:NAME:TAG]"),
    (f"docker-archive:p:x:1@sha256:{HEX}", "expected docker-archive:PATH[:NAME:TAG]"),
    ("registry_example.com/x", "expected a registry"),
]


@pytest.mark.parametrize(("text", "name"), GOOD)
def test_good_references(text: str, name: str) -> None:
    image = parse_image(text)
    assert isinstance(image, RegistryImage)
    assert (image.name, image.written) == (name, text)


@pytest.mark.parametrize(("text", "words"), BAD)
def test_bad_references(text: str, words: str) -> None:
    with pytest.raises(ReferenceProblem) as caught:
        parse_image(text)
    assert words in str(caught.value)


def test_parts_of_a_reference() -> None:
    image = parse_reference(f"localhost:5000/team/x:tag@sha256:{HEX}")
    assert (image.registry, image.repository, image.tag) == ("localhost:5000", "team/x", "tag")
    assert image.digest == Digest(HEX)


def test_local_images() -> None:
    assert parse_image("oci:a/b") == LayoutImage("a/b", None, "oci:a/b")
    assert parse_image("oci:a/b.tar:v1") == LayoutImage("a/b.tar", "v1", "oci:a/b.tar:v1")
    assert parse_image("oci:a:docker.io/x/y:1") == LayoutImage("a", "docker.io/x/y:1", "oci:a:docker.io/x/y:1")
    assert parse_image("docker-archive:a.tar") == ArchiveImage("a.tar", None, "docker-archive:a.tar")
    written = "docker-archive:a.tar:team/x:1"
    assert parse_image(written) == ArchiveImage("a.tar", "team/x:1", written)


def test_password_is_not_repeated() -> None:
    with pytest.raises(ReferenceProblem) as caught:
        parse_image("user:topsecret@registry.example/x")
    assert "topsecret" not in str(caught.value) + caught.value.hint


@given(st.sampled_from([text for text, _ in GOOD]))
@settings(deadline=None)
def test_the_full_name_means_the_same(text: str) -> None:
    name = parse_reference(text).name
    assert parse_reference(name).name == name


@given(st.text(alphabet="aZ0:/@.-_[] sha256docker", max_size=60))
@settings(deadline=None)
def test_nothing_but_a_problem_is_raised(text: str) -> None:
    try:
        image = parse_image(text)
    except ReferenceProblem as problem:
        assert str(problem)
    else:
        assert image.written == text
