"""Bad input on disks and media: names that are taken, no permission, no space, files that are no bundles."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

from tests.cli.bench import TOP, Bench, Case, occupy


def _after(build: Callable[[Bench], None], command: str) -> Callable[[Bench], str]:
    """Build, damage something, and then call ``command``."""

    def prepare(bench: Bench) -> str:
        bench.built()
        build(bench)
        return command

    return prepare


def _nothing(bench: Bench) -> None:
    """The bundle is left as it is."""


def _name_taken(bench: Bench) -> str:
    bench.locked()
    occupy(bench.folder / f"{TOP}.tar")
    return "build --force"


def _output_is_file(bench: Bench) -> str:
    bench.locked()
    return "build --output bundle.yml"


def _no_permission(bench: Bench) -> str:
    """A folder of the kernel's: not even root writes there."""
    bench.locked()
    return "build --output /proc/1"


def _no_space(bench: Bench) -> str:
    bench.locked()
    usage = shutil.disk_usage(bench.folder)
    bench.patch.setattr("bundler.disk.shutil.disk_usage", lambda path: usage._replace(free=1000))
    return "build"


def _no_space_at_the_site(bench: Bench) -> str:
    bench.built()
    _no_space(bench)
    return f"unpack {TOP}.tar site"


def _truncate(bench: Bench) -> None:
    path = bench.folder / f"{TOP}.tar"
    os.truncate(path, path.stat().st_size // 2)


def _short(bench: Bench) -> None:
    os.truncate(bench.folder / f"{TOP}.tar", 700)


def _damage_sums(bench: Bench) -> None:
    path = bench.folder / f"{TOP}.tar"
    data = bytearray(path.read_bytes())
    data[data.index(b"  README.md\n") - 3] ^= 1
    path.write_bytes(data)


def _taken(bench: Bench) -> None:
    (bench.folder / "site" / TOP).mkdir(parents=True)


def _no_start(bench: Bench) -> None:
    bench.call("build", "-q", "--force", "--volume-size", "1MiB")
    (bench.folder / f"{TOP}.tar.001").rename(bench.folder / f"{TOP}.tar.002")
    (bench.folder / f"{TOP}.tar").unlink()


def _empty_folder(bench: Bench) -> str:
    (bench.folder / "empty").mkdir()
    return "verify empty"


def _inspect_empty_folder(bench: Bench) -> str:
    return _empty_folder(bench).replace("verify", "inspect")


def _as(command: str) -> Callable[[Bench], str]:
    return lambda bench: command


def _json_file(bench: Bench) -> str:
    (bench.folder / "manifest.json").write_text('{"format": "other/1"}')
    return "inspect manifest.json"


LONG = "a" * 300

CASES = (
    Case("bundle is there", _after(_nothing, "build"), 6, f"{TOP}.tar: is there already", "--force"),
    Case("name taken by a folder", _name_taken, 6, f"{TOP}.tar: is a folder", "--output"),
    Case("output is a file", _output_is_file, 6, "bundle.yml", "choose another folder"),
    Case("output not writable", _no_permission, 6, "/proc/1", "folder"),
    Case("no space for a build", _no_space, 6, "are needed, 1.0 kB are free", "Free some space"),
    Case("no space to unpack", _no_space_at_the_site, 6, "site: ", "Free some space"),
    Case("verify a text file", _as("verify bundle.yml"), 5, "bundle.yml: no header of a bundle", "`file`"),
    Case("name too long to verify", _as(f"verify {LONG}.tar"), 6, "cannot look at: File name too long", "shorter name"),
    Case("name too long to inspect", _as(f"inspect {LONG}"), 6, "cannot look at: File name too long", "shorter name"),
    Case("name too long for init", _as(f"init mistral -o {LONG}"), 6, "File name too long", "shorter name"),
    Case("verify nothing", _as("verify x.tar"), 6, "x.tar: there is no such file", "Check"),
    Case("verify a device", _as("verify /dev/null"), 6, "/dev/null: is not a regular file", "Name the .tar"),
    Case("verify a folder", _empty_folder, 5, "SHA256SUMS: is not there", "folder"),
    Case("inspect a folder", _inspect_empty_folder, 5, "SHA256SUMS: is not there", "folder"),
    Case("inspect other JSON", _json_file, 5, "manifest.json: format", "another llm-bundle"),
    Case("two bundles for one", _after(_nothing, f"verify {TOP}.tar bundle.yml"), 2, "expected one bundle", "volumes"),
    Case("first volume missing", _after(_no_start, f"verify {TOP}.tar.002"), 5, f"{TOP}.tar.001", ".sha256"),
    Case("unpack: not even its sums", _after(_short, f"unpack {TOP}.tar site"), 5, f"{TOP}.tar: ends at byte", "whole"),
    Case("unpack: damaged sums", _after(_damage_sums, f"unpack {TOP}.tar site"), 5, "SHA256SUMS", "again"),
    Case("unpack onto a taken name", _after(_taken, f"unpack {TOP}.tar site"), 6, f"site/{TOP}: is there", "Remove it"),
    Case("unpack into a file", _after(_nothing, f"unpack {TOP}.tar bundle.yml"), 6, "bundle.yml: ", "folder"),
)

# Found by a check: a report and its exit code instead of an error; what the report must name.
REPORTS = (
    Case("truncated", _after(_truncate, f"verify {TOP}.tar"), 5, "truncated", ""),
    Case("unpack a truncated one", _after(_truncate, f"unpack {TOP}.tar site"), 5, "truncated", ""),
)
