"""COST008: tags that say whose cost it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from gpufleet.catalog.table import read
from gpufleet.spec import own_tags
from policies.reading import UndecidedError
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Resource, View

_TAGS = "tags"


class TagsSettings(Settings):
    """What COST008 asks for."""

    required: list[str] = [*own_tags.OWN_TAGS]
    """Keys of tags; the budget counts what has `environment` and `managed-by`."""


class Tags(Rule[Resource, TagsSettings]):
    """Everything that takes Azure tags says its owner, its cost center, its environment, its class and its tool.

    The budget filters by two of the tags, so what lacks them spends without being counted, and a bill without owner and
    cost center is nobody's. Azure hands no tag of a resource group down to what is in it.
    """

    id = "COST008"
    pack = Pack.COST
    severity = Severity.MEDIUM
    scope = Scope.RESOURCE
    remediates = True
    fix = "Give it the environment's tags: `tags=environment.tags` in a component"
    source = "azure-resource-manager tag-resources; which types take tags: pulumi-azure-native"
    settings = TagsSettings

    def subjects(self, view: View) -> Iterable[Resource]:
        """Azure's resources that take tags, and those of which nobody knows whether they do."""
        pools: dict[str, Resource] = {pool.urn: pool for pool in view.pools if pool.index is None}
        found = [one for one in view.resources() if one.node.custom and takes_tags(one.type) is not False]
        return [pools.get(one.urn, one) for one in found]

    def judge(self, subject: Resource, view: View, settings: TagsSettings) -> Iterator[Objection]:
        """Which tags it lacks."""
        if takes_tags(subject.type) is None:
            raise UndecidedError(f"whether {subject.type} takes tags is not in policies/data/tags.csv")
        tags = subject.properties.below(_TAGS)
        lacking = [key for key in settings.required if not (tags.text(key) or "").strip()]
        if lacking:
            yield Objection(message=f"{subject.node.name} lacks the tag{'s' * (len(lacking) > 1)} {', '.join(lacking)}")

    def remedy(self, subject: Resource, view: View, settings: TagsSettings) -> Mapping[str, str]:
        """The environment's tags that it lacks; what it states itself is kept."""
        if takes_tags(subject.type) is not True or view.declared is None:
            return {}
        stated = subject.properties.below(_TAGS)
        tags = own_tags.environment_tags(view.name, view.declared.environment)
        return {key: value for key, value in tags.items() if not (stated.text(key) or "").strip()}


def takes_tags(type_: str) -> bool | None:
    """Whether a type (without an API version) takes tags; None when nobody knows. Other clouds' resources take none."""
    return _table().get(type_) if type_.startswith("azure-native:") else False


@lru_cache(maxsize=1)
def _table() -> Mapping[str, bool]:
    rows = read("tags.csv", ("type", "takes_tags"), package="policies")
    return {row.text("type"): row.choice("takes_tags", "yes", "no") == "yes" for row in rows}
