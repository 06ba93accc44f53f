"""Resources that are written down when they are made, with what the SDK's have them inherit."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Final, Self

from gpufleet.graph.model import STACK_TYPE, Graph, Node, Value
from gpufleet.graph.standin.outputs import Data, Output
from gpufleet.graph.standin.refusal import NotStoodInError
from gpufleet.graph.standin.shapes import ANY
from gpufleet.graph.standin.values import inputs

_PROVIDERS: Final = "pulumi:providers:"


@dataclass(eq=False, kw_only=True)
class ResourceOptions:
    """The options that a plan shows, and those that it never does. Any other one is for the SDK."""

    parent: Resource | None = None
    depends_on: Sequence[Resource] | Resource | None = None
    protect: bool | None = None
    retain_on_delete: bool | None = None
    deleted_with: Resource | None = None
    provider: ProviderResource | None = None
    # Of no effect on what a plan holds.
    ignore_changes: Sequence[str] | None = None
    custom_timeouts: CustomTimeouts | None = None
    aliases: Sequence[Alias] | None = None


@dataclass(frozen=True, kw_only=True)
class CustomTimeouts:
    """How long operations may take; no part of a plan."""

    create: str | None = None
    update: str | None = None
    delete: str | None = None


@dataclass(frozen=True)
class Alias:
    """Another name of a resource; it matters to a state alone."""

    name: object = ...
    type_: object = ...
    parent: object = ...
    stack: object = ...
    project: object = ...


@dataclass(frozen=True, kw_only=True)
class InvokeOutputOptions:
    """Options of a provider's function. A parent only hands its provider on, and nothing is asked here."""

    parent: Resource | None = None


class Resource:
    """A resource or component of the plan that is being made."""

    def __init__(self, type_: str, name: str, opts: ResourceOptions | None) -> None:
        opts = opts or ResourceOptions()
        parent = opts.parent
        # A program may well give what its annotations forbid.
        for given, kind in ((type_, str), (name, str), (opts, ResourceOptions), (parent or self, Resource)):
            if not (given and isinstance(given, kind)):
                raise TypeError(f"a resource needs a type, a name, options and a parent of the SDK, not {given!r}")
        self.standin_run = run = _RUN.get()
        self.standin_urn = run.urn(type_, name, parent)
        self.standin_children: list[Resource] = []
        self.standin_protect: bool | None = parent.standin_protect if parent and opts.protect is None else opts.protect
        self.standin_providers: dict[str, ProviderResource] = dict(parent.standin_providers) if parent else {}
        if opts.provider is not None:
            self.standin_providers[opts.provider.package] = opts.provider
        if parent is not None:
            parent.standin_children.append(self)
        # A copy, for the program may go on with its own.
        run.registered.append(Registration(resource=self, type=type_, name=name, opts=replace(opts)))

    @property
    def urn(self) -> Output:
        """Its URN, known from the start."""
        return Output(Data(resources=frozenset({self}), value=self.standin_urn))


class CustomResource(Resource):
    """What a provider manages."""

    def __init__(
        self,
        type_: str,
        name: str,
        opts: ResourceOptions | None,
        *,
        properties: Mapping[str, Value],
        sources: Mapping[str, frozenset[Resource]],
    ) -> None:
        super().__init__(type_, name, opts)
        registration = self.standin_run.registered[-1]
        registration.properties = properties
        registration.sources = sources

    @property
    def id(self) -> Output:
        """Unknown before it exists."""
        return Output(Data(resources=frozenset({self}), known=False))


class ProviderResource(CustomResource):
    """A provider that the program configures."""

    def __init__(
        self,
        package: str,
        name: str,
        opts: ResourceOptions | None,
        *,
        properties: Mapping[str, Value],
        sources: Mapping[str, frozenset[Resource]],
    ) -> None:
        if opts is not None and opts.provider is not None:
            raise TypeError("a provider has no provider")
        super().__init__(f"{_PROVIDERS}{package}", name, opts, properties=properties, sources=sources)
        self.package = package


