"""What a run waits for before an object counts as made: annotations of pulumi-kubernetes.

The provider knows by itself when a Deployment or a Service is ready. Of a custom resource it waits for what
`pulumi.com/waitFor` names: `condition=Type` or `jsonpath={…}`, or a JSON list of them that must all hold
(pulumi-kubernetes 4.34, provider/pkg/metadata/overrides.go).
"""

from __future__ import annotations

import json

NOT_WAITED_FOR = {"pulumi.com/skipAwait": "true"}


def waits_for(*expressions: str) -> dict[str, str]:
    """The annotation for a wait until all of the expressions hold."""
    return {"pulumi.com/waitFor": expressions[0] if len(expressions) == 1 else json.dumps(expressions)}
