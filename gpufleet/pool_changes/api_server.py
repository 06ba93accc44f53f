"""A cluster's objects from its real API server, by the official Kubernetes client."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import yaml

from gpufleet.errors import ExitCode, GpufleetError
from gpufleet.pool_changes.jobs import KUEUE_GROUP, ClusterObjects

if TYPE_CHECKING:
    from kubernetes.client import ApiClient  # type: ignore[import-untyped]

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
_PAGE = 500
_NOT_FOUND = 404
_FORBIDDEN = frozenset({401, 403})
# Bound to a node and not at their end: what holds one.
_HOLDING = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed"


class ClusterUnreachableError(GpufleetError):
    """Nobody knows what runs in a cluster: it does not answer, or refuses to."""

    exit_code = ExitCode.UNDECIDED


def read(kubeconfig: str) -> ClusterObjects:
    """The workloads, flavors, nodes and pods of a cluster; nothing is changed in it.

    Args:
        kubeconfig: JSON or YAML, see components.cluster_access.

    Raises:
        ClusterUnreachableError: no answer within seconds, no permission, or no kubelogin.
    """
    with _asked(kubeconfig) as client:
        version = _kueue_version(client)
        kueue = f"/apis/{KUEUE_GROUP}/{version}"
        return ClusterObjects(
            workloads=list(_listed(client, f"{kueue}/workloads")) if version else (),
            flavors=list(_listed(client, f"{kueue}/resourceflavors")) if version else (),
            nodes=list(_listed(client, "/api/v1/nodes")),
            pods=list(_listed(client, "/api/v1/pods", fieldSelector=_HOLDING)),
        )


def listed(kubeconfig: str, paths: Sequence[str], *, label: str = "") -> list[dict[str, Any]]:
    """The objects of some collections; one that the server does not know is empty.

    Args:
        kubeconfig: see `read`.
        paths: such as `/apis/apps/v1/deployments`.
        label: label selector.

    Raises:
        ClusterUnreachableError: see `read`.
    """
    from kubernetes.client.exceptions import ApiException  # type: ignore[import-untyped]  # noqa: PLC0415 see `_asked`

    found: list[dict[str, Any]] = []
    with _asked(kubeconfig) as client:
        for path in paths:
            try:
                found += _listed(client, path, **({"labelSelector": label} if label else {}))
            except ApiException as error:
                if error.status != _NOT_FOUND:
                    raise
    return found


@contextmanager
def _asked(kubeconfig: str) -> Iterator[ApiClient]:
    """A client; what goes wrong inside is told as what a person can do about it."""
    # Loading the client takes longer than asking the cluster, and most runs ask none.
    from kubernetes.client.exceptions import ApiException  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    client = _client(kubeconfig)
    try:
        yield client
    except ApiException as error:
        fix = (
            "Reading its objects needs the role Azure Kubernetes Service RBAC Cluster Admin or Reader."
            if error.status in _FORBIDDEN
            else "Look at the cluster, then run again."
        )
        raise ClusterUnreachableError(f"its API server answers {error.status} {error.reason}", hint=fix) from None
    except (HTTPError, OSError) as error:
        raise ClusterUnreachableError(
            f"its API server does not answer: {_cause(error)}",
            hint="Is the cluster running, and may this machine reach it (private cluster, authorized IP ranges)?",
        ) from None
    except ValueError:
        raise ClusterUnreachableError(
            "its API server's answer is not JSON", hint="Is there a proxy in between (HTTPS_PROXY)?"
        ) from None
    finally:
        client.close()
        client.rest_client.pool_manager.clear()  # `close` leaves the connections open


def _client(kubeconfig: str) -> ApiClient:
    from kubernetes import config  # type: ignore[import-untyped]  # noqa: PLC0415 see `_asked`
    from kubernetes.client import Configuration  # noqa: PLC0415

    try:
        document = yaml.safe_load(kubeconfig)
        _require_login(document)
        settings = Configuration()
        settings.retries = 1
        client: ApiClient = config.new_client_from_config_dict(
            document, client_configuration=settings, persist_config=False
        )
    except (yaml.YAMLError, config.ConfigException, KeyError, TypeError, AttributeError):
        # The cause's text could hold parts of the credential.
        raise ClusterUnreachableError(
            "the kubeconfig in the state is no kubeconfig", hint="`gpufleet refresh` brings the state up to date."
        ) from None
    return client


def _require_login(document: Mapping[str, Any]) -> None:
    """The client goes on without a token when the command that gives one is missing, and is refused then."""
    for user in document.get("users") or []:
        command = ((user.get("user") or {}).get("exec") or {}).get("command")
        if command and shutil.which(command) is None:
            raise ClusterUnreachableError(
                f"{command}, which gives the token for its API server, is not on PATH",
                hint="Install it: https://azure.github.io/kubelogin/install.html",
            )


def _kueue_version(client: ApiClient) -> str:
    """The version of Kueue's API that the server prefers, "" when it has none."""
    from kubernetes.client.exceptions import ApiException  # noqa: PLC0415 see `_asked`

    try:
        group = _get(client, f"/apis/{KUEUE_GROUP}", {})
    except ApiException as error:
        if error.status == _NOT_FOUND:
            return ""
        raise
    return str(group["preferredVersion"]["version"])


def _listed(client: ApiClient, path: str, **query: str) -> Iterator[dict[str, Any]]:
    more = ""
    while True:
        asked = {**query, "limit": str(_PAGE), **({"continue": more} if more else {})}
        page = _get(client, path, asked)
        yield from page.get("items") or []
        more = (page.get("metadata") or {}).get("continue") or ""
        if not more:
            return


def _get(client: ApiClient, path: str, query: Mapping[str, str]) -> dict[str, Any]:
    response = client.call_api(
        path,
        "GET",
        query_params=list(query.items()),
        header_params={"Accept": "application/json"},
        auth_settings=["BearerToken"],
        _preload_content=False,
        _return_http_data_only=True,
        _request_timeout=(CONNECT_SECONDS, READ_SECONDS),
    )
    document: dict[str, Any] = json.loads(response.data)
    return document


def _cause(error: BaseException) -> str:
    reason = getattr(error, "reason", None) or error
    return f"{type(reason).__name__}: {reason}".partition("\n")[0]
