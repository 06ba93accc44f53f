"""Write the manifests of tests/jobs/golden anew: `python -m tests.jobs.write_golden`."""

from __future__ import annotations

from tests.jobs.jobs import GOLDEN, documents

if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.glob("*.yaml"):
        old.unlink()
    for name, text in documents():
        (GOLDEN / name).write_text(text, encoding="utf-8")
