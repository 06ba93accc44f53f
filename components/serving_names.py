"""Names that the parts of serving agree on: model servers, autoscaling, gateway, monitoring."""

from __future__ import annotations

from gpufleet.sizing.serving_plan import ServerPlan
from gpufleet.spec.model import ServerKind

MODELS_NAMESPACE = "models"
"""Where model servers, their autoscalers and inference pools are; Pod Security `restricted`."""
RDMA_NAMESPACE = "models-rdma"
"""The same for servers over several nodes: InfiniBand needs a capability that `restricted` forbids."""
KAITO_NAMESPACE = "models-kaito"
"""The same for what KAITO runs: its pods say nothing of their security context, so `baseline`."""
MODEL_SERVICE_ACCOUNT = "model-server"
"""Service account of model servers; its identity may pull weights from the registry, and nothing else."""
GATEWAY_NAMESPACE = "inference-gateway"
"""Where the region's gateway is; its Service gets the region's address."""
GATEWAY = "inference"
"""Name of the region's Gateway."""
PROXIES = {"gateway.networking.k8s.io/gateway-name": GATEWAY}
"""Labels of the Gateway's proxies (GEP-1762: in-cluster gateway deployments)."""

MODEL = "gpufleet.io/model"
"""Label on everything of a model: its name. An inference pool selects its servers by it."""
FORM = "gpufleet.io/form"
"""Label: the form of the model (`Form.label`)."""
SERVER = "gpufleet.io/server"
"""Label: `ServerPlan.name`; a Deployment, its Service and its scaler have that name too."""

WORKER_INDEX = "leaderworkerset.sigs.k8s.io/worker-index"
"""Label that a LeaderWorkerSet puts on the pods of a server over several nodes: 0 on the one that takes requests."""

KAITO_SET = "inferenceset.kaito.sh/created-by"
"""Label on pods that KAITO runs: their InferenceSet, `ServerPlan.name`; they have none of the labels above
(kaito-project/kaito pkg/utils/consts)."""
KAITO_PORT = 5000
"""Port of KAITO's servers, which can't be chosen (kaito-project/kaito pkg/utils/consts: PortInferenceServer)."""

HTTP_PORT = 8000
"""Port of a model server: its OpenAI API, /health and /metrics (vLLM)."""
HTTP_PORT_NAME = "http"
SERVER_CONTAINER = "server"

WAITING = "vllm:num_requests_waiting"
"""Metric: requests in a server's queue (gateway-api-inference-extension, model server protocol)."""
RUNNING = "vllm:num_requests_running"
"""Metric: requests that a server answers now."""
KV_CACHE = "vllm:kv_cache_usage_perc"
"""Metric: part of the KV cache in use, 0 to 1."""


def namespace_of(plan: ServerPlan) -> str:
    """Namespace of a plan's servers, and of all that selects them: Service, scaler, inference pool."""
    if plan.model.server is ServerKind.KAITO:
        return KAITO_NAMESPACE
    return RDMA_NAMESPACE if plan.serving.fit.nodes > 1 else MODELS_NAMESPACE


def server_port(namespace: str) -> int:
    """Port of the servers in a namespace of servers."""
    return KAITO_PORT if namespace == KAITO_NAMESPACE else HTTP_PORT
