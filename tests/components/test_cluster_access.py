from __future__ import annotations

import base64
import json
import traceback

import pytest

from components.cluster_access import KubeconfigError, certificate_authority, kubeconfig
from components.context import KubeLogin


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_certificate_authority() -> None:
    text = "clusters:\n- cluster: {certificate-authority-data: QUJD, server: x}\n  name: a\n"
    assert certificate_authority(_encoded(text)) == "QUJD"


@pytest.mark.parametrize(
    "credentials",
    ["", "not base64!", _encoded("a: ["), _encoded("clusters: []"), _encoded("just text"), _encoded("token: hush")],
)
def test_anything_else_is_an_error_that_tells_nothing(credentials: str) -> None:
    with pytest.raises(KubeconfigError) as caught:
        certificate_authority(credentials)
    shown = "".join(traceback.format_exception(caught.value))
    assert "hush" not in shown
    assert caught.value.__cause__ is None


def test_kubeconfig_has_no_credential_and_asks_kubelogin() -> None:
    text = kubeconfig(
        cluster="aks-prod-a", fqdn="a.azmk8s.io", certificate_authority_data="QUJD", login=KubeLogin.SERVICE_PRINCIPAL
    )
    assert json.loads(text) == {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "aks-prod-a",
        "clusters": [
            {
                "name": "aks-prod-a",
                "cluster": {"server": "https://a.azmk8s.io:443", "certificate-authority-data": "QUJD"},
            }
        ],
        "contexts": [{"name": "aks-prod-a", "context": {"cluster": "aks-prod-a", "user": "aks-prod-a"}}],
        "users": [
            {
                "name": "aks-prod-a",
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1beta1",
                        "command": "kubelogin",
                        "args": [
                            "get-token",
                            "--login",
                            "spn",
                            "--server-id",
                            "6dae42f8-4368-4678-94ff-3960e28e3630",
                        ],
                        "interactiveMode": "Never",
                        "provideClusterInfo": False,
                        "installHint": "kubelogin is not installed: https://azure.github.io/kubelogin/install.html",
                    }
                },
            }
        ],
    }
