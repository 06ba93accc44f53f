"""Write the gateway's golden manifests anew: `python -m tests.components.write_gateway_golden`."""

from __future__ import annotations

from tests.components.gateways import FOLDERS, GOLDEN, documents

if __name__ == "__main__":
    for folder in FOLDERS:
        (GOLDEN / folder).mkdir(exist_ok=True)
    for name, text in documents():
        (GOLDEN / name).write_text(text, encoding="utf-8")
