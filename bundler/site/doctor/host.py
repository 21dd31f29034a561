"""The host itself: space, ports, clock, limits, shared memory, SELinux and the firewall."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import socket
import time
from collections.abc import Collection, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from bundler.digest import Digest
from bundler.disk import is_folder, size_text
from bundler.errors import BundleError
from bundler.site.doctor.engine import image_store
from bundler.site.doctor.interface import Finding, Wish
from bundler.site.doctor.program import ask
from bundler.site.place import Place
from bundler.site.releases.present import known_data

# vLLM's images grow about that much from compressed layers to an engine's store.
_IMAGE_GROWTH: Final = 2.4
_DAY: Final = 86_400
_FILES: Final = 4096
_SHARED_MEMORY: Final = 1 << 30
_ALL: Final = ("0.0.0.0", "::")
_SERIOUS: Final = (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL)


def check_space(wish: Wish) -> Iterator[Finding]:
    """Room where the release is unpacked to, and where the engine keeps its images."""
    if wish.manifest is None:
        return
    folder = existing(wish.root)
    known = _known(wish.root)
    needs = {_device(folder): (folder, sum(one.size for one in wish.manifest.members if one.digest not in known))}
    images = existing(image_store(wish))
    # An image that an installed release has, its engine has too.
    loaded = int(sum(image.size for image in wish.manifest.images if image.digest not in known) * _IMAGE_GROWTH)
    device = _device(images)
    needs[device] = (needs[device][0], needs[device][1] + loaded) if device in needs else (images, loaded)
    for place, needed in needs.values():
        free = shutil.disk_usage(place).free
        fix = f"Free some space on {place}, or choose another --root."
        enough = free >= needed
        expected = f"about {size_text(needed)}, less where blocks are shared (XFS, btrfs)"
        found = f"{size_text(free)} free"
        yield Finding(f"space on {place}", "ok" if enough else "block", found, expected, "" if enough else fix)


def _known(root: Path) -> Collection[Digest]:
    """What installed releases have already; nothing where this user may not look."""
    try:
        return known_data(Place(root))
    except BundleError:
        return ()


def check_root(wish: Wish) -> Iterator[Finding]:
    """The installation's folder, or the nearest one above it, can be written to."""
    folder = existing(wish.root)
    if not is_folder(folder):
        yield Finding("root", "block", f"{folder} is no folder", "a folder", "Choose another --root.")
    elif not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
        fix = "Run as a user who may, as root; where it is mounted read-only, choose another --root."
        yield Finding("root", "block", f"this user cannot write to {folder}", "a folder to write to", fix)
    else:
        yield Finding("root", "ok", str(wish.root))


def check_ports(wish: Wish) -> Iterator[Finding]:
    """The ports that the proxy listens on are free, and this user may take them."""
    for port in wish.ports:
        error = _bind(port, wish.addresses or _ALL)
        if error is None:
            yield Finding(f"port {port}", "ok", "free")
        elif error == errno.EADDRINUSE and port in wish.own_ports:
            yield Finding(f"port {port}", "ok", "the release that serves now has it")
        elif error == errno.EACCES:
            fix = "Install as root, or let users take it: sysctl net.ipv4.ip_unprivileged_port_start=80"
            yield Finding(f"port {port}", "block", "this user may not take it", "a port that may be taken", fix)
        elif error == errno.EADDRNOTAVAIL and wish.addresses:
            fix = "Choose an address of this host: ip -brief address"
            yield Finding(f"port {port}", "block", os.strerror(error), f"{', '.join(wish.addresses)} on this host", fix)
        else:
            fix = f"See who has it: ss -ltnp 'sport = :{port}'. Stop that, or choose another port."
            yield Finding(f"port {port}", "block", os.strerror(error), "free", fix)


def check_clock(wish: Wish) -> Iterator[Finding]:
    """The clock is not before the bundle's own time: certificates and tokens would be judged wrongly."""
    if wish.manifest is None:
        return
    now, made = time.time(), wish.manifest.created
    found, expected = _utc(now), f"after {_utc(made)}, when the bundle was locked"
    if now >= made - _DAY:
        yield Finding("clock", "ok", found, expected)
    else:
        yield Finding("clock", "block", found, expected, "Set the clock: timedatectl set-time 'YYYY-MM-DD hh:mm:ss'")


def check_limits(wish: Wish) -> Iterator[Finding]:
    """Open files, and shared memory for engines on several GPUs."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    enough = files == resource.RLIM_INFINITY or files >= _FILES
    shown = "unlimited" if files == resource.RLIM_INFINITY else f"{files:,}"
    fix = "" if enough else "Raise it: LimitNOFILE= in the unit, or /etc/security/limits.conf"
    yield Finding("open files", "ok" if enough else "warn", shown, f"at least {_FILES:,}", fix)
    try:
        shared = shutil.disk_usage("/dev/shm").total
    except OSError:
        shared = 0
    large = shared >= _SHARED_MEMORY
    fix = "" if large else "Enlarge it: mount -o remount,size=8G /dev/shm"
    yield Finding(
        "/dev/shm", "ok" if large else "warn", size_text(shared), f"at least {size_text(_SHARED_MEMORY)}", fix
    )


def check_guards(wish: Wish) -> Iterator[Finding]:
    """SELinux and firewalld: noted, for both are often the reason why nobody reaches the proxy."""
    selinux = ask("getenforce")
    mode = selinux.output.strip() if selinux and selinux.code == 0 else "none"
    enforcing = mode == "Enforcing"
    fix = "The release gets the label container_file_t when it is mounted (:Z); a custom --root may need semanage."
    yield Finding("SELinux", "warn" if enforcing else "ok", mode, "", fix if enforcing else "")
    firewall = ask("firewall-cmd", "--state")
    if firewall and firewall.output.strip() == "running":
        ports = " ".join(f"--add-port={port}/tcp" for port in wish.ports)
        fix = f"If Kibana cannot reach it: firewall-cmd --permanent {ports} && firewall-cmd --reload"
        yield Finding("firewalld", "warn", "running", "the proxy's ports open", fix)
    else:
        yield Finding("firewalld", "ok", "not running")


def existing(path: Path) -> Path:
    """The nearest folder above ``path`` that is there."""
    while not _seen(path) and path != path.parent:
        path = path.parent
    return path


def _seen(path: Path) -> bool:
    """Whether it is there; what this user may not look into is not, for them."""
    try:
        path.stat()
    except (OSError, ValueError):
        return False
    return True


def _device(path: Path) -> int:
    return path.stat().st_dev


def _bind(port: int, addresses: tuple[str, ...]) -> int | None:
    """Why nobody here can listen on ``port``, as an errno; None when it is free."""
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind((address, port))
                probe.listen(1)
        except OSError as error:
            # Where no address was named, one of the two families may be switched off.
            if error.errno in _SERIOUS[: 2 if addresses is _ALL else 3]:
                return error.errno
    return None


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
