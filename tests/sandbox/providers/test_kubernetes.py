from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.azure.aks_credentials import kubeconfig
from sandbox.contract import ContractBook
from sandbox.errors import Failure, NotEmulatedError, PartialFailureError, SandboxError
from sandbox.kubernetes.api import Address, KubernetesApi
from sandbox.kubernetes.kinds import Kind
from sandbox.pace import Pace
from sandbox.providers.kubernetes import Kubernetes
from sandbox.providers.shell import Checked, CheckRequest, Urn
from sandbox.store import Store
from sandbox.values import UNKNOWN, Secret

if TYPE_CHECKING:
    from tests.sandbox.conftest import Azure

NAMESPACE = Urn("kubernetes:core/v1:Namespace", "ns")
CONFIG = Urn("kubernetes:core/v1:ConfigMap", "settings")
DEPLOYMENT = Urn("kubernetes:apps/v1:Deployment", "web")
RELEASE = Urn("kubernetes:helm.sh/v3:Release", "network-operator")
RULE = Urn("kubernetes:nfd.k8s-sigs.io/v1alpha1:NodeFeatureRule", "rule")
SEED = bytes(range(64))
REPOSITORY = "https://helm.ngc.nvidia.com/nvidia"
CHART: dict[str, Any] = {
    "chart": "network-operator",
    "name": "network-operator",
    "namespace": "default",
    "version": "26.4.0",
    "repositoryOpts": {"repo": REPOSITORY},
}


def check(provider: Kubernetes, urn: Urn, news: dict[str, Any], olds: dict[str, Any] | None = None) -> Checked:
    return provider.check(CheckRequest(urn=urn, olds=olds or {}, news=news, random_seed=SEED))


@pytest.fixture
def config(azure: Azure) -> str:
    azure.group()
    cluster = azure.cluster()
    return kubeconfig(azure.manager.context_of(cluster), cluster.outputs, user="clusterUser")


@pytest.fixture
def provider(store: Store, kubernetes_book: ContractBook, config: str) -> Kubernetes:
    backend = Kubernetes(store, kubernetes_book)
    backend.configure({"kubeconfig": Secret(config)})
    return backend


# ---- the provider's configuration


@pytest.mark.parametrize(
    ("old", "new", "replaces"),
    [
        ({"clusterIdentifier": "a", "kubeconfig": "x"}, {"clusterIdentifier": "a", "kubeconfig": "y"}, []),
        ({"clusterIdentifier": "a"}, {"clusterIdentifier": "b"}, ["clusterIdentifier"]),
        ({"kubeconfig": "x"}, {"clusterIdentifier": "b", "kubeconfig": "x"}, ["clusterIdentifier"]),
        ({"kubeconfig": "x"}, {"kubeconfig": UNKNOWN}, ["kubeconfig"]),
    ],
)
def test_what_replaces_the_provider(
    provider: Kubernetes, old: dict[str, Any], new: dict[str, Any], replaces: list[str]
) -> None:
    assert provider.diff_config(old, new).replaces == replaces


def test_another_user_of_the_same_server_replaces_nothing(provider: Kubernetes, config: str) -> None:
    other = config.replace("clusterUser", "clusterOther")
    assert provider.diff_config({"kubeconfig": config}, {"kubeconfig": other}).replaces == []
    elsewhere = config.replace(".hcp.eastus.", ".hcp.westus.")
    assert provider.diff_config({"kubeconfig": config}, {"kubeconfig": elsewhere}).replaces == ["kubeconfig"]


