"""``llm-bundle token``: exit codes, what is printed where, and that a token is seen once."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from bundler.cli.main import call


def run(capsys: pytest.CaptureFixture[str], root: Path, *args: str) -> tuple[int, str, str]:
    code = call(["token", *args, "--root", str(root)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_life_of_a_token(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, tmp_path, "new", "--label", "kibana")
    secret = out.strip()
    assert (code, len(secret)) == (0, 43)
    assert secret not in err
    assert "it is not shown again" in err
    assert "next: reload the proxy" in err
    code, newer, err = run(capsys, tmp_path, "rotate", "kibana", "--keep", "2h", "--reload-command", "true")
    assert (code, len(newer.strip())) == (0, 43)
    assert "reload" not in err
    code, out, _ = run(capsys, tmp_path, "list")
    assert code == 0
    assert [line.split()[1] for line in out.splitlines()] == ["label", "kibana.old", "kibana"]
    assert secret not in out
    code, out, _ = run(capsys, tmp_path, "list", "--json")
    rows = json.loads(out)["tokens"]
    assert [set(row) for row in rows] == [{"id", "label", "created", "expires", "replaced"}] * 2
    assert secret not in out
    code, out, _ = run(capsys, tmp_path, "revoke", rows[0]["id"])
    assert (code, out) == (0, f"revoked kibana.old ({rows[0]['id']})\n")
    assert run(capsys, tmp_path, "revoke", "kibana")[0] == 0
    code, out, _ = run(capsys, tmp_path, "list")
    assert out == "no tokens: llm-bundle token new --label NAME\n"


def test_into_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "token"
    code, out, err = run(capsys, tmp_path / "site", "new", "--label", "kibana", "--expires", "90d", "-o", str(place))
    secret = place.read_text().strip()
    assert (code, out) == (0, f"wrote {place}\n")
    assert secret not in err
    assert "until 20" in err
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert secret in (tmp_path / "site/secrets/nginx/tokens.conf").read_text()
    code, _, err = run(capsys, tmp_path / "site", "rotate", "kibana", "-o", str(place))
    assert code == 6
    assert "is there already" in err
    assert place.read_text().strip() == secret
    other = tmp_path / "other"
    code, out, err = run(capsys, tmp_path / "site", "new", "--label", "kibana", "-o", str(other), "--json")
    assert code == 2
    assert json.loads(out)["error"]["code"] == 2
    assert not other.exists(), "a token that lets nobody in"
    code, out, _ = run(capsys, tmp_path / "site", "new", "--label", "b", "-o", str(other), "--json")
    assert json.loads(out)["path"] == str(other)
    assert "token" not in json.loads(out)


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["new"], 2, "Missing option '--label'"),
        (["new", "--label", "A"], 2, "label: expected a-z, 0-9 and -"),
        (["new", "--label", "a", "--expires", "1y"], 2, "--expires: expected a time as in 90s, 30m, 24h or 7d"),
        (["new", "--label", "a", "--expires", "99999999d"], 2, "--expires: expected a time"),
        (["new", "--label", "a", "--expires", "0h"], 2, "--expires: expected more than no time at all, found '0h'"),
        (["new", "--label", "a", "--reload-command", "'x"], 2, "--reload-command: No closing quotation"),
        (["new", "--label", "a", "--reload-command", ""], 2, "--reload-command: expected a command"),
        (["new", "--label", "a", "--reload-command", "no-such-program -s"], 7, "nothing has changed: no-such-program"),
        (["new", "--label", "a", "-o", "no/such/folder"], 6, "no/such/folder: cannot write: No such file"),
        (["list"], 6, "no tokens were made at this place"),
        (["rotate", "a"], 6, "no tokens were made at this place"),
        (["revoke", "a"], 6, "no tokens were made at this place"),
        (["nwe"], 2, "Did you mean 'new'?"),
    ],
)
def test_wrong_calls(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    args: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    found, out, err = run(capsys, tmp_path / "site", *args)
    assert (found, out) == (code, "")
    assert said in err
