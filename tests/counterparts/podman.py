"""A real Podman with folders of its own: images, containers and networks of the machine are left alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.counterparts.need import need

_CONF = """\
[containers]
# Where a process may not raise its limits (a container, a sandbox), Podman's own are too high to be set.
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
{runtime}
[network]
network_config_dir = "{folder}/networks"
"""


@contextmanager
def podman_engine(folder: Path) -> Iterator[tuple[str, ...]]:
    """The command with its options; whatever is left behind is removed afterwards."""
    program = need("podman", "podman")
    if os.geteuid():
        pytest.skip("the tests with Podman need root: sudo make test")
    conf = folder / "containers.conf"
    # crun of Debian 12 does not run where both versions of cgroups are mounted; runc does.
    runtime = 'runtime = "runc"' if shutil.which("runc") else ""
    conf.write_text(_CONF.format(folder=folder, runtime=runtime))
    command = (program, f"--root={folder}/root", f"--runroot={folder}/run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTAINERS_CONF", str(conf))
        try:
            with _past_dockers_firewall():
                yield command
        finally:
            for last in (["rm", "--all", "--force", "--time=0"], ["network", "prune", "--force"]):
                subprocess.run([*command, *last], capture_output=True, timeout=60, check=False)
            # The storage driver keeps its root mounted on itself.
            subprocess.run(["umount", f"{folder}/root/overlay"], capture_output=True, check=False)


@contextmanager
def _past_dockers_firewall() -> Iterator[None]:
    """Where Docker runs too, it drops what containers on a network of Podman's without a way out say to each other."""
    iptables = shutil.which("iptables", path="/usr/sbin:/sbin:/usr/bin")
    rule = ["FORWARD", "-s", "10.219.0.0/16", "-d", "10.219.0.0/16", "-j", "ACCEPT"]
    if iptables is None:
        yield
        return
    subprocess.run([iptables, "-w", "-I", *rule], check=True, timeout=20)
    try:
        yield
    finally:
        subprocess.run([iptables, "-w", "-D", *rule], check=True, timeout=20)