def test_a_cluster_that_is_gone(provider: Kubernetes, azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    resource_id, live = provider.create(NAMESPACE, {"metadata": {"name": "a"}})
    cluster = next(found for found in azure.manager.all() if found.pulumi_type.endswith(":ManagedCluster"))
    azure.manager.delete(cluster.id)
    with pytest.raises(SandboxError, match=r"cluster is unreachable: .*dial tcp: lookup .*azmk8s\.io: no such host"):
        provider.create(NAMESPACE, {"metadata": {"name": "b"}})
    with pytest.raises(SandboxError, match="unreachable"):
        provider.read(NAMESPACE, resource_id, live, {})
    with pytest.raises(SandboxError, match="PULUMI_K8S_DELETE_UNREACHABLE=true"):
        provider.delete(NAMESPACE, resource_id, live)
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
    provider.delete(NAMESPACE, resource_id, live)
    assert provider.read(NAMESPACE, resource_id, live, {}) is None


def test_a_cluster_takes_its_objects_along(provider: Kubernetes, azure: Azure, store: Store) -> None:
    provider.create(NAMESPACE, {"metadata": {"name": "a"}})
    cluster = next(found for found in azure.manager.all() if found.pulumi_type.endswith(":ManagedCluster"))
    azure.manager.delete(cluster.id)
    assert [record["id"].rpartition("/")[2] for _, record in store.items()] == ["rg"]


def test_no_kubeconfig(store: Store, kubernetes_book: ContractBook) -> None:
    backend = Kubernetes(store, kubernetes_book)
    backend.configure({})
    with pytest.raises(SandboxError, match="needs an explicit provider with the kubeconfig"):
        backend.create(NAMESPACE, {"metadata": {"name": "a"}})


# ---- check


def test_an_object_without_a_name_is_named_after_the_resource(provider: Kubernetes) -> None:
    inputs = check(provider, CONFIG, {"data": {"a": "b"}}).inputs
    name = inputs["metadata"]["name"]
    assert name.startswith("settings-")
    assert len(name) == len("settings-") + 8
    assert inputs["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}
    assert check(provider, CONFIG, {"data": {"a": "c"}}, olds=inputs).inputs["metadata"]["name"] == name


def test_builtin_kinds_are_checked_at_every_depth(provider: Kubernetes) -> None:
    container = {"name": "web", "image": "x", "imagePullPolice": "Always", "ports": [{"containerPort": "80"}]}
    news = {
        "metadata": {"name": "Web", "label": {}},
        "spec": {
            "selector": {"matchLabels": {"a": 1}},
            "template": {"metadata": {"labels": {"a": 1}}, "spec": {"containers": [container]}},
        },
    }
    reasons = {failure.path: failure.reason for failure in check(provider, DEPLOYMENT, news).failures}
    container_path = "spec.template.spec.containers[0]"
    text = (
        'Deployment.apps "Web" is invalid: metadata.name: Invalid value: "Web": a lowercase RFC 1123 subdomain '
        "must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric "
        "character"
    )
    assert reasons == {
        "metadata.label": "unknown property 'metadata.label'; did you mean 'labels'?",
        "metadata.name": text,
        "spec.selector.matchLabels.a": "'spec.selector.matchLabels.a' should be of type 'string' but got a number",
        "spec.template.metadata.labels.a": (
            "'spec.template.metadata.labels.a' should be of type 'string' but got a number"
        ),
        f"{container_path}.imagePullPolice": (
            f"unknown property '{container_path}.imagePullPolice'; did you mean 'imagePullPolicy'?"
        ),
        f"{container_path}.ports[0].containerPort": (
            f"'{container_path}.ports[0].containerPort' should be of type 'integer' but got a string"
        ),
    }


def test_metadata_of_custom_resources_is_checked(provider: Kubernetes) -> None:
    news = {"metadata": {"name": "a", "labels": {"a": 1}}, "spec": {"rules": []}}
    assert [failure.path for failure in check(provider, RULE, news).failures] == ["metadata.labels.a"]


@pytest.mark.parametrize(
    ("token", "news", "reason"),
    [
        ("core/v1:ConfigMapList", {}, "list resources exist for compatibility"),
        ("core/v1:ConfigMapPatch", {}, "patch resources require the `.metadata.name` field to be set"),
        ("core/v1:ConfigMap", {"metadata": {"generateName": "a-"}}, "not supported in Server-Side Apply mode"),
        ("batch/v1beta1:CronJob", {}, 'no matches for kind "CronJob" in version "batch/v1beta1"'),
        ("core/v1:ConfigMap", {"kind": "Secret"}, "'kind' must be one of 'ConfigMap', but got 'Secret'"),
        (
            "nfd.k8s-sigs.io/v1alpha1:NodeFeatureRule",
            {"kind": "Rule", "spec": {"rules": []}},
            "'kind' must be 'NodeFeatureRule', but got 'Rule'",
        ),
    ],
)
def test_what_a_provider_refuses_whatever_the_cluster(
    provider: Kubernetes, token: str, news: dict[str, Any], reason: str
) -> None:
    [failure] = check(provider, Urn(f"kubernetes:{token}", "x"), news).failures
    assert reason in failure.reason


@pytest.mark.parametrize("setting", [{"enableServerSideApply": False}, {"renderYamlToDirectory": "out"}])
def test_modes_that_are_not_emulated(provider: Kubernetes, setting: dict[str, Any]) -> None:
    assert [failure.path for failure in provider.check_config(setting).failures] == list(setting)
    assert provider.check_config({"enableServerSideApply": True}).failures == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({}, None),
        ({"chart": "nvidia/network-operator"}, None),
        ({"chart": "keda"}, "chart"),
        ({"repositoryOpts": {"repo": "https://charts.example.com"}}, "repositoryOpts.repo"),
        ({"chart": "oci://charts.example.com/kueue", "repositoryOpts": None}, "chart"),
        ({"repositoryOpts": None}, "repositoryOpts.repo"),
        ({"version": None}, "version"),
        ({"version": "^26.0.0"}, "version"),
        ({"version": "v26.4.0"}, None),
        ({"chrt": "x"}, "chrt"),
    ],
)
def test_charts(provider: Kubernetes, change: dict[str, Any], path: str | None) -> None:
    news = {key: value for key, value in {**CHART, **change}.items() if value is not None}
    assert [failure.path for failure in check(provider, RELEASE, news).failures] == ([path] if path else [])


