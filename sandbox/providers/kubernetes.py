"""The ``kubernetes`` provider over the sandbox's clusters. Run by the engine as ``pulumi-resource-kubernetes``.

Behaviour follows pulumi-kubernetes 4.34 (provider/pkg/provider): the provider is replaced only when its cluster
identifier changes, objects are named after the resource when they have no name, an unreachable cluster is an error of
the operation, not of the configuration.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from sandbox.cloud import open_store
from sandbox.contract import ContractBook, UnknownTypeError, check_inputs
from sandbox.contract.model import Contract
from sandbox.errors import Failure, KubernetesError, NotEmulatedError, SandboxError
from sandbox.kubernetes.api import RELEASE, Address, KubernetesApi
from sandbox.kubernetes.charts import CHARTS
from sandbox.kubernetes.kinds import Kind, invalid_name, replace_on
from sandbox.kubernetes.kubeconfig import ActiveCluster, find_cluster, parse_kubeconfig
from sandbox.pace import pace_from
from sandbox.providers.autoname import random_hex
from sandbox.providers.difference import Change, Difference, carry_over, compare
from sandbox.providers.faulty import Faulty
from sandbox.providers.shell import Backend, Checked, CheckRequest, Urn, run
from sandbox.store import Store
from sandbox.values import UNKNOWN, Properties, Value, reveal

_AUTONAMED = "pulumi.com/autonamed"
_EXACT_VERSION = re.compile(r"v?\d+\.\d+\.\d+([-+].+)?")
_TRUE = frozenset({"true", "1", True})
_PROVIDER = "kubernetes:index:Provider"
# A kind that has every object's metadata, for custom resources, which have no class of their own in the SDK.
_PLAIN_OBJECT = "kubernetes:core/v1:ConfigMap"


class Kubernetes(Backend):
    """Checks, compares and forwards to the API server of the cluster that the kubeconfig names."""

    package = "kubernetes"

    def __init__(self, store: Store, book: ContractBook) -> None:
        self.version = book.version
        self._store = store
        self._book = book
        self._settings: Properties = {}
        self._active: ActiveCluster | None = None

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
        return KubernetesApi(self._store, cluster)

    def check(self, request: CheckRequest) -> Checked:
        """Name filled in; then the contract, the name and, for releases, the chart."""
        kind = Kind.from_token(request.urn.type)
        if kind == RELEASE:
            return self._check_release(request)
        if kind.kind.endswith(("List", "Patch")):
            raise NotEmulatedError(
                f"the sandbox does not emulate '{request.urn.type}': lists and patches are refused (docs/sandbox.md)"
            )
        inputs = dict(request.news)
        metadata = inputs.get("metadata")
        if metadata is not UNKNOWN:
            inputs["metadata"] = _named(request, dict(reveal(metadata) or {}))
        inputs.setdefault("apiVersion", kind.api_version)
        inputs.setdefault("kind", kind.kind)
        failures = self._check_object(request.urn.type, kind, inputs)
        return Checked(inputs=inputs, failures=failures)

    def _check_object(self, token: str, kind: Kind, inputs: Properties) -> list[Failure]:
        contract = self._contract(token)
        if contract is not None:
            failures = check_inputs(contract, inputs)
        else:
            metadata = {"metadata": inputs.get("metadata")}
            failures = check_inputs(self._book.get(_PLAIN_OBJECT), metadata)
        name = inputs["metadata"].get("name") if isinstance(inputs["metadata"], dict) else UNKNOWN
        wrong = invalid_name(kind.kind, name) if isinstance(name, str) else None
        if wrong:
            failures.append(
                Failure(
                    "metadata.name", f'{kind.kind} "{name}" is invalid: metadata.name: Invalid value: "{name}": {wrong}'
                )
            )
        return failures

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
        return Checked(inputs=inputs, failures=failures or list(_check_chart(reveal(inputs))))

    def diff(self, urn: Urn, old_inputs: Properties, news: Properties) -> Difference:
        """Old inputs against new inputs; a field that the API server never changes replaces the object."""
        kind = Kind.from_token(urn.type)
        if kind == RELEASE:
            return Difference(changes=compare(old_inputs, news, ("name", "namespace")), delete_before_replace=True)
        paths = replace_on(
            kind.kind,
            config_map_mutable=self._flag("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
            secret_mutable=self._flag("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
        )
        changes = compare(old_inputs, news, paths)
        replaces = any(change.replace for change in changes.values())
        return Difference(changes=changes, delete_before_replace=replaces and not _is_autonamed(news))

    def preview(self, urn: Urn, inputs: Properties, state: Properties | None) -> Properties:  # noqa: ARG002
        """The inputs; what the API server adds is unknown."""
        contract = self._contract(urn.type)
        unknown = {"status": UNKNOWN} if contract is not None and "status" in contract.outputs.properties else {}
        return {**unknown, **inputs}

    def create(self, urn: Urn, inputs: Properties) -> tuple[str, Properties]:
        """Create an object or install a release."""
        kind, api = Kind.from_token(urn.type), self._api()
        address = self._address(api, kind, inputs)
        try:
            if kind == RELEASE:
                return address.id, api.create(address, self._released(api, inputs, revision=1))
            if self._contract(urn.type) is None:
                api.require_kind(kind)
            upsert = self._flag("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS")
            return address.id, api.create(address, inputs, upsert=upsert)
        except KubernetesError as error:
            raise SandboxError(
                f"resource {address.id} was not successfully created by the Kubernetes API server: {error}"
            ) from error

    def update(self, urn: Urn, resource_id: str, inputs: Properties, state: Properties) -> Properties:
        """Update an object or upgrade a release."""
        kind, api = Kind.from_token(urn.type), self._api()
        address = self._address(api, kind, inputs)
        try:
            if kind == RELEASE:
                revision = (reveal(state.get("status")) or {}).get("revision", 1) + 1
                return api.update(address, self._released(api, inputs, revision=revision))
            return api.update(address, inputs)
        except KubernetesError as error:
            raise SandboxError(
                f"update of resource {resource_id} failed because the Kubernetes API server reported: {error}"
            ) from error

    def delete(self, urn: Urn, resource_id: str, state: Properties) -> None:
        """Delete an object or uninstall a release."""
        kind = Kind.from_token(urn.type)
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
        api.delete(self._address_of(api, kind, resource_id, state))

    def read(
        self, urn: Urn, resource_id: str, state: Properties, inputs: Properties
    ) -> tuple[str, Properties, Properties] | None:
        """Read for a refresh or an import."""
        kind = Kind.from_token(urn.type)
        try:
            api = self._api()
        except UnreachableError:
            if self._flag("deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE"):
                return None
            raise
        address = self._address_of(api, kind, resource_id, state)
        live = api.get(address)
        if live is None:
            return None
        shown = _as_inputs(live, kind)
        return address.id, live, carry_over(inputs, _as_inputs(state, kind), shown) if inputs else shown

    def invoke(self, token: str, arguments: Properties) -> Properties:  # noqa: ARG002
        """Refused: the provider's functions render charts and YAML, which the sandbox does not."""
        raise NotEmulatedError(f"the sandbox does not emulate the function '{token}'")

    @staticmethod
    def _address(api: KubernetesApi, kind: Kind, inputs: Properties) -> Address:
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

    @staticmethod
    def _released(api: KubernetesApi, inputs: Properties, *, revision: int) -> Properties:
        """A release's outputs; its namespace is made when it asks for that."""
        plain = reveal(inputs)
        namespace = Address(Kind("", "v1", "Namespace"), "", plain["namespace"])
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


