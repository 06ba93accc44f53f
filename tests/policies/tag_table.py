"""Write policies/data/tags.csv anew from the installed SDK: `python -m tests.policies.tag_table`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

MODULES: Final = (
    *("alertsmanagement", "apimanagement", "applicationinsights", "authorization", "cdn", "chaos", "compute"),
    *("consumption", "containerregistry", "containerservice", "dashboard", "frontdoor", "keyvault"),
    *("machinelearningservices", "maintenance", "managedidentity", "monitor", "network", "operationalinsights"),
    *("privatedns", "quota", "resources", "storage", "storagecache", "trafficmanager"),
)
"""Of the SDK: what fleets are made of. A type of another module is undecided until its module stands here."""
TABLE: Final = Path(__file__).parents[2] / "policies" / "data" / "tags.csv"

_TOKEN: Final = re.compile(r"^            '(?P<token>azure-native:\w+:\w+)',$", re.MULTILINE)
_TAGS: Final = re.compile(r"^                 tags: .*Mapping\[str, ", re.MULTILINE)


def table() -> str:
    """The table as CSV."""
    lines = [f"{token},{'yes' if tags else 'no'}" for token, tags in sorted(_types())]
    return "\n".join(["type,takes_tags", *lines, ""])


def _types() -> Iterator[tuple[str, bool]]:
    found = find_spec("pulumi_azure_native")
    assert found is not None
    assert found.origin is not None
    for module in MODULES:
        for path in (Path(found.origin).parent / module).glob("[a-z]*.py"):
            text = path.read_text(encoding="utf-8")
            if token := _TOKEN.search(text):
                yield token["token"], _TAGS.search(text) is not None


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
