"""Tokens at the site: what lies on disk, who may read it, and what happens when two come at once or a reload fails."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bundler.errors import BundleError, EngineError, MachineError, UsageError
from bundler.site.tokens.change import Change, current, fresh, new, revoke, rotate
from bundler.site.tokens.model import Token, decode, encode
from bundler.site.tokens.reload import CommandReload
from bundler.site.tokens.store import TokenStore

ROOT = Path(__file__).parents[3]


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path / "site")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_token_is_made_for_its_owner_alone(store: TokenStore) -> None:
    change = new(store, "kibana")
    assert change.made and change.stale
    assert len(change.made.secret) == 43
    assert change.made.secret not in repr(change)
    assert change.made.secret in store.path.read_text()
    assert change.made.secret in store.include.read_text()
    assert [mode(path) for path in (store.path, store.include)] == [0o600, 0o600]
    assert [mode(path.parent) for path in (store.path, store.include)] == [0o700, 0o700]
    # Nothing but what Nginx needs is in the folder that it gets to see.
    assert [path.name for path in store.include.parent.iterdir()] == ["tokens.conf"]


def test_fresh_secrets_differ() -> None:
    assert len({fresh() for _ in range(100)}) == 100


def test_a_loose_folder_is_made_private(store: TokenStore) -> None:
    store.path.parent.mkdir(parents=True, mode=0o755)
    store.path.parent.chmod(0o755)
    new(store, "kibana")
    assert mode(store.path.parent) == 0o700


def test_one_label_has_one_token(store: TokenStore) -> None:
    new(store, "kibana")
    with pytest.raises(UsageError, match="kibana: there is a token of this label") as caught:
        new(store, "kibana")
    assert "token rotate kibana" in caught.value.hint
    assert len(current(store).tokens) == 1


@pytest.mark.parametrize("label", ["", "Kibana", "a b", "-a", "a-", "a.old", "a;", "a\n", "x" * 33, '"', "$a", "ä"])
def test_labels_that_are_none(store: TokenStore, label: str) -> None:
    with pytest.raises(UsageError, match="label: expected a-z, 0-9 and -"):
        new(store, label)
    assert not store.path.exists()


def test_rotation_keeps_the_old_one_for_a_while(store: TokenStore) -> None:
    first = new(store, "kibana").made
    assert first
    before = time.time()
    change = rotate(store, "kibana", keep=3600)
    old, made = change.tokens
    assert (old.secret, old.shown, old.replaced) == (first.secret, "kibana.old", True)
    assert old.expires and before + 3599 <= old.expires <= time.time() + 3600
    assert made == change.made
    assert (made.shown, made.expires) == ("kibana", None)
    third = rotate(store, "kibana", keep=0)
    assert [token.id for token in third.removed] == [made.id]
    assert [token.shown for token in third.tokens] == ["kibana.old", "kibana"]


def test_a_rotated_token_lives_as_long_as_the_first_was_made_for(store: TokenStore) -> None:
    first = new(store, "kibana", lifetime=100).made
    change = rotate(store, "kibana", keep=3600)
    old, made = change.tokens
    assert first and old.expires == first.expires, "it would have outlived its own end"
    assert made.expires and made.expires - made.created == 100


def test_rotating_what_is_not_there(store: TokenStore) -> None:
    new(store, "kibana")
    with pytest.raises(UsageError, match="other: no token has this label") as caught:
        rotate(store, "other", keep=1)
    assert caught.value.hint == "There are: kibana"


def test_revoking_by_id_and_by_label(store: TokenStore) -> None:
    new(store, "kibana")
    old, made = rotate(store, "kibana", keep=3600).tokens
    assert [token.id for token in revoke(store, old.id).removed] == [old.id]
    assert old.secret not in store.include.read_text() + store.path.read_text()
    rotate(store, "kibana", keep=3600)
    assert len(revoke(store, "kibana").removed) == 2
    assert "Bearer" not in store.include.read_text()
    with pytest.raises(UsageError, match="kibana: no token has this label or id") as caught:
        revoke(store, "kibana")
    assert caught.value.hint == "There are: none"
    assert made.secret not in store.path.read_text()


def test_what_ended_is_dropped(store: TokenStore) -> None:
    new(store, "kibana", lifetime=0)
    made = new(store, "kibana").made
    assert made
    assert current(store).tokens == (made,)
    assert store.path.read_text().count('"token"') == 1


def test_no_folder_is_made_by_looking(store: TokenStore, tmp_path: Path) -> None:
    looks: list[Callable[[], Change]] = [
        lambda: current(store),
        lambda: revoke(store, "a"),
        lambda: rotate(store, "a", keep=1),
    ]
    for look in looks:
        with pytest.raises(MachineError, match="no tokens were made at this place") as caught:
            look()
        assert "--root" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_an_include_that_was_changed_or_lost_is_written_anew(store: TokenStore) -> None:
    new(store, "kibana")
    text = store.include.read_text()
    assert not current(store).stale
    store.include.unlink()
    assert current(store).stale
    assert store.include.read_text() == text
    store.include.write_text("# nothing")
    assert current(store).stale
    assert store.include.read_text() == text


def test_a_failed_reload_lets_nobody_new_in(store: TokenStore) -> None:
    new(store, "kibana")
    before = (store.path.read_bytes(), store.include.read_bytes())
    failing = CommandReload(("sh", "-c", "echo 'nginx: [emerg] broken' >&2; exit 3"))
    changes: list[Callable[[], Change]] = [
        lambda: new(store, "other", reload=failing),
        lambda: rotate(store, "kibana", keep=60, reload=failing),
    ]
    for change in changes:
        with pytest.raises(EngineError, match=r"nothing has changed: sh: exit code 3: nginx: \[emerg\] broken"):
            change()
        assert (store.path.read_bytes(), store.include.read_bytes()) == before


def test_a_failed_reload_brings_no_revoked_token_back(store: TokenStore) -> None:
    made = new(store, "kibana").made
    with pytest.raises(EngineError, match="until it is, it lets the old tokens in"):
        revoke(store, "kibana", reload=CommandReload(("false",)))
    assert made and made.secret not in store.include.read_text()


def test_reload_runs_once_for_a_change_and_not_without_one(store: TokenStore, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    reload = CommandReload(("sh", "-c", 'echo call >> "$1"', "sh", str(calls)))
    assert not new(store, "kibana", reload=reload).stale
    current(store, reload=reload)
    assert calls.read_text() == "call\n"


def test_reloads_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="no-such-program: cannot be run: No such file"):
        CommandReload(("no-such-program",))()
    with pytest.raises(EngineError, match="sleep: did not end within 0 s"):
        CommandReload(("sleep", "9"), seconds=0.1)()
    secret = fresh()
    with pytest.raises(EngineError) as caught:
        CommandReload(("sh", "-c", f"echo 'invalid {secret}' >&2; exit 1"))()
    assert secret not in str(caught.value)


BROKEN = {
    "not JSON": b"{",
    "a list": b"[]",
    "other format": b'{"format": "x", "tokens": []}',
    "no tokens": b'{"format": "llm-bundle-tokens/1"}',
    "bytes": b"\xff\xfe",
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_store_is_said_and_kept(store: TokenStore, name: str) -> None:
    new(store, "kibana")
    store.path.write_bytes(BROKEN[name])
    with pytest.raises(MachineError, match=str(store.path)):
        new(store, "other")
    assert store.path.read_bytes() == BROKEN[name]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("label", "A B", "label: expected a label"),
        ("label", None, "label: expected a text"),
        ("token", "mar ked-value-of-the-token", "token: expected 16 to 128"),
        ("token", "marked\nproxy_pass http://evil", "token: expected 16 to 128"),
        ("created", -1, "created: expected a whole number"),
        ("expires", 5, "expires: expected seconds since 1970"),
        ("replaced", "no", "replaced: expected true or false"),
    ],
)
def test_a_row_by_hand(store: TokenStore, key: str, value: object, said: str) -> None:
    new(store, "kibana")
    document = json.loads(store.path.read_text())
    document["tokens"][0][key] = value
    store.path.write_text(json.dumps(document))
    with pytest.raises(MachineError, match=rf"tokens\[0\]: {said}") as caught:
        current(store)
    assert "mar" not in caught.value.message.replace(str(store.path), "")


def test_a_token_that_stands_twice(store: TokenStore) -> None:
    token = Token("kibana", fresh(), 1_763_000_000)
    with pytest.raises(MachineError, match="a token stands twice"):
        decode(encode([token, token]), where="tokens.json")


def test_what_others_may_read_is_refused(store: TokenStore) -> None:
    new(store, "kibana")
    store.path.chmod(0o644)
    with pytest.raises(MachineError, match="others than its owner may read it") as caught:
        current(store)
    assert "token rotate" in caught.value.hint


def test_links_are_not_followed(store: TokenStore, tmp_path: Path) -> None:
    new(store, "kibana")
    real = tmp_path / "elsewhere"
    store.path.rename(real)
    store.path.symlink_to(real)
    with pytest.raises(MachineError, match="expected a file, found a link"):
        current(store)
    other = TokenStore(tmp_path / "other")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "secrets").symlink_to(tmp_path)
    with pytest.raises(MachineError, match="expected a folder of this user, found a link"):
        new(other, "kibana")


def test_only_one_at_a_time(store: TokenStore) -> None:
    new(store, "kibana")
    lock = os.open(store.path.with_name("tokens.lock"), os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(MachineError, match="another command is changing the tokens"), store.locked(patience=0.1):
            raise AssertionError("let in")
    finally:
        os.close(lock)
    assert len(current(store).tokens) == 1


def test_processes_at_once_lose_no_token(store: TokenStore) -> None:
    code = (
        "import sys; from pathlib import Path; from bundler.site.tokens.change import new;"
        "from bundler.site.tokens.store import TokenStore;"
        "[new(TokenStore(Path(sys.argv[1])), f'{sys.argv[2]}-{n}') for n in range(5)]"
    )
    root = str(store.path.parent.parent)
    crew = [subprocess.Popen([sys.executable, "-c", code, root, f"p{n}"], cwd=ROOT) for n in range(4)]
    assert [one.wait(60) for one in crew] == [0, 0, 0, 0]
    tokens = current(store).tokens
    assert len({token.label for token in tokens}) == 20
    assert all(token.secret in store.include.read_text() for token in tokens)


def test_errors_are_ours(store: TokenStore) -> None:
    new(store, "kibana")
    store.path.unlink()
    store.path.mkdir()
    with pytest.raises(BundleError, match="expected a file"):
        current(store)
