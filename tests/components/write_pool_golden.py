"""Write the ARM bodies of tests/components/golden/pools anew: `python -m tests.components.write_pool_golden`."""

from __future__ import annotations

import yaml

from tests.components.pool_bodies import FOLDER, KINDS, file_of

if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        text = yaml.safe_dump(file_of(kind), sort_keys=False, width=120)
        (FOLDER / f"{kind}.yaml").write_text(text, encoding="utf-8")