def test_a_release_is_named_after_the_resource(provider: Kubernetes) -> None:
    news = {key: value for key, value in CHART.items() if key not in {"name", "namespace"}}
    inputs = check(provider, RELEASE, news).inputs
    assert inputs["name"].startswith("network-operator-")
    assert (inputs["namespace"], inputs["timeout"]) == ("default", 300)


# ---- diff


@pytest.mark.parametrize(
    ("urn", "old", "new", "replaces"),
    [
        (CONFIG, {"data": {"a": "1"}}, {"data": {"a": "2"}}, ["data.a"]),
        (DEPLOYMENT, {"spec": {"replicas": 1}}, {"spec": {"replicas": 2}}, []),
        (
            DEPLOYMENT,
            {"spec": {"selector": {"matchLabels": {"a": "1"}}}},
            {"spec": {"selector": {"matchLabels": {"a": "2"}}}},
            ["spec.selector.matchLabels.a"],
        ),
        (NAMESPACE, {"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}, ["metadata.name"]),
        (NAMESPACE, {"metadata": {"labels": {"a": "1"}}}, {"metadata": {"labels": {"a": "2"}}}, []),
        (RELEASE, {"values": {"a": 1}}, {"values": {"a": 2}}, []),
        (RELEASE, {"namespace": "a"}, {"namespace": "b"}, ["namespace"]),
    ],
)
def test_replacements(
    provider: Kubernetes, urn: Urn, old: dict[str, Any], new: dict[str, Any], replaces: list[str]
) -> None:
    found = provider.diff(urn, old, new)
    assert found.changes
    assert found.replaces == replaces


def test_mutable_config_maps(provider: Kubernetes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE", "true")
    assert provider.diff(CONFIG, {"data": {"a": "1"}}, {"data": {"a": "2"}}).replaces == []


# ---- operations


def test_objects_live(provider: Kubernetes) -> None:
    resource_id, live = provider.create(NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}})
    assert resource_id == "a"
    assert live["status"] == {"phase": "Active"}
    assert live["metadata"]["labels"] == {"kubernetes.io/metadata.name": "a"}
    assert live["metadata"]["resourceVersion"] == "1"
    again = provider.update(NAMESPACE, resource_id, {"metadata": {"name": "a", "labels": {"b": "c"}}}, live)
    assert again["metadata"]["resourceVersion"] == "2"
    assert again["metadata"]["uid"] == live["metadata"]["uid"]
    provider.delete(NAMESPACE, resource_id, again)
    _, new = provider.create(NAMESPACE, {"metadata": {"name": "a"}})
    assert new["metadata"]["uid"] != live["metadata"]["uid"]


def test_a_namespace_must_exist_and_takes_its_objects_along(provider: Kubernetes) -> None:
    inputs = {"metadata": {"name": "c", "namespace": "a"}, "data": {"k": "v"}}
    with pytest.raises(SandboxError) as error:
        provider.create(CONFIG, inputs)
    assert str(error.value) == (
        'resource a/c was not successfully created by the Kubernetes API server: namespaces "a" not found'
    )
    _, namespace = provider.create(NAMESPACE, {"metadata": {"name": "a"}})
    resource_id, live = provider.create(CONFIG, inputs)
    assert resource_id == "a/c"
    with pytest.raises(SandboxError, match='configmaps "c" already exists'):
        provider.create(CONFIG, inputs)
    provider.delete(NAMESPACE, "a", namespace)
    assert provider.read(CONFIG, resource_id, live, inputs) is None


def test_custom_resources_need_a_definition(provider: Kubernetes) -> None:
    inputs = {
        "apiVersion": "nfd.k8s-sigs.io/v1alpha1",
        "kind": "NodeFeatureRule",
        "metadata": {"name": "a"},
        "spec": {"rules": []},
    }
    with pytest.raises(
        SandboxError, match=r'no matches for kind "NodeFeatureRule" in version "nfd\.k8s-sigs\.io/v1alpha1"'
    ):
        provider.create(RULE, inputs)
    provider.create(RELEASE, {**CHART, "values": {"nfd": {"enabled": False}}})
    with pytest.raises(SandboxError, match="no matches for kind"):
        provider.create(RULE, inputs)
    release_id = "default/network-operator"
    enabled = {**CHART, "values": {"nfd": {"enabled": True}}}
    live = provider.update(RELEASE, release_id, enabled, {"status": {"revision": 1}})
    assert live["status"]["revision"] == 2
    resource_id, _ = provider.create(RULE, inputs)
    assert resource_id == "a"


def test_a_definition_can_be_an_object(provider: Kubernetes) -> None:
    definition = Urn("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", "crd")
    names = {"kind": "Widget", "plural": "widgets"}
    size = {"type": "object", "properties": {"size": {"type": "integer", "minimum": 1}}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": size}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    spec = {"group": "example.com", "names": names, "scope": "Namespaced", "versions": [version]}
    provider.create(definition, {"metadata": {"name": "widgets.example.com"}, "spec": spec})
    widget = Urn("kubernetes:example.com/v1:Widget", "w")
    with pytest.raises(
        SandboxError, match=r"spec\.size: Invalid value: 0: spec\.size in body should be greater than or"
    ):
        provider.create(widget, {"metadata": {"name": "w"}, "spec": {"size": 0}})
    resource_id, _ = provider.create(widget, {"metadata": {"name": "w"}, "spec": {"size": 1}})
    assert resource_id == "default/w"
    with pytest.raises(SandboxError, match=r'no matches for kind "Widget" in version "example\.com/v2"'):
        provider.create(Urn("kubernetes:example.com/v2:Widget", "x"), {"metadata": {"name": "x"}})


def test_a_release_is_deployed(provider: Kubernetes) -> None:
    resource_id, live = provider.create(RELEASE, {**CHART, "namespace": "new", "createNamespace": True})
    assert resource_id == "new/network-operator"
    assert live["status"] == {
        "status": "deployed",
        "revision": 1,
        "name": "network-operator",
        "namespace": "new",
        "chart": "network-operator",
        "version": "26.4.0",
        "appVersion": "26.4.0",
    }
    found = provider.read(RELEASE, resource_id, live, CHART)
    assert found is not None
    assert found[2] == CHART


def test_a_refresh_without_a_change_changes_nothing(provider: Kubernetes) -> None:
    inputs = check(provider, CONFIG, {"metadata": {"name": "c"}, "data": {"k": Secret("v")}}).inputs
    resource_id, live = provider.create(CONFIG, inputs)
    assert live["data"] == {"k": Secret("v")}
    assert provider.read(CONFIG, resource_id, live, inputs) == (resource_id, live, inputs)


def test_a_preview_promises_inputs_only(provider: Kubernetes) -> None:
    inputs = {"metadata": {"name": "a"}}
    assert provider.preview(NAMESPACE, inputs, None) == {"metadata": {"name": "a"}, "status": UNKNOWN}
    assert provider.preview(CONFIG, inputs, None) == inputs


def test_functions_are_refused(provider: Kubernetes) -> None:
    with pytest.raises(NotEmulatedError, match="does not emulate the function 'kubernetes:helm:template'"):
        provider.invoke("kubernetes:helm:template", {})


def test_failures_name_the_property(provider: Kubernetes) -> None:
    failures = check(provider, CONFIG, {"metadata": {"name": "c"}, "dat": {}}).failures
    assert failures == [Failure("dat", "unknown property 'dat'; did you mean 'data'?")]


# ---- field ownership, patches, previews and deletions as the provider does them


def named(urn: Urn, name: str = "c", **fields: object) -> dict[str, Any]:
    kind = urn.type.rpartition(":")[2].removesuffix("Patch")
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "default"}, **fields}


