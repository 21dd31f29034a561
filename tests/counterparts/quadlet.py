"""A stand-in for systemctl and Podman's Quadlet: runs what a ``.container`` unit says by a real Podman, and records.

Units that systemd has not read since they were written are not known to it, as with the real one.
"""

from __future__ import annotations

import json
from pathlib import Path

_PROGRAM = """\
#!/usr/bin/python3 -S
import json, shlex, shutil, subprocess, sys
from pathlib import Path
units, known, podman = Path({units!r}), Path({known!r}), json.loads({podman!r})
args = [word for word in sys.argv[1:] if word != "--user"]
with (known.parent / "calls").open("a") as calls:
    calls.write(" ".join(sys.argv[1:]) + "\\n")
if args[0] == "daemon-reload":
    shutil.rmtree(known)
    known.mkdir()
    for path in units.glob("*.container"):
        shutil.copy(path, known)
    sys.exit()
name = args[-1].removesuffix(".service")
if not (known / f"{{name}}.container").exists():
    sys.exit(f"Failed to {{args[0]}} {{name}}.service: Unit {{name}}.service not loaded.")
subprocess.run([*podman, "rm", "--force", "--ignore", "--time=5", name], check=True, capture_output=True)
if args[0] == "stop":
    sys.exit()
OPTIONS = {{"ContainerName": "--name", "User": "--user", "Network": "--network", "PublishPort": "--publish",
           "EnvironmentFile": "--env-file", "AddCapability": "--cap-add", "AddDevice": "--device"}}
LISTS = {{"Volume": "--volume", "Environment": "--env", "Label": "--label", "PodmanArgs": ""}}
FLAGS = {{"ReadOnly=true": "--read-only", "DropCapability=all": "--cap-drop=all",
         "NoNewPrivileges=true": "--security-opt=no-new-privileges"}}
command, user, image, words = [*podman, "run", "--detach"], "", "", []
for line in (known / f"{{name}}.container").read_text().splitlines():
    key, _, value = line.partition("=")
    value = value.replace("%%", "%")
    if line in FLAGS:
        command.append(FLAGS[line])
    elif key == "User":
        user = value
    elif key == "Group":
        user += ":" + value
    elif key in OPTIONS:
        command.append(f"{{OPTIONS[key]}}={{value}}")
    elif key in LISTS:
        command += [f"{{LISTS[key]}}={{word}}" if LISTS[key] else word for word in shlex.split(value)]
    elif key == "Image":
        image = value
    elif key == "Exec":
        words = shlex.split(value.replace("$$", "$"))
command += [f"--user={{user}}"] if user else []
done = subprocess.run([*command, image, *words], capture_output=True, text=True)
sys.exit(f"Job for {{name}}.service failed: {{done.stderr}}" if done.returncode else 0)
"""


def write_systemctl(folder: Path, units: Path, podman: tuple[str, ...]) -> Path:
    """The program ``systemctl`` in ``folder``, which reads the units in ``units``; its calls are in ``calls`` there."""
    known = folder / "known"
    known.mkdir(parents=True)
    path = folder / "systemctl"
    path.write_text(_PROGRAM.format(units=str(units), known=str(known), podman=json.dumps(podman)))
    path.chmod(0o755)
    return path
