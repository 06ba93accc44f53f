"""Write the manifests of tests/components/golden/queue anew: `python -m tests.components.write_queue_golden`."""

from __future__ import annotations

from tests.components.queues import GOLDEN, documents

if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.glob("*.yaml"):
        old.unlink()
    for name, text in documents():
        (GOLDEN / name).write_text(text, encoding="utf-8")
