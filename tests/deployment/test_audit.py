"""What `make audit` says of pip-audit's report."""

import runpy
from typing import Any

from tests.deployment.test_dockerfile import ROOT

verdict = runpy.run_path(str(ROOT / ".ci" / "audit.py"))["verdict"]


def package(name: str, *vulnerabilities: str, fix: tuple[str, ...] = ("2.0",)) -> dict[str, Any]:
    vulns = [{"id": each, "fix_versions": list(fix), "description": "..."} for each in vulnerabilities]
    return {"name": name, "version": "1.0", "vulns": vulns}


def skipped(name: str) -> dict[str, str]:
    return {"name": name, "skip_reason": "not found"}


def test_a_known_vulnerability_fails_and_names_the_version_that_mends_it() -> None:
    code, lines = verdict(
        {"dependencies": [package("a"), package("b", "PYSEC-1"), package("c", "GHSA-2", fix=())]}
    )
    assert code == 1
    assert lines == [
        "audit: b 1.0: PYSEC-1, fixed in 2.0",
        "audit: c 1.0: GHSA-2, fixed in no version yet",
        "audit: 3 of 3 packages audited, 2 known vulnerabilities",
    ]


def test_a_package_in_both_locks_counts_once() -> None:
    assert verdict({"dependencies": [package("a"), package("a")]}) == (
        0,
        ["audit: 1 of 1 packages audited, 0 known vulnerabilities"],
    )


def test_what_could_not_be_audited_is_named() -> None:
    code, (line,) = verdict({"dependencies": [package("a"), skipped("b")]})
    assert (code, line) == (0, "audit: 1 of 2 packages audited, 0 known vulnerabilities. Not audited: b")


def test_without_advisories_it_does_not_pretend() -> None:
    code, (line,) = verdict({"dependencies": [skipped("a"), skipped("b")]})
    assert code == 0
    assert line.startswith("audit: 0 of 2 packages audited: ")
    assert "not known" in line and "0 known vulnerabilities" not in line


def test_without_a_report_it_does_not_pretend() -> None:
    code, (line,) = verdict(None)
    assert code == 0
    assert line.startswith("audit: 0 packages audited: ") and "not known" in line
