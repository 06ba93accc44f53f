"""Write tests/components/golden/autoscaling anew: `python -m tests.components.write_autoscaling_golden`."""

from __future__ import annotations

from tests.components.autoscaling import GOLDEN, documents

if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, text in documents():
        (GOLDEN / name).write_text(text, encoding="utf-8")
