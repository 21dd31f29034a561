"""Rules that tie the package's manifest to the rest of the package."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from kibana_assets.package.streams import read_manifest, streams
from kibana_assets.package.tree import Tree
from tests.package.format.finding import Finding

NEEDED = ("manifest.yml", "changelog.yml", "docs/README.md", "LICENSE.txt")
# Format 3.4 installs on 8.19, 9.1 and newer (reference/package.md).
OLDEST = {8: 19, 9: 1}
PREVIEW = re.compile(r"next|SNAPSHOT|(beta|rc|preview)([0-9.-][0-9A-Za-z.-]*)?")


def what_a_package_needs_is_there(tree: Tree) -> Iterator[Finding]:
    for path in NEEDED:
        if path not in tree.files:
            yield Finding(path, "nothing", "this file")


def the_newest_change_is_of_this_version(tree: Tree) -> Iterator[Finding]:
    versions = [str(entry["version"]) for entry in tree.yaml("changelog.yml")]
    version = read_manifest(tree)["version"]
    if versions[0] != version:
        yield Finding("changelog.yml: [0].version", versions[0], f"{version}, as in manifest.yml")
    ordered = sorted(versions, key=lambda one: [int(part) for part in re.findall(r"\d+", one)], reverse=True)
    if versions != ordered:
        yield Finding("changelog.yml", ", ".join(versions), "the newest first")


def versions_are_as_the_format_wants_them(tree: Tree) -> Iterator[Finding]:
    """No version twice; before 1.0.0 every version is a preview, and from then on a preview has one of five names."""
    versions = [str(entry["version"]) for entry in tree.yaml("changelog.yml")]
    for version in sorted({one for one in versions if versions.count(one) > 1}):
        yield Finding("changelog.yml", f"{version} twice", "each version once")
    version, _, preview = str(read_manifest(tree)["version"]).partition("-")
    if preview and (version.startswith("0.") or not PREVIEW.fullmatch(preview)):
        yield Finding("manifest.yml: version", f"-{preview}", "-beta1, -rc1, -preview1, -next or -SNAPSHOT after 1.0.0")


def links_to_github_are_to_issues(tree: Tree) -> Iterator[Finding]:
    for entry in tree.yaml("changelog.yml"):
        for change in entry["changes"]:
            if "github.com" in urlsplit(change["link"]).netloc and not re.search(r"/[1-9]\d*$", change["link"]):
                yield Finding(f"changelog.yml: {entry['version']}", change["link"], "a link that ends in a number")


def images_are_there(tree: Tree) -> Iterator[Finding]:
    manifest = read_manifest(tree)
    for image in (*manifest.get("icons", ()), *manifest.get("screenshots", ())):
        if image["src"].lstrip("/") not in tree.files:
            yield Finding(f"manifest.yml: {image['src']}", "no such file", "an image below img/")


def an_icon_runs_nothing(tree: Tree) -> Iterator[Finding]:
    for path in tree.paths("img", ".svg"):
        if re.search(r"<script|href|on\w+=|<!ENTITY|url\(", tree.text(path), re.IGNORECASE):
            yield Finding(path, "a script or a reference", "a drawing alone")


def kibana_is_one_that_knows_the_format(tree: Tree) -> Iterator[Finding]:
    wanted = read_manifest(tree)["conditions"]["kibana"]["version"]
    for major, minor in re.findall(r"\^(\d+)\.(\d+)", wanted):
        if int(minor) < OLDEST.get(int(major), 0):
            yield Finding("manifest.yml: conditions.kibana.version", wanted, f"at least {major}.{OLDEST[int(major)]}")


def inputs_and_streams_name_each_other(tree: Tree) -> Iterator[Finding]:
    offered = {one["type"] for template in read_manifest(tree)["policy_templates"] for one in template["inputs"]}
    used = {one["input"]: stream.path for stream in streams(tree) for one in stream.manifest["streams"]}
    for name in sorted(set(used) - offered):
        yield Finding(f"{used[name]}/manifest.yml", f"input {name}", "one that a policy template of manifest.yml has")
    for name in sorted(offered - set(used)):
        yield Finding("manifest.yml: policy_templates", f"input {name}", "one that a data stream uses")


RULES = (
    what_a_package_needs_is_there,
    the_newest_change_is_of_this_version,
    versions_are_as_the_format_wants_them,
    links_to_github_are_to_issues,
    images_are_there,
    an_icon_runs_nothing,
    kibana_is_one_that_knows_the_format,
    inputs_and_streams_name_each_other,
)
