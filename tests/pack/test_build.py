"""build: the same bytes every time."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bundler.pack.plan import Ingredient
from tests.layout.strategies import ingredients
from tests.pack.plans import built_in, plan_of


@given(parts=ingredients(), shuffle=st.randoms(use_true_random=False), jobs=st.integers(1, 6))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_bundle_depends_on_content_only(
    tmp_path: Path, parts: tuple[Ingredient, ...], shuffle: random.Random, jobs: int
) -> None:
    first = built_in(tmp_path / "a", plan_of(parts)).bundle.read_bytes()
    shuffled = list(parts)
    shuffle.shuffle(shuffled)
    second = built_in(tmp_path / "b", plan_of(shuffled), jobs=jobs).bundle.read_bytes()
    assert first == second
    assert len(first) == plan_of(parts).arrangement.size


_CHILD = """
import os, sys
from pathlib import Path
os.umask(int(sys.argv[3]))
from tests.pack.plans import built_in, ingredients_in, plan_of
files = {f"m/{n}": bytes([n]) * (n * 10_007) for n in range(40)}
print(built_in(Path(sys.argv[1]), plan_of(ingredients_in(Path(sys.argv[2]), files)), jobs=int(sys.argv[4])).bundle)
"""


def test_another_umask_zone_hash_seed_folder_and_number_of_jobs(tmp_path: Path) -> None:
    found = set()
    settings_of_machines = [(0o022, "UTC", "0", 1), (0o077, "Asia/Tokyo", "1", 3), (0, "America/Lima", "77", 8)]
    for number, (umask, zone, seed, jobs) in enumerate(settings_of_machines):
        arguments = [str(tmp_path / f"out{number}"), str(tmp_path / f"src{number}"), str(umask), str(jobs)]
        done = subprocess.run(
            [sys.executable, "-c", _CHILD, *arguments],
            env={**os.environ, "TZ": zone, "PYTHONHASHSEED": seed, "LC_ALL": "C"},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        found.add(Path(done.stdout.strip()).read_bytes())
    assert len(found) == 1
