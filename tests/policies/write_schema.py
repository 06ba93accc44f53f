"""`python -m tests.policies.write_schema`: the schema of the rules' configuration, anew."""

from __future__ import annotations

import json

from gpufleet.engine.project import ROOT
from policies.catalogue import rules
from policies.configuration_schema import schema

if __name__ == "__main__":
    text = json.dumps(schema(rules()), indent=2) + "\n"
    (ROOT / "docs" / "schemas" / "policy-config.v1.json").write_text(text, encoding="utf-8")
