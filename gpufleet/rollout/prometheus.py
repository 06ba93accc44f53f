"""How a region does, as its Azure Monitor workspace says (managed Prometheus)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import httpx

from gpufleet.catalog.yaml_file import read_yaml
from gpufleet.errors import AuthenticationError
from gpufleet.rollout.azure_api import AzureApi, document, refusal
from gpufleet.rollout.readiness import ReadinessUnknownError
from gpufleet.rollout.watch import Signals, SignalsUnknownError

_SCOPE = "https://prometheus.monitor.azure.com/.default"
"""Azure docs: prometheus-api-promql, "Request a token"."""
_SIGNALS = Path(__file__).parent / "data" / "signals.yaml"
_READER = "Reading metrics needs the role Monitoring Data Reader on the workspace."


class PrometheusWatch:
    """Managed Prometheus, one workspace a region.

    Args:
        api: Azure's APIs.
        endpoints: query endpoint by region.
    """

    def __init__(self, api: AzureApi, endpoints: Mapping[str, str]) -> None:
        self._api = api
        self._endpoints = endpoints

    def signals(self, region: str) -> Signals:
        """How the region does; see `gpufleet.rollout.watch.Watch`."""
        endpoint = self._endpoints.get(region)
        if not endpoint:
            raise SignalsUnknownError(
                f"{region} has no Azure Monitor workspace in the state",
                hint="Managed Prometheus comes with a region that serves models: gpufleet up.",
            )
        queries = _queries()
        requests = self._value(endpoint, queries["requestsPerSecond"]) or 0.0
        return Signals(
            requests_per_second=requests,
            error_percent=self._value(endpoint, queries["errorPercent"]) if requests else None,
            ttft_ms=self._value(endpoint, queries["ttftMs"]) if requests else None,
        )

    def _value(self, endpoint: str, query: str) -> float | None:
        """The value of an instant query with one series at most; None when there is none, or it is not a number."""
        what = "managed Prometheus"
        try:
            answer = self._api.send(
                "POST", f"{endpoint}/api/v1/query", token=self._api.token(_SCOPE), form={"query": query},
                what=what,
            )  # fmt: skip
            if answer.status_code != httpx.codes.OK:
                raise refusal(what, answer)
            series = (document(answer, what).get("data") or {}).get("result") or []
            found = float(series[0]["value"][1]) if series else None
        except (ReadinessUnknownError, AuthenticationError) as error:
            raise SignalsUnknownError(error.message, hint=error.hint or _READER) from None
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            raise SignalsUnknownError(f"{what}'s answer is none of its API") from None
        # A quantile, or a share, of nothing is NaN.
        return None if found is None or math.isnan(found) else found


@lru_cache(maxsize=1)
def _queries() -> Mapping[str, str]:
    return {str(name): " ".join(str(entry["query"]).split()) for name, entry in read_yaml(_SIGNALS)["signals"].items()}
