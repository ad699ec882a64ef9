"""`make audit`: what is locked, against what is known to be vulnerable, where that is known."""

import json
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).parent.parent / "constraints.txt"


def judged(printed: str, complaint: str) -> tuple[int, str]:
    """The exit status and what to say of pip-audit's JSON, and of what it wrote beside it."""
    try:
        packages = json.loads(printed)["dependencies"]
    except (ValueError, KeyError, TypeError):
        why = (complaint.strip().splitlines() or ["it said nothing"])[-1]
        return 0, f"Nothing was compared: no database of vulnerabilities is at hand ({why[:300]})."
    found = [
        f"{package['name']} {package['version']}: {known['id']}, mended in "
        f"{', '.join(known['fix_versions']) or 'no release yet'}"
        for package in packages
        for known in package.get("vulns", ())
    ]
    if found:
        return 1, "\n".join(found)
    unknown = sum("skip_reason" in package for package in packages)
    if unknown == len(packages):
        return 0, "Nothing was compared: no package is known to the database that was asked."
    compared = f"{len(packages) - unknown} packages were compared, none is known to be vulnerable"
    return 0, compared + (f"; {unknown} are not known there." if unknown else ".")


def main(program: str) -> int:
    asked = [program, "-r", str(LOCK), "--require-hashes", "--disable-pip", "--format", "json"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
    except OSError as error:
        code, says = judged("", f"pip-audit is not installed: {error.strerror}")
    else:
        code, says = judged(done.stdout, done.stderr)
    print(says)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