def api_of(store: Store) -> KubernetesApi:
    [cluster] = [record["id"] for _, record in store.items() if record.get("token", "").endswith(":ManagedCluster")]
    return KubernetesApi(store, cluster)


ADDRESS = Address(Kind("", "v1", "ConfigMap"), "default", "c")
PATCH = Urn("kubernetes:core/v1:ConfigMapPatch", "patch")


def test_the_first_update_takes_over_what_kubectl_and_the_create_set(provider: Kubernetes, store: Store) -> None:
    inputs = named(CONFIG, data={"k": "1"})
    resource_id, live = provider.create(CONFIG, inputs)
    api = api_of(store)
    api.update(ADDRESS, {**api.require(ADDRESS), "data": {"k": "kubectl"}}, manager="kubectl-edit")
    changed = named(CONFIG, data={"k": "2"})
    # kubectl took the only field of the plain create, so the preview does not force.
    with pytest.raises(SandboxError, match=r'1 conflict: conflict with "kubectl-edit" using v1: \.data\.k'):
        provider.preview(CONFIG, changed, live)
    after = provider.update(CONFIG, resource_id, changed, live)
    assert after["data"] == {"k": "2"}
    assert [(manager.name, manager.operation) for manager in api.managers(ADDRESS)] == [
        (live["__fieldManager"], "Apply")
    ]
    assert live["__fieldManager"].startswith("pulumi-kubernetes-")


