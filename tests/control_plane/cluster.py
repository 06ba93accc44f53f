"""One cluster behind a real API server: what it says to an object, with Pod Security, strict fields and warnings."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kubernetes import client, config, dynamic  # type: ignore[import-untyped]
from kubernetes.dynamic.exceptions import ResourceNotFoundError  # type: ignore[import-untyped]

from sandbox.kubernetes.kinds import INITIAL_NAMESPACES

Body = dict[str, Any]
_MANAGER = "gpufleet-tests"
_APPLY = "application/apply-patch+yaml"
_ESTABLISH_SECONDS = 60.0
_DEFINITION = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the API server says to one object.

    Attributes:
        refusal: its message, "" when it takes the object.
        warnings: the answer's Warning headers.
    """

    refusal: str = ""
    warnings: tuple[str, ...] = ()


class Cluster:
    """The API of a running control plane.

    Args:
        kubeconfig: an administrator's.
    """

    def __init__(self, kubeconfig: Path) -> None:
        self._client = config.new_client_from_config(str(kubeconfig))
        # The client keeps what it discovers in a file that it finds again by the server's address: ports come back.
        self._discovery = kubeconfig.with_name("discovery.json")
        self._api = dynamic.DynamicClient(self._client, cache_file=str(self._discovery))

    def prepare(self, definitions: Iterable[Body]) -> None:
        """Bring a new control plane to what a cluster is: its first namespaces, and these definitions."""
        for name in INITIAL_NAMESPACES:
            self.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        self._define(definitions)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._client.rest_client.pool_manager.clear()

    def _define(self, definitions: Iterable[Body]) -> None:
        for body in definitions:
            answer = self.apply(body, dry_run=False)
            assert answer.refusal == "", (body["metadata"]["name"], answer.refusal)
        resource = self._api.resources.get(api_version=_DEFINITION[0], kind=_DEFINITION[1])
        end = time.monotonic() + _ESTABLISH_SECONDS
        while waiting := [item.metadata.name for item in self._api.get(resource).items if not _established(item)]:
            assert time.monotonic() < end, f"not served after {_ESTABLISH_SECONDS:.0f} s: {waiting}"
            time.sleep(0.05)
        self._api.resources.invalidate_cache()

    def make(self, body: Body) -> None:
        """Create an object for real.

        Raises:
            AssertionError: the server does not take it.
        """
        answer = self.apply(body, dry_run=False)
        assert answer.refusal == "", (body["kind"], body["metadata"]["name"], answer.refusal)
        if body["kind"] == "Namespace":
            # The service account controller's work, which is not here.
            place = {"name": "default", "namespace": body["metadata"]["name"]}
            self.make({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": place})

    def apply(self, body: Body, *, dry_run: bool = True) -> Answer:
        """Server-side apply with strict field validation; a dry run does everything but write.

        An object without a name that fits into a request's path is posted, for the server to say what is wrong.
        """
        # Without one of the two the client would look for any.
        wanted = {"api_version": str(body.get("apiVersion")), "kind": str(body.get("kind"))}
        try:
            resource = self._api.resources.get(**wanted)
        except ResourceNotFoundError:
            return Answer(refusal=f'no matches for kind "{wanted["kind"]}" in version "{wanted["api_version"]}"')
        metadata = body.get("metadata")
        place = metadata if isinstance(metadata, dict) else {}
        name = place.get("name")
        # kubectl and the provider put an object without a namespace into "default".
        namespace = quote(str(place.get("namespace") or "default"), safe="") if resource.namespaced else None
        query = [("fieldValidation", "Strict"), ("fieldManager", _MANAGER), *([("dryRun", "All")] if dry_run else [])]
        if isinstance(name, str) and name:
            path, method, form = resource.path(name=quote(name, safe=""), namespace=namespace), "PATCH", _APPLY
            query.append(("force", "true"))
        else:
            path, method, form = resource.path(namespace=namespace), "POST", "application/json"
        try:
            response = self._client.call_api(
                path,
                method,
                query_params=query,
                header_params={"Content-Type": form, "Accept": "application/json"},
                body=body,
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
            )
        except client.ApiException as error:
            return Answer(refusal=_message(error))
        response.drain_conn()
        return Answer(warnings=tuple(response.headers.getlist("Warning")))


def _established(definition: dynamic.resource.ResourceField) -> bool:
    conditions = definition.to_dict().get("status", {}).get("conditions") or ()
    return any(item["type"] == "Established" and item["status"] == "True" for item in conditions)


def _message(error: client.ApiException) -> str:
    try:
        return str(json.loads(error.body)["message"])
    except (TypeError, ValueError, KeyError):
        return f"{error.status} {error.reason}: {error.body}"
