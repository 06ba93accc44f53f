"""Write the manifests of tests/components/golden/stacks anew: `python -m tests.components.write_gpu_stacks`."""

from __future__ import annotations

from tests.components.gpu_stacks import GOLDEN, documents, manifests

if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for stale in GOLDEN.glob("*.yaml"):
        stale.unlink()
    for name, of in documents().items():
        (GOLDEN / name).write_text(manifests(*of), encoding="utf-8")