def test_another_manager_conflicts(provider: Kubernetes, store: Store) -> None:
    resource_id, live = provider.create(CONFIG, named(CONFIG, data={"k": "1"}))
    api_of(store).apply(ADDRESS, named(CONFIG, data={"k": "argo"}), manager="argocd", force=True)
    changed = named(CONFIG, data={"k": "2"})
    with pytest.raises(SandboxError) as error:
        provider.update(CONFIG, resource_id, changed, live)
    text = str(error.value)
    assert text.startswith(
        "update of resource default/c failed because the Kubernetes API server reported: server-side"
    )
    assert text.endswith(
        f'The resource managed by field manager "{live["__fieldManager"]}" had an apply conflict: '
        'Apply failed with 1 conflict: conflict with "argocd": .data.k'
    )
    forced = named(CONFIG, data={"k": "2"})
    forced["metadata"]["annotations"] = {"pulumi.com/patchForce": "true"}
    assert provider.update(CONFIG, resource_id, forced, live)["data"] == {"k": "2"}


def test_an_ignored_field_is_left_to_its_other_owner(provider: Kubernetes, store: Store) -> None:
    resource_id, live = provider.create(CONFIG, named(CONFIG, data={"k": "1", "l": "1"}))
    api_of(store).apply(ADDRESS, named(CONFIG, data={"k": "hpa"}), manager="autoscaler", force=True)
    token = provider.ignore_changes.set(("data.k",))
    try:
        after = provider.update(CONFIG, resource_id, named(CONFIG, data={"k": "1", "l": "2"}), live)
    finally:
        provider.ignore_changes.reset(token)
    assert after["data"] == {"k": "hpa", "l": "2"}


