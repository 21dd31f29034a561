"""What belongs to others is left as it is: their files, their ports, their configuration of Nginx."""

from __future__ import annotations

import os
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.errors import EngineError, MachineError
from bundler.serving.nginx.render import MARK
from tests.counterparts.port import free_port
from tests.site.parts.host_nginx.stage import NEW, Said, Site, plain

FOREIGN = "# my own\nserver { listen 127.0.0.1:1; }\n"


@pytest.mark.parametrize("content", [FOREIGN, f"{MARK}. Changes by hand are lost.\n", "", "\x00\xff"])
@pytest.mark.parametrize("which", ["site", "rotation"])
def test_a_file_of_somebody_else_is_never_touched(site: Site, content: str, which: str) -> None:
    path = site.file if which == "site" else site.host.rotation
    path.write_bytes(content.encode("latin-1"))
    os.utime(path, ns=(1, 1))
    part = site.part()
    for verb in (part.prepare, part.start):
        with pytest.raises(MachineError, match="was not written by llm-bundle, and is left as it is") as caught:
            verb()
        assert str(path) in caught.value.hint
    part.stop()
    part.remove()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (content.encode("latin-1"), 1)


def test_a_link_of_somebody_else_is_never_followed(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "target"
    site.part().start()
    shutil.copy2(site.file, target)
    site.part().remove()
    site.file.symlink_to(target)
    with pytest.raises(MachineError, match="was not written by llm-bundle"):
        site.part().start()
    site.part().remove()
    assert site.file.is_symlink()
    assert target.read_text().startswith(MARK)


def test_a_file_that_somebody_edited_is_never_touched(site: Site) -> None:
    part = site.part()
    part.start()
    with site.file.open("a") as file:
        file.write("# tuned by hand\n")
    edited = site.file.read_bytes(), site.file.stat().st_mtime_ns
    for verb in (part.prepare, part.start, part.stop, part.remove, site.part(NEW).prepare, site.part(NEW).start):
        with pytest.raises(MachineError, match="was edited after llm-bundle wrote it"):
            verb()
    site.part(NEW).stop()
    assert (site.file.read_bytes(), site.file.stat().st_mtime_ns) == edited
    state = part.state()
    assert (state.healthy, state.detail) == (True, f"{site.file} was edited")
    site.file.rename(site.host.folder / "kept")
    part.start()
    assert site.serves()


def test_a_broken_configuration_of_somebody_else_is_told_before_anything_changes(site: Site) -> None:
    (site.host.conf_d / "theirs.conf").write_text("server { nonsense; }\n")
    before = site.host.others()
    with pytest.raises(EngineError, match=r"the host's Nginx is broken without us: .*nonsense") as caught:
        site.part().prepare()
    assert "Mend that first" in caught.value.hint
    with pytest.raises(EngineError, match="nonsense"):
        site.part().start()
    assert site.host.others() == before
    assert not site.file.exists()


def test_a_port_that_is_taken_before(site: Site) -> None:
    part = site.part()
    part.prepare()
    with socket.create_server(("127.0.0.1", site.settings.https_port)):
        with pytest.raises(EngineError, match=f"port {site.settings.https_port} is taken by another program") as caught:
            part.start()
        assert "ss -ltnp" in caught.value.hint
        assert not site.file.exists()
    part.start()
    assert site.serves()


def test_a_port_that_is_taken_between_look_and_reload(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nginx says nothing of it but in its error log; the old text comes back and serves."""
    old = site.part()
    old.start()
    other = free_port()
    site.settings = replace(site.settings, https_port=other)
    monkeypatch.setattr("bundler.site.nginx.program._PATIENCE", 2.0)
    monkeypatch.setattr("bundler.site.parts.host_nginx.taken", lambda *_: None)
    text = site.file.read_bytes()
    with socket.create_server(("127.0.0.1", other)), pytest.raises(EngineError, match="did not take its new") as caught:
        site.part(NEW).start()
    assert "error log" in caught.value.hint
    assert site.file.read_bytes() == text
    assert old.state().healthy


def test_nginx_cannot_start_on_a_taken_port(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bundler.site.parts.host_nginx.taken", lambda *_: None)
    with (
        socket.create_server(("127.0.0.1", site.settings.https_port)),
        pytest.raises(EngineError, match=r"bind\(\) to 127.0.0.1:.* failed"),
    ):
        site.part().start()
    assert not site.file.exists()


def test_the_default_server_of_another_site_stays_so(site: Site) -> None:
    port = site.settings.http_port
    theirs = site.host.folder / "sites-enabled" / "default"
    theirs.write_text(f'server {{ listen 127.0.0.1:{port} default_server; return 200 "theirs"; }}\n')
    said = Said()
    site.part().prepare(said)
    assert said.lines == [
        f"warning: another site of this Nginx answers for unknown names on port {port} ({theirs}); that stays so"
    ]
    site.part().start()
    assert site.serves()
    assert plain(port or 0, "unknown.example") == b"theirs"
