"""Known vulnerabilities in what is installed: `make audit`. Exit code 1 where there is one.

pip-audit asks PyPI's advisories. Where these cannot be reached, or an index in between does not pass them on, it says
so and fails nothing: that nothing was found would be no finding then.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements-runtime.lock", "requirements.lock")
SECONDS_MAX = 240


def verdict(report: dict[str, Any] | None) -> tuple[int, list[str]]:
    """Exit code and lines, of pip-audit's report in JSON; None: it has made none."""
    if report is None:
        return 0, [
            "audit: 0 packages audited: pip-audit has made no report. Whether any is vulnerable is not known"
        ]
    dependencies = report["dependencies"]
    skipped = sorted({each["name"] for each in dependencies if "skip_reason" in each})
    names = {each["name"] for each in dependencies}
    found = sorted(
        {
            f"audit: {each['name']} {each['version']}: {vulnerability['id']}, "
            f"fixed in {', '.join(vulnerability['fix_versions']) or 'no version yet'}"
            for each in dependencies
            for vulnerability in each.get("vulns", ())
        }
    )
    told = f"audit: {len(names) - len(skipped)} of {len(names)} packages audited"
    if len(skipped) == len(names):
        told += ": no advisories can be had from here. Whether any is vulnerable is not known"
    else:
        told += f", {len(found)} known vulnerabilities"
        if skipped:
            told += f". Not audited: {', '.join(skipped)}"
    return int(bool(found)), [*found, told]


def _report() -> dict[str, Any] | None:
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--format", "json"]
    for lock in LOCKS:
        command += ["--requirement", lock]
    try:
        run = subprocess.run(  # noqa: S603 - ours
            [*command, "--progress-spinner", "off"],
            cwd=ROOT,
            capture_output=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        report = json.loads(run.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return report if isinstance(report, dict) else None


def main() -> int:
    """Prints the verdict."""
    code, lines = verdict(_report())
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
