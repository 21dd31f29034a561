"""A missing counterpart is loud: a skip that says what to install, a failure in CI."""

from __future__ import annotations

import pytest

from tests.counterparts.need import need


def test_a_program_is_found() -> None:
    assert need("sh", "dash").endswith("/sh")


def test_without_it_the_test_skips_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install some-package"):
        need("no-such-program", "some-package")


def test_in_ci_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="install Debian's package some-package"):
        need("no-such-program", "some-package")
