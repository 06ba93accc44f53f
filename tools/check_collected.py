"""Fail when a file under tests/ defines tests that pytest does not collect.

A misnamed file or folder is the quietest way to lose a test: nothing fails.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

_TEST = re.compile(r"^\s*(?:async\s+)?def test_", re.MULTILINE)


def files_with_tests(tests: Path) -> set[str]:
    """Every .py file under `tests` that holds `def test_`, relative to the parent of `tests`."""
    return {
        str(path.relative_to(tests.parent))
        for path in tests.rglob("*.py")
        if "__pycache__" not in path.parts and _TEST.search(path.read_text(encoding="utf-8"))
    }


def collected_files(root: Path) -> set[str]:
    """Every file of which pytest collects at least one test.

    Raises:
        SystemExit: collection itself fails.
    """
    done = subprocess.run(
        # An empty -m takes back the one that leaves the soak tests out of `make test`.
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "-m", ""],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"pytest cannot collect the tests:\n{done.stdout}{done.stderr}")
    return {line.split("::")[0] for line in done.stdout.splitlines() if "::" in line}


def main() -> int:
    """Compare the two; returns 1 and names the files that are lost."""
    root = Path(__file__).resolve().parent.parent
    lost = sorted(files_with_tests(root / "tests") - collected_files(root))
    for name in lost:
        sys.stderr.write(f"{name}: defines tests that pytest does not collect; name it test_*.py\n")
    return 1 if lost else 0


if __name__ == "__main__":
    raise SystemExit(main())
