"""Changing what the host's Nginx serves: tried first, and taken back when Nginx does not take it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bundler.disk import guarded
from bundler.errors import BundleError, EngineError
from bundler.serving.nginx.render import SITE
from bundler.site.nginx.program import HostNginx
from bundler.site.nginx.seal import Found, put

_TEMPORARY: Final = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def require_sound(nginx: HostNginx) -> None:
    """Raises: EngineError when Nginx's configuration is broken before anything of ours is in it."""
    try:
        nginx.test()
    except EngineError as error:
        hint = "Mend that first: nginx -t. Nothing was changed."
        raise EngineError(f"the host's Nginx is broken without us: {error.message}", hint=hint) from error


def try_alone(nginx: HostNginx, beside: Path, text: str) -> None:
    """Test ``text`` in a configuration that holds nothing else; ``beside`` is a folder to work in.

    Raises: EngineError when Nginx, or what the text includes, is not fit for it; MachineError.
    """
    with guarded(beside, "write"), TemporaryDirectory(prefix=".nginx-", dir=beside) as name:
        folder = Path(name).absolute()
        (folder / SITE).write_text(text, encoding="utf-8")
        temporary = " ".join(f'{kind}_temp_path "{folder}/{kind}";' for kind in _TEMPORARY)
        lines = [f'pid "{folder}/pid";', "events {}", f'http {{ {temporary} include "{folder}/{SITE}"; }}']
        (folder / "nginx.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
        nginx.test("-c", str(folder / "nginx.conf"), "-e", "stderr")


def switch(nginx: HostNginx, found: Found, data: bytes | None) -> None:
    """Make ``data`` (None: nothing) of our file ``found``, and have Nginx serve it; it is started for that alone.

    Raises: EngineError, and then what was found is there and served again; MachineError.
    """
    put(found, data)
    try:
        nginx.test()
    except BaseException:
        put(found, found.data)
        raise
    try:
        if nginx.master() is not None:
            nginx.reload()
        elif data is not None:
            nginx.start()
    except BaseException:
        put(found, found.data)
        _reload_again(nginx)
        raise


def _reload_again(nginx: HostNginx) -> None:
    """Nginx may be about to take what was put back already; the error that led here is the one to be told."""
    try:
        nginx.test()
        if nginx.master() is not None:
            nginx.reload()
    except BundleError:
        pass
