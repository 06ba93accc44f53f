from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox.contract import ContractBook, UnknownTypeError
from sandbox.contract.book import cache_root
from sandbox.contract.model import Array, Enumeration, Map, Reference, Scalar


def test_an_azure_type(tmp_path: Path) -> None:
    contract = ContractBook("azure-native", tmp_path).get("azure-native:managedidentity:UserAssignedIdentity")
    assert contract.api_version == "2023-01-31"
    assert contract.inputs.required == {"resourceGroupName"}
    assert dict(contract.inputs.properties) == {
        "location": Scalar("string"),
        "resourceGroupName": Scalar("string"),
        "resourceName": Scalar("string"),
        "tags": Map(Scalar("string")),
    }
    assert contract.outputs.properties["principalId"] == Scalar("string")


def test_nested_types_enums_and_wire_names(tmp_path: Path) -> None:
    contract = ContractBook("azure-native", tmp_path).get("azure-native:storagecache:AmlFilesystem")
    assert contract.inputs.required == {
        "filesystemSubnet",
        "maintenanceWindow",
        "resourceGroupName",
        "storageCapacityTiB",
    }
    window = contract.inputs.properties["maintenanceWindow"]
    assert window == Reference("storagecache._inputs.AmlFilesystemMaintenanceWindowArgs")
    day = contract.types[window.name].properties["dayOfWeek"]
    assert isinstance(day, Enumeration)
    assert day.values[:2] == ("Monday", "Tuesday")
    assert contract.inputs.properties["zones"] == Array(Scalar("string"))


def test_a_resource_whose_name_a_nested_type_owns(tmp_path: Path) -> None:
    contract = ContractBook("azure-native", tmp_path).get("azure-native:monitor:ActionGroup")
    assert contract.inputs.required == {"groupShortName", "resourceGroupName"}


def test_kubernetes_types(tmp_path: Path) -> None:
    book = ContractBook("kubernetes", tmp_path)
    assert book.get("kubernetes:helm.sh/v3:Release").inputs.required == {"chart"}
    role = book.get("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole")
    assert role.inputs.properties["apiVersion"] == Enumeration("", ("rbac.authorization.k8s.io/v1",))
    assert role.api_version == ""


@pytest.mark.parametrize(
    "token", ["azure-native:network:Nope", "azure-native:nope:Nope", "azure-native:network:get_subnet"]
)
def test_a_type_that_the_sdk_does_not_have(tmp_path: Path, token: str) -> None:
    book = ContractBook("azure-native", tmp_path)
    with pytest.raises(UnknownTypeError) as error:
        book.get(token)
    assert str(error.value) == f"the installed pulumi-azure-native {book.version} has no resource type '{token}'"


def test_contracts_are_kept_on_disk_by_sdk_version(tmp_path: Path) -> None:
    token = "azure-native:resources:ResourceGroup"
    first = ContractBook("azure-native", tmp_path)
    compiled = first.get(token)
    [file] = tmp_path.rglob("*.json")
    assert file.parent.name.startswith(f"azure-native-{first.version}-")
    file.write_text(file.read_text().replace('"managedBy"', '"fromDisk"'))
    assert "fromDisk" in ContractBook("azure-native", tmp_path).get(token).inputs.properties
    file.write_text("{")
    assert ContractBook("azure-native", tmp_path).get(token) == compiled
    assert json.loads(file.read_text())["token"] == token


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    token = "azure-native:resources:ResourceGroup"
    assert ContractBook("azure-native", tmp_path / "file").get(token).token == token


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPUFLEET_CACHE", "/a")
    assert cache_root() == Path("/a")
    monkeypatch.delenv("GPUFLEET_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/b")
    assert cache_root() == Path("/b/gpufleet")
