"""The ``kubernetes`` provider over the sandbox's clusters. Run by the engine as ``pulumi-resource-kubernetes``.

Behaviour follows pulumi-kubernetes 4.34 (provider/pkg/provider, provider/pkg/await) in server-side apply mode, its
default: a create is a plain create by the manager ``pulumi-kubernetes``; the first update takes those fields over for
the resource's own manager; a preview is a dry run where the cluster is there; objects are named after the resource when
they have no name; the provider is replaced only when its cluster identifier changes; an unreachable cluster is an error
of the operation, not of the configuration.
"""

from __future__ import annotations

import os
import re
import sys
import uuid
from collections.abc import Iterable, Mapping
from typing import Literal

from sandbox.azure.operations import duration_in
from sandbox.cloud import open_store
from sandbox.contract import ContractBook, UnknownTypeError, check_inputs
from sandbox.contract.model import Contract
from sandbox.errors import Failure, KubernetesError, NotEmulatedError, PartialFailureError, SandboxError
from sandbox.kubernetes import definitions, names
from sandbox.kubernetes.api import DEFINITION, NAMESPACE, RELEASE, Address, KubernetesApi
from sandbox.kubernetes.charts import CHARTS
from sandbox.kubernetes.fields import FieldError, listed, mapped
from sandbox.kubernetes.kinds import Kind, is_served, replace_on
from sandbox.kubernetes.kubeconfig import ActiveCluster, find_cluster, parse_kubeconfig
from sandbox.kubernetes.lifecycle import Propagation
from sandbox.kubernetes.metadata import check_metadata
from sandbox.kubernetes.rules import check_object
from sandbox.kubernetes.schema import check_schema
from sandbox.pace import CancelledError, Pace, pace_from
from sandbox.providers.autoname import random_hex
from sandbox.providers.difference import Change, Difference, carry_over, compare
from sandbox.providers.faulty import Faulty
from sandbox.providers.kubernetes_inputs import (
    FIELD_MANAGER,
    annotation,
    as_inputs,
    is_autonamed,
    named,
    pruned,
    without_ignored,
)
from sandbox.providers.readiness import wait_until
from sandbox.providers.shell import Backend, Checked, CheckRequest, Urn, run
from sandbox.store import Store
from sandbox.values import UNKNOWN, Properties, has_unknown, reveal

_EXACT_VERSION = re.compile(r"v?\d+\.\d+\.\d+([-+].+)?")
_TRUE = frozenset({"true", "1", True})
# A kind that has every object's metadata, for custom resources, which have no class of their own in the SDK.
_PLAIN_OBJECT = "kubernetes:core/v1:ConfigMap"
# await.go, DefaultTimeout, and how often it looks here.
_TIMEOUT_SECONDS = 600.0
_POLL_SECONDS = 5.0
# Managers of a plain create by this provider: await.go, patchForce.
_CREATORS = frozenset({"pulumi-kubernetes", "pulumi-kubernetes.exe", "pulumi-resource-kubernetes"})
# Managers whose fields the first update takes over, by operation: await.go, fixCSAFieldManagers (names are prefixes).
_HANDED_OVER: Mapping[str, tuple[str, ...]] = {
    "Apply": ("kubectl",),
    "Update": ("kubectl", "before-first-apply", *sorted(_CREATORS)),
}
# What a preview passes over as the provider does: the cluster may be another one by then (provider.go, Create).
_PASSED_OVER = frozenset({"AlreadyExists", "Forbidden", "NamespaceNotFound", "NoKindMatch"})
# A release's row in sandbox/data/durations.csv: group and kind.
_RELEASE_TYPE = "helm.sh/Release"
_SSA_ONLY = ("enableServerSideApply", "renderYamlToDirectory")