def test_a_patch_owns_its_fields_until_it_goes(provider: Kubernetes) -> None:
    inputs = named(CONFIG, data={"k": "1"})
    resource_id, live = provider.create(CONFIG, inputs)
    patch_id, patched = provider.create(PATCH, named(PATCH, data={"p": "1"}))
    assert (patch_id, patched["data"]) == ("default/c", {"k": "1", "p": "1"})
    assert patched["__fieldManager"] != live["__fieldManager"]
    assert provider.diff(PATCH, named(PATCH, data={"p": "1"}), named(PATCH, data={"p": "2"})).replaces == []
    patched = provider.update(PATCH, patch_id, named(PATCH, data={"p": "2"}), patched)
    with pytest.raises(SandboxError, match=r'1 conflict: conflict with "pulumi-kubernetes" using v1: \.data\.k'):
        provider.create(Urn(PATCH.type, "other"), named(PATCH, data={"k": "3"}))
    found = provider.read(CONFIG, resource_id, live, inputs)
    assert found is not None
    assert found[2] == inputs
    provider.delete(PATCH, patch_id, patched)
    found = provider.read(CONFIG, resource_id, live, inputs)
    assert found is not None
    assert found[1]["data"] == {"k": "1"}


def test_a_patch_that_alone_holds_a_required_field_stays(provider: Kubernetes) -> None:
    urn = Urn("kubernetes:core/v1:ServicePatch", "s")
    inputs = named(urn, "s", spec={"ports": [{"port": 80}], "selector": {"a": "b"}})
    resource_id, live = provider.create(urn, inputs)
    with pytest.raises(
        SandboxError, match=r"currently managing a required field, .*: Service \"s\" is invalid: spec: Required value"
    ):
        provider.delete(urn, resource_id, live)


def test_upsert(provider: Kubernetes, monkeypatch: pytest.MonkeyPatch) -> None:
    provider.create(CONFIG, named(CONFIG, data={"k": "1"}))
    with pytest.raises(SandboxError, match=r'configmaps "c" already exists\. It is in the cluster already: import it'):
        provider.create(CONFIG, named(CONFIG, data={"l": "1"}))
    monkeypatch.setenv("PULUMI_K8S_UPSERT_EXISTING_OBJECTS", "true")
    assert provider.create(CONFIG, named(CONFIG, data={"l": "1"}))[1]["data"] == {"k": "1", "l": "1"}


def test_a_preview_is_a_dry_run(provider: Kubernetes, store: Store) -> None:
    pod = Urn("kubernetes:core/v1:Pod", "p")
    body = {**named(pod, "p"), "spec": {"containers": [{"name": "a", "image": "a"}]}}
    assert provider.preview(pod, body, None) == {"status": UNKNOWN, **body}
    assert api_of(store).get(Address(Kind("", "v1", "Pod"), "default", "p")) is None
    orphan = named(CONFIG, data={})
    orphan["metadata"]["ownerReferences"] = [{"apiVersion": "v1", "kind": "Secret", "name": "s", "uid": "u"}]
    with pytest.raises(SandboxError, match=r"metadata\.ownerReferences\[0\]: Not found"):
        provider.preview(CONFIG, orphan, None)
    # What the provider passes over: it may be there by then.
    elsewhere = named(CONFIG, data={})
    elsewhere["metadata"]["namespace"] = "later"
    assert provider.preview(CONFIG, elsewhere, None) == elsewhere
    provider.create(CONFIG, named(CONFIG, data={"k": "1"}))
    assert provider.preview(CONFIG, named(CONFIG, data={"k": "2"}), None)["data"] == {"k": "2"}
    unknown = named(CONFIG, data={"k": UNKNOWN})
    assert provider.preview(CONFIG, unknown, None) == unknown


