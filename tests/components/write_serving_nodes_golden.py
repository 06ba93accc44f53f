"""Write tests/components/golden/serving-nodes anew: `python -m tests.components.write_serving_nodes_golden`."""

from __future__ import annotations

from tests.components.serving_nodes import GOLDEN, documents

if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.glob("*.yaml"):
        old.unlink()
    for name, text in documents():
        (GOLDEN / name).write_text(text, encoding="utf-8")