class Kubernetes(Backend):
    """Checks, compares and forwards to the API server of the cluster that the kubeconfig names."""

    package = "kubernetes"

    def __init__(self, store: Store, book: ContractBook, pace: Pace | None = None) -> None:
        self.version = book.version
        self._store = store
        self._book = book
        self._pace = pace or Pace()
        self._settings: Properties = {}
        self._active: ActiveCluster | None = None

    def cancel(self) -> None:
        """End the wait for deletions."""
        self._pace.cancel()

    def check_config(self, news: Properties) -> Checked:
        """Refuse the modes that are not emulated."""
        plain = reveal(news)
        failures = []
        if plain.get("enableServerSideApply") in {False, "false"}:
            failures.append(Failure("enableServerSideApply", "the sandbox does not emulate client-side apply"))
        if plain.get("renderYamlToDirectory"):
            failures.append(Failure("renderYamlToDirectory", "the sandbox does not emulate rendering to YAML files"))
        return Checked(inputs=news, failures=failures)

    def diff_config(self, olds: Properties, news: Properties) -> Difference:
        """With a cluster identifier only its change replaces the provider; without one, another server does."""
        changes = compare(olds, news)
        if "clusterIdentifier" in news or "clusterIdentifier" in olds:
            replaces = {"clusterIdentifier"}
        elif {"kubeconfig", "context", "cluster"} & changes.keys() and self._other_server(olds, news):
            replaces = {"kubeconfig", "context", "cluster"}
        else:
            replaces = set()
        return Difference(
            changes={path: Change(change.kind, replace=path in replaces) for path, change in changes.items()}
        )

    @staticmethod
    def _other_server(olds: Properties, news: Properties) -> bool:
        try:
            old, new = (
                parse_kubeconfig(
                    str(reveal(config["kubeconfig"])), config.get("context", ""), config.get("cluster", "")
                )
                for config in (olds, news)
            )
        except (SandboxError, KeyError):
            return True
        return old.host != new.host

    def configure(self, variables: Properties) -> None:
        """Take the kubeconfig; whether its cluster can be reached shows at the first operation."""
        self._settings = reveal(variables)
        text = self._settings.get("kubeconfig")
        if text:
            self._active = parse_kubeconfig(
                str(text), self._settings.get("context", ""), self._settings.get("cluster", "")
            )

    def _flag(self, name: str, variable: str) -> bool:
        return self._settings.get(name, os.environ.get(variable, "")) in _TRUE

    def _api(self) -> KubernetesApi:
        if self._active is None:
            raise SandboxError(
                "the sandbox's Kubernetes needs an explicit provider with the kubeconfig of a cluster in its cloud"
            )
        cluster = find_cluster(self._store, self._active)
        if cluster is None:
            raise _unreachable(self._active)
        return KubernetesApi(self._store, cluster, types=self._type_errors)

    def check(self, request: CheckRequest) -> Checked:
        """Name filled in; then the contract and the API server's own rules; for releases, the chart."""
        token = request.urn.type
        kind, patch = self._kind(token)
        if kind == RELEASE:
            return self._check_release(request)
        if kind.kind.endswith("List") and self._contract(token) is not None:
            text = (
                "list resources exist for compatibility with YAML manifests and Helm charts, and cannot be created "
                "directly. Use the underlying resource type instead"
            )
            return Checked(inputs=request.news, failures=[Failure("", text)])
        inputs = dict(request.news)
        failures: list[Failure] = []
        metadata = reveal(inputs.get("metadata"))
        if metadata is None or isinstance(metadata, dict):
            inputs["metadata"], failures = named(request, dict(metadata or {}), patch=patch)
        inputs.setdefault("apiVersion", kind.api_version)
        inputs.setdefault("kind", kind.kind)
        return Checked(inputs=inputs, failures=failures or self._check_object(token, kind, inputs, patch=patch))

    def _kind(self, token: str) -> tuple[Kind, bool]:
        """The kind that a type stands for, and whether it is a Patch resource of it."""
        kind = Kind.from_token(token)
        if kind.kind.endswith("Patch") and self._contract(token) is not None:
            return Kind(kind.group, kind.version, kind.kind.removesuffix("Patch")), True
        return kind, False

    def _check_object(self, token: str, kind: Kind, inputs: Properties, *, patch: bool) -> list[Failure]:
        contract = self._contract(token)
        if contract is not None and not is_served(kind):
            return [Failure("", f'no matches for kind "{kind.kind}" in version "{kind.api_version}"')]
        schema = definitions.chart_schema(kind) if contract is None else None
        if contract is not None:
            failures = check_inputs(contract, inputs)
        else:
            failures = check_inputs(self._book.get(_PLAIN_OBJECT), {"metadata": inputs.get("metadata")})
            failures += _identity(kind, inputs)
        # A patch is part of an object: what it makes of the whole shows when it is applied.
        errors = list(check_metadata(kind, inputs)) if patch else check_object(kind, inputs)
        errors += check_schema(schema, inputs) if schema is not None and not patch else []
        told = {failure.path for failure in failures}
        name = mapped(inputs, "metadata").get("name")
        return failures + [
            Failure(error.path, f'{kind.qualified} "{name}" is invalid: {error}')
            for error in errors
            if error.path not in told
        ]

    def _contract(self, token: str) -> Contract | None:
        """The SDK's own contract, or None for a kind that only a custom resource definition can bring."""
        try:
            return self._book.get(token)
        except UnknownTypeError:
            return None

    def _check_release(self, request: CheckRequest) -> Checked:
        inputs = dict(request.news)
        if "name" not in inputs:
            inputs["name"] = request.olds.get("name") or f"{request.urn.name}-{random_hex(request.random_seed, 8)}"
        inputs.setdefault("namespace", "default")
        inputs.setdefault("timeout", 300)
        failures = check_inputs(self._book.get(request.urn.type), inputs)
        return Checked(inputs=inputs, failures=failures or list(_check_release_fields(reveal(inputs))))

    def diff(self, urn: Urn, old_inputs: Properties, news: Properties) -> Difference:
        """Old inputs against new inputs; a field that the API server never changes replaces the object."""
        kind, patch = self._kind(urn.type)
        if kind == RELEASE:
            return Difference(changes=compare(old_inputs, news, ("name", "namespace")), delete_before_replace=True)
        if patch:
            return Difference(changes=compare(old_inputs, news, ("metadata.name", "metadata.namespace")))
        paths = replace_on(
            kind,
            config_map_mutable=self._flag("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
            secret_mutable=self._flag("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
        )
        changes = compare(old_inputs, news, paths)
        replaces = any(change.replace for change in changes.values())
        return Difference(changes=changes, delete_before_replace=replaces and not is_autonamed(news))

    def preview(self, urn: Urn, inputs: Properties, state: Properties | None) -> Properties:
        """The inputs, after a dry run where the cluster is there; what the API server adds is unknown."""
        contract = self._contract(urn.type)
        kind, patch = self._kind(urn.type)
        if kind != RELEASE and not has_unknown(inputs) and not (patch and state is None) and self._cluster():
            if state is None:
                self._dry_create(kind, inputs)
            else:
                self._update(urn, kind, inputs, state, patch=patch, dry_run=True)
        unknown = {"status": UNKNOWN} if contract is not None and "status" in contract.outputs.properties else {}
        return {**unknown, **inputs}

    def _dry_create(self, kind: Kind, inputs: Properties) -> None:
        api = self._api()
        address = self._address(api, kind, inputs)
        try:
            if self._flag("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"):
                api.apply(address, inputs, manager="pulumi-kubernetes", force=True, dry_run=True)
            else:
                self._require_kind(api, kind)
                api.create(address, inputs, dry_run=True)
        except KubernetesError as error:
            if error.reason not in _PASSED_OVER:
                raise _create_error(address, error) from error

    def create(self, urn: Urn, inputs: Properties) -> tuple[str, Properties]:
        """Create an object, apply a patch or install a release."""
        (kind, patch), api = self._kind(urn.type), self._api()
        address = self._address(api, kind, inputs)
        if kind == RELEASE:
            try:
                made = api.put_release(address, self._released(api, inputs, revision=1), create=True)
            except KubernetesError as error:
                raise _create_error(address, error) from error
            try:
                self._await_release(inputs, "create")
            except CancelledError as error:
                # As Helm's wait: the release is there, and the state knows it.
                raise PartialFailureError(address.id, made, str(error)) from error
            return address.id, made
        manager = self._new_manager(api, urn, address, inputs)
        try:
            self._require_kind(api, kind)
            if patch or self._flag("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"):
                live = api.apply(address, inputs, manager=manager, force=self._force(inputs))
            else:
                live = api.create(address, inputs)
        except KubernetesError as error:
            raise _create_error(address, _with_manager(error, manager)) from error
        self._warn(api, address, live)
        return address.id, self._await_ready(api, address, inputs, manager, "create")

    def update(self, urn: Urn, resource_id: str, inputs: Properties, state: Properties) -> Properties:  # noqa: ARG002
        """Update an object or upgrade a release."""
        kind, patch = self._kind(urn.type)
        if kind != RELEASE:
            return self._update(urn, kind, inputs, state, patch=patch, dry_run=False)
        api = self._api()
        revision = (reveal(state.get("status")) or {}).get("revision", 1) + 1
        address = self._address(api, kind, inputs)
        try:
            upgraded = api.put_release(address, self._released(api, inputs, revision=revision), create=False)
        except KubernetesError as error:
            raise _update_error(address, error) from error
        self._await_release(inputs, "update")
        return upgraded

    def _await_release(self, inputs: Properties, verb: Literal["create", "update"]) -> None:
        """Wait as Helm does until the chart's workloads are ready; `skipAwait` does without."""
        if not reveal(inputs.get("skipAwait")):
            self._pace.sleep(duration_in(self._store.get, _RELEASE_TYPE, verb).seconds)

    def _update(
        self, urn: Urn, kind: Kind, inputs: Properties, state: Properties, *, patch: bool, dry_run: bool
    ) -> Properties:
        api = self._api()
        address = self._address(api, kind, inputs)
        manager = str(state.get(FIELD_MANAGER) or self._new_manager(api, urn, address, inputs))
        manager = annotation(inputs, "patchFieldManager") or manager
        try:
            self._require_kind(api, kind)
            live = api.require(address)
            if kind == DEFINITION and not patch:
                return {**api.update(address, inputs, manager=manager, dry_run=dry_run), FIELD_MANAGER: manager}
            if not patch and not dry_run:
                api.hand_over(address, manager, _HANDED_OVER)
            managers = api.managers(address)
            created_by_us = any(item.operation == "Update" and item.name in _CREATORS for item in managers)
            wanted = without_ignored(inputs, live, managers, manager, self.ignore_changes.get())
            force = self._force(inputs) or (dry_run and created_by_us)
            live = api.apply(address, wanted, manager=manager, force=force, dry_run=dry_run)
        except KubernetesError as error:
            if dry_run and error.reason == "NoKindMatch":
                return inputs
            raise _update_error(address, _with_manager(error, manager)) from error
        if dry_run:
            return {**live, FIELD_MANAGER: manager}
        self._warn(api, address, live)
        return self._await_ready(api, address, inputs, manager, "update")

    def _await_ready(
        self, api: KubernetesApi, address: Address, inputs: Properties, manager: str, verb: Literal["create", "update"]
    ) -> Properties:
        """The resource's state once what it waits for holds, which takes as long as its controllers do."""

        def known() -> Properties:
            return {**(api.observed(address) or {}), FIELD_MANAGER: manager}

        wait_for = annotation(inputs, "waitFor")
        if not wait_for or annotation(inputs, "skipAwait") == "true":
            return known()
        seconds = duration_in(self._store.get, f"{address.kind.group}/{address.kind.kind}", verb).seconds
        try:
            wait_until(wait_for, known, self._pace, seconds=seconds, timeout=self.timeout.get() or _TIMEOUT_SECONDS)
        except SandboxError as error:
            # The object is there, and the state knows it: the next run updates it, and waits again.
            raise PartialFailureError(address.id, known(), f"'{address.id}': {error}") from error
        return known()

    def delete(self, urn: Urn, resource_id: str, state: Properties) -> None:
        """Delete an object, let go of a patch's fields, or uninstall a release."""
        kind, patch = self._kind(urn.type)
        try:
            api = self._api()
        except UnreachableError as error:
            if self._flag("deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE"):
                return
            hint = (
                "If the cluster was deleted, remove this resource from the state with 'pulumi state delete', "
                "or run again with PULUMI_K8S_DELETE_UNREACHABLE=true"
            )
            raise SandboxError(f"{error}. {hint}") from error
        address = self._address_of(api, kind, resource_id, state)
        if patch:
            self._relinquish(api, address, str(state.get(FIELD_MANAGER, "")))
            return
        wanted = annotation(state, "deletionPropagationPolicy")
        propagation: Propagation = (
            "orphan" if wanted == "orphan" else "background" if wanted == "background" else "foreground"
        )
        left = api.delete(address, propagation)
        if left is not None:
            self._wait_until_gone(api, address)

    @staticmethod
    def _relinquish(api: KubernetesApi, address: Address, manager: str) -> None:
        if api.get(address) is None:
            return
        identity = {
            "apiVersion": address.kind.api_version,
            "kind": address.kind.kind,
            "metadata": {"name": address.name},
        }
        try:
            api.apply(address, identity, manager=manager)
        except KubernetesError as error:
            raise SandboxError(
                "this Patch resource is currently managing a required field, so it can't be deleted directly. Either "
                "set the `retainOnDelete` resource option, or transfer ownership of the field before deleting: "
                f"{error}"
            ) from error

    def _wait_until_gone(self, api: KubernetesApi, address: Address) -> None:
        timeout = self.timeout.get() or _TIMEOUT_SECONDS
        waited = 0.0
        while (live := api.get(address)) is not None:
            if waited >= timeout:
                finalizers = ", ".join(str(item) for item in listed(mapped(live, "metadata"), "finalizers"))
                held = f"finalizers might be preventing deletion ({finalizers})"
                if address.kind == NAMESPACE and not finalizers:
                    held = "objects in the namespace are still being deleted"
                raise SandboxError(f"timed out waiting for the condition: '{address.id}' is still there: {held}")
            self._pace.sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS

    def read(
        self, urn: Urn, resource_id: str, state: Properties, inputs: Properties
    ) -> tuple[str, Properties, Properties] | None:
        """Read for a refresh or an import."""
        kind, _ = self._kind(urn.type)
        try:
            api = self._api()
        except UnreachableError:
            if self._flag("deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE"):
                return None
            raise
        address = self._address_of(api, kind, resource_id, state)
        live = api.observed(address)
        if live is None:
            return None
        shown = as_inputs(live, kind)
        if inputs:
            shown = carry_over(inputs, as_inputs(state, kind), shown if kind == RELEASE else pruned(shown, inputs))
        if kind == RELEASE:
            return address.id, live, shown
        manager = state.get(FIELD_MANAGER) or self._new_manager(api, urn, address, shown)
        return address.id, {**live, FIELD_MANAGER: manager}, shown

    def invoke(self, token: str, arguments: Properties) -> Properties:  # noqa: ARG002
        """Refused: the provider's functions render charts and YAML, which the sandbox does not."""
        raise NotEmulatedError(f"the sandbox does not emulate the function '{token}'")

    def _require_kind(self, api: KubernetesApi, kind: Kind) -> None:
        if not is_served(kind):
            api.require_kind(kind)

    def _force(self, inputs: Properties) -> bool:
        return annotation(inputs, "patchForce") == "true" or self._flag(
            "enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE"
        )

    @staticmethod
    def _new_manager(api: KubernetesApi, urn: Urn, address: Address, inputs: Properties) -> str:
        """A field manager for a resource: the provider draws it at random, here two runs draw the same."""
        chosen = annotation(inputs, "patchFieldManager")
        live = api.get(address) or {}
        seed = f"{mapped(live, 'metadata').get('uid', address.id)} {urn.type} {urn.name} {len(api.managers(address))}"
        return chosen or f"pulumi-kubernetes-{uuid.uuid5(uuid.NAMESPACE_OID, seed).hex[:8]}"

    @staticmethod
    def _warn(api: KubernetesApi, address: Address, live: Properties) -> None:
        # client-go writes an API server's warnings to stderr, and the engine shows a plugin's stderr.
        for warning in api.warnings(address, live):
            sys.stderr.write(f"Warning: {warning}\n")

    def _cluster(self) -> str | None:
        return find_cluster(self._store, self._active) if self._active else None

    def _address(self, api: KubernetesApi, kind: Kind, inputs: Properties) -> Address:
        plain = reveal(inputs)
        return (
            Address(RELEASE, plain["namespace"], plain["name"])
            if kind == RELEASE
            else api.address(kind, plain["metadata"])
        )

    def _address_of(self, api: KubernetesApi, kind: Kind, resource_id: str, state: Properties) -> Address:
        if kind == RELEASE or not reveal(state.get("metadata")):
            namespace, _, name = resource_id.rpartition("/")
            return Address(kind, namespace, name)
        return self._address(api, kind, state)

    def _type_errors(self, kind: Kind, body: Properties) -> list[FieldError]:
        """What the SDK's types say of an object as a whole, for what a patch or an edit makes of it."""
        token = f"kubernetes:{kind.group or 'core'}/{kind.version}:{kind.kind}"
        contract = self._contract(token)
        content = {key: value for key, value in body.items() if key != "status"}
        return [FieldError(found.path, found.reason) for found in check_inputs(contract, content)] if contract else []

    @staticmethod
    def _released(api: KubernetesApi, inputs: Properties, *, revision: int) -> Properties:
        """A release's outputs; its namespace is made when it asks for that."""
        plain = reveal(inputs)
        namespace = Address(NAMESPACE, "", plain["namespace"])
        if plain.get("createNamespace") and api.get(namespace) is None:
            api.create(namespace, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": plain["namespace"]}})
        status = {
            "status": "deployed",
            "revision": revision,
            "name": plain["name"],
            "namespace": plain["namespace"],
            "chart": plain["chart"],
            "version": plain["version"],
            "appVersion": plain["version"],
        }
        return {**inputs, "status": status}


class UnreachableError(SandboxError):
    """The cluster of the provider's kubeconfig does not exist."""


def _unreachable(active: ActiveCluster) -> UnreachableError:
    return UnreachableError(
        "configured Kubernetes cluster is unreachable: unable to load schema information from the API server: "
        f'Get "{active.server}/openapi/v2?timeout=32s": dial tcp: lookup {active.host}: no such host'
    )


def _create_error(address: Address, error: KubernetesError) -> SandboxError:
    if error.reason == "NoKindMatch":
        kind = f"{address.kind.api_version}/{address.kind.kind}"
        return SandboxError(
            f"creation of resource {address.id} with kind {kind} failed because the Kubernetes API server reported "
            "that the apiVersion for this resource does not exist. Verify that any required CRDs have been created: "
            f"{error}"
        )
    hint = ""
    if error.reason == "AlreadyExists":
        hint = (
            ". It is in the cluster already: import it ('pulumi import'), manage single fields of it with a Patch "
            "resource, or set upsertExistingObjects on the provider"
        )
    return SandboxError(
        f"resource {address.id} was not successfully created by the Kubernetes API server: {error}{hint}"
    )


def _update_error(address: Address, error: KubernetesError) -> SandboxError:
    return SandboxError(f"update of resource {address.id} failed because the Kubernetes API server reported: {error}")


def _with_manager(error: KubernetesError, manager: str) -> KubernetesError:
    """A field conflict as the provider words it (await.go, handleSSAErr)."""
    if error.reason != "Conflict" or not str(error).startswith("Apply failed"):
        return error
    text = (
        "server-side apply field conflict detected, see https://www.pulumi.com/registry/packages/kubernetes/"
        "how-to-guides/managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources for "
        f'troubleshooting help\nThe resource managed by field manager "{manager}" had an apply conflict: {error}'
    )
    return KubernetesError("Conflict", text)


def _identity(kind: Kind, inputs: Properties) -> list[Failure]:
    """A custom resource's apiVersion and kind must be those of its type."""
    expected = {"apiVersion": kind.api_version, "kind": kind.kind}
    return [
        Failure(field, f"'{field}' must be '{value}', but got '{inputs[field]}'")
        for field, value in expected.items()
        if inputs[field] is not UNKNOWN and reveal(inputs[field]) != value
    ]


def _check_release_fields(inputs: Properties) -> Iterable[Failure]:
    """Name (Helm: chartutil.ValidateReleaseName), namespace and timeout; then the chart."""
    checks = (("name", lambda text: names.subdomain(text, limit=53)), ("namespace", names.label))
    for field, wrong in checks:
        value = inputs.get(field)
        found = wrong(value) if isinstance(value, str) else None
        if found:
            yield Failure(field, f"invalid release {field} '{value}': {found}")
    timeout = inputs.get("timeout")
    # Nanoseconds of a time.Duration are an int64.
    if isinstance(timeout, int) and not 0 <= timeout < 2**63 // 10**9:
        yield Failure("timeout", f"'timeout' must be a number of seconds from 0 to {2**63 // 10**9}, but got {timeout}")
    yield from _check_chart(inputs)


def _check_chart(inputs: Properties) -> Iterable[Failure]:
    """The chart must be one the sandbox knows, from its repository, in an exact version."""
    chart = inputs.get("chart")
    if not isinstance(chart, str):
        return
    known = CHARTS.get(chart.rpartition("/")[2])
    if known is None:
        listed = ", ".join(sorted(CHARTS))
        yield Failure(
            "chart",
            f"the sandbox does not emulate the chart '{chart}' (it knows {listed}); "
            "a chart is one entry in sandbox/kubernetes/charts.py",
        )
        return
    options = inputs.get("repositoryOpts")
    repository = options.get("repo") if isinstance(options, dict) else None
    in_registry = chart.startswith("oci://")
    if in_registry:
        repository = chart.rpartition("/")[0]
    if (
        not chart.startswith("https://")
        and repository is not UNKNOWN
        and str(repository).rstrip("/") != known.repository
    ):
        yield Failure(
            "chart" if in_registry else "repositoryOpts.repo",
            f'chart "{chart}" not found in {repository} repository: it is in {known.repository}',
        )
    version = inputs.get("version")
    if version is None or (isinstance(version, str) and not _EXACT_VERSION.fullmatch(version)):
        yield Failure(
            "version",
            f"the release must pin the chart's exact version, not '{version or 'latest'}': "
            "the sandbox has no chart index",
        )


def _backend() -> Backend:
    store, pace = open_store(), pace_from()
    return Faulty(Kubernetes(store, ContractBook("kubernetes"), pace), store, pace)


def main() -> None:
    """Entry point of the plugin."""
    run(_backend)


if __name__ == "__main__":
    main()