def test_a_finalizer_lets_a_deletion_time_out(store: Store, kubernetes_book: ContractBook, config: str) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return False

    backend = Kubernetes(store, kubernetes_book, Pace(1.0, wait))
    backend.configure({"kubeconfig": Secret(config)})
    inputs = named(CONFIG, data={})
    inputs["metadata"]["finalizers"] = ["example.com/keep"]
    resource_id, live = backend.create(CONFIG, inputs)
    token = backend.timeout.set(60.0)
    try:
        with pytest.raises(SandboxError) as error:
            backend.delete(CONFIG, resource_id, live)
    finally:
        backend.timeout.reset(token)
    assert str(error.value) == (
        "timed out waiting for the condition: 'default/c' is still there: "
        "finalizers might be preventing deletion (example.com/keep)"
    )
    assert sum(waits) == 60.0
    api = api_of(store)
    held = api.require(ADDRESS)
    api.update(ADDRESS, {**held, "metadata": {**held["metadata"], "finalizers": []}})
    backend.delete(CONFIG, resource_id, live)
    assert backend.read(CONFIG, resource_id, live, inputs) is None


def test_drift_is_what_the_program_speaks_of(provider: Kubernetes, store: Store) -> None:
    inputs = named(CONFIG, data={"k": "1"})
    resource_id, live = provider.create(CONFIG, inputs)
    api_of(store).apply(ADDRESS, named(CONFIG, data={"added": "1"}), manager="m")
    found = provider.read(CONFIG, resource_id, live, inputs)
    assert found is not None
    assert found[2] == inputs
    api_of(store).apply(ADDRESS, named(CONFIG, data={"k": "2"}), manager="m", force=True)
    found = provider.read(CONFIG, resource_id, live, inputs)
    assert found is not None
    assert found[2]["data"] == {"k": "2"}


def test_a_workload_that_pod_security_would_refuse_is_warned_of(
    provider: Kubernetes, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "baseline"}
    provider.create(NAMESPACE, {**named(NAMESPACE, "t"), "metadata": {"name": "t", "labels": labels}})
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"hostPID": True, "containers": [{"name": "a", "image": "a"}]},
    }
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    provider.create(DEPLOYMENT, {"metadata": {"name": "d", "namespace": "t"}, "spec": spec})
    assert capsys.readouterr().err == (
        'Warning: would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)\n'
    )


@pytest.mark.parametrize(("more", "waited"), [({}, [120.0, 120.0]), ({"skipAwait": True}, [])])
def test_a_release_takes_the_time_that_helm_waits(
    store: Store, kubernetes_book: ContractBook, config: str, more: dict[str, bool], waited: list[float]
) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return False

    backend = Kubernetes(store, kubernetes_book, Pace(1.0, wait))
    backend.configure({"kubeconfig": Secret(config)})
    inputs = {**CHART, "namespace": "default", **more}
    release_id, _ = backend.create(RELEASE, inputs)
    assert waits == waited[:1]
    backend.update(RELEASE, release_id, inputs, {"status": {"revision": 1}})
    assert waits == waited


def test_a_release_whose_wait_is_cut_off_is_known_to_the_state(
    store: Store, kubernetes_book: ContractBook, config: str
) -> None:
    backend = Kubernetes(store, kubernetes_book, Pace(1.0, lambda _: True))
    backend.configure({"kubeconfig": Secret(config)})
    with pytest.raises(PartialFailureError) as caught:
        backend.create(RELEASE, {**CHART, "namespace": "default"})
    assert (caught.value.resource_id, str(caught.value)) == ("default/network-operator", "context canceled")
    assert backend.read(RELEASE, "default/network-operator", caught.value.outputs, CHART) is not None
