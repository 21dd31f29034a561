"""The index of a tar archive, against archives of real tools and against hostile ones."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.errors import BundleError, IntegrityError, SourceError
from bundler.sources import archive as archive_module
from bundler.sources.archive import Archive, index_archive
from tests.counterparts.need import need
from tests.sources.tars import END, entry, header, pax


def _index(tmp_path: Path, data: bytes) -> Archive:
    path = tmp_path / "image.tar"
    path.write_bytes(data)
    return index_archive(path)


@pytest.mark.parametrize("form", ["gnu", "pax", "ustar"])
def test_reads_what_gnu_tar_wrote(tmp_path: Path, form: str) -> None:
    tree = tmp_path / "tree"
    deep = tree / ("d" * 90) / "sub"
    deep.mkdir(parents=True)
    (tree / "a").write_bytes(b"hello")
    (deep / "file").write_bytes(b"deep" * 1000)
    (deep / "link").symlink_to("../../a")
    os.link(tree / "a", tree / "b")
    path = tmp_path / "x.tar"
    subprocess.run([need("tar", "tar"), "-C", tree, f"--format={form}", "-cf", path, "."], check=True)
    index = index_archive(path)
    names = ["a", "b", f"{'d' * 90}/sub/file"]
    wanted = {"a": b"hello", "b": b"hello", names[2]: b"deep" * 1000}
    assert {name: index.read(name, 10_000) for name in names} == wanted
    assert len(index.files) == 2 and len(index.links) == 2
    linked = index.links[f"{'d' * 90}/sub/link"]
    assert linked == "a"


def test_reads_long_names_and_sizes_of_tarfile(tmp_path: Path) -> None:
    name = "x" * 120 + "/" + "y" * 150
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        path = tmp_path / "x.tar"
        with tarfile.open(path, "w", format=form) as tar:
            info = tarfile.TarInfo(name)
            info.size = 3
            tar.addfile(info, io.BytesIO(b"abc"))
        assert index_archive(path).read(name, 3) == b"abc"


def test_a_size_beyond_octal_is_read_and_the_missing_data_noticed(tmp_path: Path) -> None:
    big = header("big", size_field=b"\x80" + (20 << 30).to_bytes(11, "big"))
    with pytest.raises(IntegrityError, match=r"cut off.*'big' ends at byte 21474836992"):
        _index(tmp_path, big + END)


def test_a_sparse_file_on_disk_with_a_huge_entry_is_indexed_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "big.tar"
    path.write_bytes(header("big", size_field=b"\x80" + (20 << 30).to_bytes(11, "big")))
    with path.open("r+b") as file:
        file.seek(512 + (20 << 30))
        file.write(entry("after", b"here") + END)
    index = index_archive(path)
    assert index.files["big"].size == 20 << 30
    assert index.read("after", 10) == b"here"
    with pytest.raises(SourceError, match="expected at most 100 bytes, found 21474836480"):
        index.read("big", 100)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(entry("../evil", b"x"), "'../evil' leads out of the archive", id="dot-dot"),
        pytest.param(entry("a/../../b", b"x"), "leads out", id="dot-dot-inside"),
        pytest.param(entry("/etc/passwd", b"x"), "'/etc/passwd' leads out", id="absolute"),
        pytest.param(pax(path="../evil") + entry("fine", b"x"), "'../evil' leads out", id="pax-path"),
        pytest.param(entry("a", b"../e\0", b"L") + entry("fine"), "'../e' leads out", id="gnu-long-name"),
        pytest.param(entry("a/l", kind=b"2", target="../../b"), "link 'a/l' leads out", id="link-out"),
        pytest.param(entry("l", kind=b"2", target="/etc/shadow"), "link 'l' leads out", id="link-absolute"),
        pytest.param(entry("l", kind=b"1", target="../b"), "link 'l' leads out", id="hard-link-out"),
        pytest.param(entry("null", kind=b"3"), "'null' is a device", id="character-device"),
        pytest.param(entry("sda", kind=b"4"), "'sda' is a device", id="block-device"),
        pytest.param(entry("fifo", kind=b"6"), "'fifo' is a pipe", id="pipe"),
        pytest.param(entry("holes", kind=b"S"), "'holes' is a sparse file", id="gnu-sparse"),
        pytest.param(pax(GNU__sparse__size="9") + entry("holes", b"x"), "is a sparse file", id="pax-sparse"),
        pytest.param(entry("odd", kind=b"Z"), "unknown type b'Z'", id="unknown-type"),
        pytest.param(entry("a", b"1") + entry("./a", b"2"), "two entries of the name 'a'", id="duplicate"),
        pytest.param(entry("a", b"1") + entry("a", kind=b"2", target="b"), "two entries", id="file-then-link"),
        pytest.param(entry(b"\xff\xfe", b"x"), "not UTF-8", id="not-utf-8"),
        pytest.param(entry("a\nb", b"x"), "control characters", id="newline"),
        pytest.param(header("neg", size_field=b"\xff" * 12), "out of range", id="negative-size"),
        pytest.param(header("x", size_field=b"\x80" + b"\xff" * 11), "out of range", id="astronomic-size"),
        pytest.param(pax(size="-5") + entry("x", b"x"), "size of an entry is '-5'", id="pax-negative"),
        pytest.param(pax(size="9" * 30) + entry("x", b"x"), "size of an entry", id="pax-astronomic"),
        pytest.param(header("h", 1 << 20, b"x") + bytes(1 << 20), "1048576 bytes; at most 65536", id="big-pax"),
        pytest.param(entry("h", b"13 path=evil\n", b"g") + entry("x"), "global header", id="global-path"),
        pytest.param(b"\x89PNG" + bytes(2000), "this is no tar archive", id="png"),
        pytest.param(b'{"layers": []}' * 100, "this is no tar archive", id="json"),
    ],
)
def test_refuses(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(SourceError, match=words) as caught:
        _index(tmp_path, data + END)
    assert str(tmp_path / "image.tar") in caught.value.message and caught.value.hint


@pytest.mark.parametrize("record", [b"5 a=b", b"0 a=b\n", b"99 path=x\n", b"path=x\n", b"3 \n", b"7 path=x\n"])
def test_refuses_malformed_pax_records(tmp_path: Path, record: bytes) -> None:
    with pytest.raises(IntegrityError, match="malformed extended header"):
        _index(tmp_path, entry("a", b"1") + entry("h", record, b"x") + entry("x", b"x") + END)


def test_the_end_must_be_there(tmp_path: Path) -> None:
    whole = entry("a", b"x" * 600) + entry("b", b"y")
    for cut in (0, 1, 511, 512, 600, 1535, 1536, 1600, 2048, len(whole)):
        with pytest.raises(IntegrityError, match="cut off"):
            _index(tmp_path, whole[:cut])
    assert set(_index(tmp_path, whole + END).files) == {"a", "b"}


def test_a_damaged_header_in_the_middle_is_no_end(tmp_path: Path) -> None:
    data = bytearray(entry("a", b"x") + entry("b", b"y") + END)
    data[1024] ^= 0x20
    with pytest.raises(IntegrityError, match="damaged near byte 1024: a header with a wrong checksum"):
        _index(tmp_path, bytes(data))


def test_too_many_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "MAX_ENTRIES", 10)
    assert len(_index(tmp_path, b"".join(entry(f"{i}") for i in range(9)) + END).files) == 9
    with pytest.raises(SourceError, match="more than 10 entries"):
        _index(tmp_path, b"".join(entry(f"{i}") for i in range(11)) + END)


def test_an_extended_header_is_for_one_entry_and_links_have_no_data(tmp_path: Path) -> None:
    data = pax(path="long") + entry("short", b"1") + entry("next", b"2")
    data += header("link", 600, b"1", "long") + entry("last", b"3")
    index = _index(tmp_path, data + END)
    assert {name: index.read(name, 9) for name in index.files} == {"long": b"1", "next": b"2", "last": b"3"}
    assert index.read("link", 9) == b"1"


def test_links_are_followed_once_and_inside_only(tmp_path: Path) -> None:
    index = _index(
        tmp_path,
        entry("one/layer.tar", b"data")
        + entry("two/layer.tar", kind=b"2", target="../one/layer.tar")
        + entry("hard", kind=b"1", target="one/layer.tar")
        + entry("far", kind=b"2", target="two/layer.tar")
        + entry("loop", kind=b"2", target="loop")
        + END,
    )
    assert index.read("two/layer.tar", 10) == b"data" == index.read("hard", 10)
    assert index.find("nowhere") is None
    for name in ("far", "loop"):
        with pytest.raises(SourceError, match=f"{name!r} is a link to .* no file of the archive"):
            index.find(name)


@pytest.mark.parametrize(
    ("magic", "words", "command"),
    [
        (gzip.compress(END), "gzip", "gunzip -k"),
        (b"\x28\xb5\x2f\xfd0000", "zstd", "unzstd"),
        (b"\xfd7zXZ\x00\x00\x00", "xz", "unxz"),
        (b"BZh91AY&SY", "bzip2", "bunzip2"),
    ],
)
def test_compressed_archives_are_refused_with_the_command(
    tmp_path: Path, magic: bytes, words: str, command: str
) -> None:
    with pytest.raises(SourceError, match=f"compressed with {words}") as caught:
        _index(tmp_path, magic)
    assert command in caught.value.hint


def test_missing_folder_and_loop(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"gone\.tar: no such file"):
        index_archive(tmp_path / "gone.tar")
    with pytest.raises(SourceError, match="expected a plain file"):
        index_archive(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(SourceError, match="loop"):
        index_archive(tmp_path / "loop")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_flipped_byte_gives_an_error_of_ours_or_an_index(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = bytearray(pax(path="p" * 130) + entry("a", b"x" * 20) + entry("l", kind=b"2", target="a") + END)
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        _index(tmp_path_factory.getbasetemp(), bytes(whole))
    except BundleError as error:
        assert error.message and error.__class__ in (SourceError, IntegrityError)