class ComponentResource(Resource):
    """What groups resources."""

    def __init__(
        self, type_: str, name: str, props: Mapping[str, object] | None = None, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__(type_, name, opts)
        registration = self.standin_run.registered[-1]
        given = {key: (value, ANY) for key, value in (props or {}).items()}
        registration.properties, registration.sources = inputs(given)

    def register_outputs(self, outputs: Mapping[str, object]) -> None:
        """They are no part of a plan, but must be of a kind that can be sent."""
        inputs({key: (value, ANY) for key, value in outputs.items()})


@dataclass(kw_only=True)
class Registration:
    """What is known of a resource when it has been made; `sources` are those of each property."""

    resource: Resource
    type: str
    name: str
    opts: ResourceOptions
    properties: Mapping[str, Value] = field(default_factory=dict)
    sources: Mapping[str, frozenset[Resource]] = field(default_factory=dict)


class Run:
    """One plan in the making; `with Run(...) as run` makes it the one that resources go to.

    Args:
        stack: the stack's name.
        project: the project's name.
        subscription_id: of the Azure subscription; None when it is not known.
    """

    def __init__(self, stack: str, project: str, subscription_id: str | None) -> None:
        self.subscription_id = subscription_id
        self.registered: list[Registration] = []
        self._prefix = f"urn:pulumi:{stack}::{project}::"
        self._root = Node(
            urn=f"{self._prefix}{STACK_TYPE}::{project}-{stack}",
            type=STACK_TYPE,
            name=f"{project}-{stack}",
            parent="",
            custom=False,
        )

    def __enter__(self) -> Self:
        self._token = _RUN.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        _RUN.reset(self._token)

    def urn(self, type_: str, name: str, parent: Resource | None) -> str:
        """The URN of a resource of this plan."""
        above = f"{parent.standin_urn.split('::')[2]}$" if parent is not None else ""
        return f"{self._prefix}{above}{type_}::{name}"

    def graph(self) -> Graph:
        """What was registered. Only now, for a dependency on a component is one on all that is in it in the end.

        Raises:
            NotStoodInError: resources depend on each other in a circle.
            ValueError: two resources have one URN.
        """
        nodes = [self._root, *(self._node(registration) for registration in self.registered)]
        circle = graphlib.TopologicalSorter({node.urn: node.dependencies for node in nodes})
        try:
            circle.prepare()
        except graphlib.CycleError:
            raise NotStoodInError("resources that depend on each other") from None
        return Graph(nodes)

    def _node(self, registration: Registration) -> Node:
        resource, opts = registration.resource, registration.opts
        by_property = {key: urns for key, found in sorted(registration.sources.items()) if (urns := _urns(found))}
        depends_on = opts.depends_on or ()
        asked = _urns([depends_on] if isinstance(depends_on, Resource) else depends_on)
        return Node(
            urn=resource.standin_urn,
            type=registration.type,
            name=registration.name,
            parent=opts.parent.standin_urn if opts.parent is not None else self._root.urn,
            custom=isinstance(resource, CustomResource),
            properties=registration.properties,
            property_dependencies=by_property,
            dependencies=tuple(sorted({*asked, *(urn for urns in by_property.values() for urn in urns)})),
            provider=_provider(registration),
            protect=bool(resource.standin_protect),
            retain_on_delete=bool(opts.retain_on_delete),
            deleted_with=opts.deleted_with.standin_urn if opts.deleted_with is not None else "",
        )


_RUN: ContextVar[Run] = ContextVar("run")


def current() -> Run:
    """The plan in the making."""
    return _RUN.get()


def _provider(registration: Registration) -> str:
    resource, package = registration.resource, registration.type.partition(":")[0]
    if not isinstance(resource, CustomResource) or registration.type.startswith(_PROVIDERS):
        return ""
    provider = resource.standin_providers.get(package)
    return provider.standin_urn if provider is not None else ""


def _urns(resources: Iterable[Resource]) -> tuple[str, ...]:
    """Sorted, with components replaced by what is in them."""
    found: set[str] = set()
    ahead = list(resources)
    while ahead:
        resource = ahead.pop()
        if not isinstance(resource, Resource):
            raise NotStoodInError(f"a dependency on {type(resource).__name__}")
        if isinstance(resource, ComponentResource):
            ahead += resource.standin_children
        else:
            found.add(resource.standin_urn)
    return tuple(sorted(found))
