"""Write the bodies of tests/components/golden/front anew: `python -m tests.components.write_front_golden`."""

from __future__ import annotations

from tests.components.front import GOLDEN, documents

if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, text in documents().items():
        (GOLDEN / name).write_text(text, encoding="utf-8")
