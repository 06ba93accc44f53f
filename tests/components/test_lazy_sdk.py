from __future__ import annotations

import json
import subprocess
import sys

import pytest

# Where each public name of a package comes from; with `lazy` the package is asked name by name.
_SCRIPT = """
import importlib, json, sys, types
package, lazy, names = sys.argv[1], sys.argv[2] == "lazy", sys.argv[3:]
if lazy:
    from components import lazy_sdk
    lazy_sdk.install()
module = importlib.import_module(package)
module.outputs  # the SDK loads a package on its first attribute
if not lazy:
    names = [n for n, v in vars(module).items() if not n.startswith("_") and not isinstance(v, types.ModuleType)]
found = {name: getattr(module, name) for name in names}
origin = {name: [getattr(v, "__module__", ""), getattr(v, "__qualname__", repr(v))] for name, v in found.items()}
print(json.dumps({"origin": origin, "modules": sum(name.startswith(package + ".") for name in sys.modules)}))
"""


def ask(package: str, *, lazy: bool, names: list[str] | None = None) -> tuple[dict[str, list[str]], int]:
    """Origin of each name, and how many modules of the package were loaded for it."""
    command = [sys.executable, "-c", _SCRIPT, package, "lazy" if lazy else "eager", *(names or [])]
    answer = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return answer["origin"], answer["modules"]


@pytest.mark.parametrize(
    "package",
    [
        "pulumi_azure_native.containerservice",
        "pulumi_azure_native.network",
        "pulumi_azure_native.cdn",
        "pulumi_kubernetes.core.v1",
        "pulumi_kubernetes.helm.v3",
    ],
)
def test_every_name_is_what_it_is_without(package: str) -> None:
    eager, _ = ask(package, lazy=False)

    lazy, _ = ask(package, lazy=True, names=sorted(eager))

    assert lazy == eager
    assert len(eager) > 5


def test_only_what_is_used_gets_loaded() -> None:
    _, all_modules = ask("pulumi_azure_native.network", lazy=False)

    origin, loaded = ask("pulumi_azure_native.network", lazy=True, names=["VirtualNetwork", "SubnetArgs"])

    assert origin["VirtualNetwork"] == ["pulumi_azure_native.network.virtual_network", "VirtualNetwork"]
    assert origin["SubnetArgs"] == ["pulumi_azure_native.network._inputs", "SubnetArgs"]
    assert all_modules > 200
    assert loaded < 6


def test_an_unknown_name_is_an_attribute_error() -> None:
    script = (
        "from components import lazy_sdk; lazy_sdk.install(); lazy_sdk.install()\n"
        "from pulumi_kubernetes.helm import v3\n"
        "print(hasattr(v3, 'Relaese'), hasattr(v3, '__wrapped__'))\n"
        "v3.Relaese"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.stdout == "False False\n"
    assert "AttributeError: module 'pulumi_kubernetes.helm.v3' has no attribute 'Relaese'" in done.stderr