def _is_autonamed(inputs: Properties) -> bool:
    metadata = reveal(inputs.get("metadata"))
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return isinstance(annotations, dict) and annotations.get(_AUTONAMED) == "true"


def _named(request: CheckRequest, metadata: Properties) -> Properties:
    """Metadata with a name: as given, as before, or made from the resource's name."""
    if metadata.get("name") is not None or metadata.get("generateName") is not None:
        return metadata
    before: Value = reveal(request.olds.get("metadata"))
    if isinstance(before, dict) and _is_autonamed(request.olds):
        metadata["name"] = before["name"]
    elif request.autoname_mode in {"propose", "enforce"}:
        metadata["name"] = request.proposed_name
    elif request.autoname_mode != "disable":
        metadata["name"] = f"{request.urn.name}-{random_hex(request.random_seed, 8)}"
    annotations = metadata.get("annotations")
    if annotations is not UNKNOWN:
        metadata["annotations"] = {**(annotations or {}), _AUTONAMED: "true"}
    return metadata


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
    if (
        not chart.startswith(("oci://", "https://"))
        and repository is not UNKNOWN
        and str(repository).rstrip("/") != known.repository
    ):
        yield Failure(
            "repositoryOpts.repo", f'chart "{chart}" not found in {repository} repository: it is in {known.repository}'
        )
    version = inputs.get("version")
    if version is None or (isinstance(version, str) and not _EXACT_VERSION.fullmatch(version)):
        yield Failure(
            "version",
            f"the release must pin the chart's exact version, not '{version or 'latest'}': "
            "the sandbox has no chart index",
        )


def _as_inputs(live: Properties, kind: Kind) -> Properties:
    """The part of a live object that a program would write."""
    if kind == RELEASE:
        return {name: value for name, value in live.items() if name != "status"}
    shown = {name: value for name, value in live.items() if name != "status"}
    metadata = live.get("metadata")
    if isinstance(metadata, dict):
        kept = ("annotations", "labels", "name", "namespace", "generateName", "finalizers", "ownerReferences")
        shown["metadata"] = {name: metadata[name] for name in kept if name in metadata}
    return shown


def _backend() -> Backend:
    store = open_store()
    return Faulty(Kubernetes(store, ContractBook("kubernetes")), store, pace_from())


def main() -> None:
    """Entry point of the plugin."""
    run(_backend)


if __name__ == "__main__":
    main()
