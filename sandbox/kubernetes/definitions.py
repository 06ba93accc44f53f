"""Which custom kinds a cluster serves, and the schema of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from sandbox.kubernetes.charts import CHARTS, Definition, definitions_of
from sandbox.kubernetes.kinds import Kind
from sandbox.values import Properties, Value, reveal


def of_release(release: Properties) -> Iterator[Definition]:
    """What an installed chart brings."""
    chart = CHARTS.get(str(reveal(release.get("chart"))).rpartition("/")[2])
    if chart is not None:
        yield from definitions_of(chart, reveal(release.get("values") or {}))


def of_object(body: Properties) -> Definition:
    """What a CustomResourceDefinition brings: the versions that it serves."""
    spec: Properties = reveal(body.get("spec") or {})
    served = [version for version in spec.get("versions") or () if version.get("served") is not False]
    return Definition(
        group=spec.get("group", ""),
        kind=(spec.get("names") or {}).get("kind", ""),
        versions=tuple(version.get("name", "") for version in served),
        namespaced=spec.get("scope") == "Namespaced",
        schemas={
            version.get("name", ""): (version.get("schema") or {}).get("openAPIV3Schema") or {} for version in served
        },
    )


def schema_of(definition: Definition, kind: Kind) -> Mapping[str, Value] | None:
    """The kind's openAPIV3Schema; None when all that is known of a chart's kind is its name."""
    return definition.schemas.get(kind.version) or chart_schema(kind)


def chart_schema(kind: Kind) -> Mapping[str, Value] | None:
    """The openAPIV3Schema of a kind that a known chart brings, from crds/; None when it has none there."""
    return _charts_schemas().get(f"{kind.api_version}/{kind.kind}")


@cache
def _charts_schemas() -> Mapping[str, Mapping[str, Value]]:
    import yaml  # noqa: PLC0415 - a quarter of a provider's start, and most runs apply no custom resource

    schemas: dict[str, Mapping[str, Value]] = {}
    for file in sorted((Path(__file__).parent / "crds").glob("*.yaml")):
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        schemas.update({name: schema for name, schema in content.items() if not name.startswith("_")})
    return schemas
