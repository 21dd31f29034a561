"""The file on disk: whole or as it was, with mode and owner kept, a backup beside it, and nobody else's change lost."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from preconfigured import Settings
from preconfigured.errors import KibanaYmlError, MachineError
from preconfigured.merge import Edited, FileEdit, apply, edit_file, remove
from tests.preconfigured.wishes import VLLM, stack

SECRET = "hunter2-of-the-file"
OLD = f'server.port: 5601\nelasticsearch.password: "{SECRET}"\n#xpack.encryptionKey: {SECRET}\n'


def put(path: Path, *, write: bool = True) -> FileEdit:
    return edit_file(path, change, write=write)


def change(text: str, where: str) -> Edited:
    return apply(text, [VLLM], Settings(), stack(), where=where)


@pytest.fixture
def kibana_yml(tmp_path: Path) -> Path:
    path = tmp_path / "etc" / "kibana.yml"
    path.parent.mkdir()
    path.write_text(OLD)
    path.chmod(0o640)
    return path


def left(path: Path) -> list[str]:
    return sorted(found.name for found in path.parent.iterdir())


def test_it_is_changed_with_a_backup_beside_it(kibana_yml: Path) -> None:
    done = put(kibana_yml)
    assert done.changed
    assert done.backup
    assert done.backup.read_text() == OLD
    assert kibana_yml.read_text().startswith(OLD)
    for path in (kibana_yml, done.backup):
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert left(kibana_yml) == ["kibana.yml", done.backup.name]
    again = put(kibana_yml)
    assert not again.changed
    assert again.diff == ""
    assert again.backup is None
    out = edit_file(kibana_yml, lambda text, where: remove(text, VLLM.id, where=where))
    assert out.backup
    assert out.backup != done.backup, "a second backup in the same second takes another name"
    assert kibana_yml.read_text() == OLD


def test_the_diff_shows_the_change_and_no_secret(kibana_yml: Path) -> None:
    done = put(kibana_yml, write=False)
    assert done.changed
    assert "+xpack.actions.preconfigured.vllm-mistral-small:\n" in done.diff
    assert " elasticsearch.password: ********\n" in done.diff
    assert SECRET not in done.diff
    assert kibana_yml.read_text() == OLD
    assert left(kibana_yml) == ["kibana.yml"]


@pytest.mark.parametrize(
    "line",
    [
        f"xpack.security.encryptionKey: {SECRET}",
        f"  secrets: {{apiKey: {SECRET}}}",
        f"  a: {{name: x, secrets: {{apiKey: '{SECRET}'}}}}",
        f"    'apiKey': {SECRET}",
        f"# elasticsearch.serviceAccountToken: {SECRET}",
        f"    certificateData: {SECRET}",
        f"server.ssl.keystore.password : {SECRET}",
    ],
)
def test_secrets_are_masked_however_they_are_written(kibana_yml: Path, line: str) -> None:
    kibana_yml.write_text(f"a:\n{line}\n" if line[0] == " " else f"{line}\n")
    done = put(kibana_yml, write=False)
    assert SECRET not in done.diff
    assert "********" in done.diff


def test_bytes_outside_are_kept(kibana_yml: Path) -> None:
    data = b"\xef\xbb\xbf# caf\xc3\xa9\r\nserver.port: 5601\r\n\r\n# end"
    kibana_yml.write_bytes(data)
    put(kibana_yml)
    assert kibana_yml.read_bytes().startswith(data)
    assert b"\n" not in kibana_yml.read_bytes().replace(b"\r\n", b"")
    edit_file(kibana_yml, lambda text, where: remove(text, VLLM.id, where=where))
    assert kibana_yml.read_bytes() == data


def test_owner_and_attributes_are_kept(kibana_yml: Path) -> None:
    if os.geteuid() == 0:
        os.chown(kibana_yml, 12345, 54321)
    try:
        os.setxattr(kibana_yml, "user.origin", b"site")
    except OSError as error:
        pytest.skip(f"run it on a file system with user attributes: {error}")
    before = kibana_yml.stat()
    put(kibana_yml)
    after = kibana_yml.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    assert os.getxattr(kibana_yml, "user.origin") == b"site"


def test_links_are_refused_by_name(kibana_yml: Path) -> None:
    link = kibana_yml.with_name("link.yml")
    link.symlink_to("kibana.yml")
    with pytest.raises(KibanaYmlError, match=r"is a link to kibana\.yml") as error:
        put(link)
    assert str(kibana_yml) in error.value.hint
    link.unlink()
    os.link(kibana_yml, link)
    with pytest.raises(KibanaYmlError, match="has 2 names, and the others would keep the old text"):
        put(kibana_yml)


def test_what_is_no_file(kibana_yml: Path) -> None:
    with pytest.raises(MachineError, match="cannot read it: No such file") as error:
        put(kibana_yml.with_name("none.yml"))
    assert error.value.hint
    assert error.value.exit_code == 6
    with pytest.raises(KibanaYmlError, match="is no plain file"):
        put(kibana_yml.parent)
    os.mkfifo(fifo := kibana_yml.with_name("fifo"))
    with pytest.raises(KibanaYmlError, match="is no plain file"):
        put(fifo)


def test_somebody_else_was_faster(kibana_yml: Path) -> None:
    def meanwhile(text: str, where: str) -> Edited:
        kibana_yml.write_text(OLD + "# theirs\n")
        return change(text, where)

    with pytest.raises(KibanaYmlError, match="somebody else changed it in the meantime"):
        edit_file(kibana_yml, meanwhile)
    assert kibana_yml.read_text() == OLD + "# theirs\n"
    assert left(kibana_yml) == ["kibana.yml"]


def test_another_one_of_us_is_at_it(kibana_yml: Path) -> None:
    folder = os.open(kibana_yml.parent, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        with pytest.raises(KibanaYmlError, match="another llm-bundle is writing in that folder"):
            put(kibana_yml)
    finally:
        os.close(folder)
    assert put(kibana_yml).changed


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Root may write anywhere, so give that up for the test's length."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_no_permission_is_a_sentence(kibana_yml: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_uid == os.geteuid() and path != Path("/"):
            path.chmod(stat.S_IMODE(path.stat().st_mode) | 0o055)
    kibana_yml.chmod(0o644)
    kibana_yml.parent.chmod(0o555)
    request.getfixturevalue("unprivileged")
    with pytest.raises(MachineError, match="cannot write it: Permission denied") as error:
        put(kibana_yml)
    assert "root" in error.value.hint
    assert left(kibana_yml) == ["kibana.yml"]
    assert kibana_yml.read_text() == OLD


@pytest.mark.parametrize(
    ("number", "match", "hint"),
    [
        (errno.ENOSPC, "No space left", "as it was"),
        (errno.EROFS, "Read-only", "mounted read-only"),
        (errno.EBUSY, "busy", "on the host"),
    ],
)
def test_a_disk_that_refuses(
    kibana_yml: Path, monkeypatch: pytest.MonkeyPatch, number: int, match: str, hint: str
) -> None:
    """Whichever call fails, the file is as it was and nothing lies beside it."""
    for name in ("fsync", "fchmod", "rename", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, lambda *_a, **_k: (_ for _ in ()).throw(OSError(number, os.strerror(number))))
            try:
                put(kibana_yml)
            except MachineError as error:
                assert match in error.message
                assert hint in error.hint
                assert left(kibana_yml) == ["kibana.yml"]
                assert kibana_yml.read_text() == OLD
            else:
                assert name == "rename", "pathlib replaces by os.replace"
                edit_file(kibana_yml, lambda text, where: remove(text, VLLM.id, where=where))
                for backup in kibana_yml.parent.glob("*.bak"):
                    backup.unlink()


def test_a_file_without_room_is_as_it_was(tmp_path: Path, kibana_yml: Path) -> None:
    """A limit on the size of files stands for a full disk: the kernel itself refuses the bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, limits[1]))
    try:
        with pytest.raises(MachineError, match="cannot write it: File too large"):
            put(kibana_yml)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert kibana_yml.read_text() == OLD
    assert left(kibana_yml) == ["kibana.yml"]
