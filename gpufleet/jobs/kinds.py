"""The three kinds of jobs: what each wraps around the pod, and what it does when a pod ends."""

from __future__ import annotations

from gpufleet.jobs.checkpoints import Checkpointing
from gpufleet.jobs.pod import (
    CONTAINER,
    Manifest,
    environment,
    launcher,
    template,
    variable_list,
    worker,
)
from gpufleet.jobs.request import JobRequest, Target

STOP_EXIT_CODE = 78
"""EX_CONFIG of sysexits.h: the job's own word that starting it again would not help."""


def train_job(target: Target, request: JobRequest, times: Checkpointing | None) -> list[Manifest]:
    """A TrainingRuntime of the job's own, which has all of the pod, and the TrainJob that runs it.

    A runtime for each job, not one for all: the job then is what the file says, whatever the cluster's runtimes become.
    A pod that ends takes the gang down, and all pods start again together.
    """
    spec = worker(target, request, times)
    container = spec["containers"][0]
    container["command"] = list(request.command)
    container["env"] = variable_list(environment(target, request, times))
    node: Manifest = {
        "name": CONTAINER,
        "template": {
            # By this label the Trainer finds the pods that train.
            "metadata": {"labels": {"trainer.kubeflow.org/trainjob-ancestor-step": "trainer"}},
            "spec": {
                "backoffLimit": 0,
                "podFailurePolicy": {
                    "rules": [
                        {"action": "FailJob", "onExitCodes": _stop_codes()},
                        {"action": "FailJob", "onPodConditions": [_DISRUPTED]},
                    ]
                },
                "template": template(target, request, {**spec, "restartPolicy": "Never"}),
            },
        },
    }
    runtime: Manifest = {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainingRuntime",
        "metadata": {"name": request.name},
        "spec": {
            "mlPolicy": {"numNodes": request.nodes, "torch": {}},
            "template": {"spec": {"failurePolicy": _failure_policy(request), "replicatedJobs": [node]}},
        },
    }
    job: Manifest = {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": request.name},
        "spec": {
            "suspend": True,
            "runtimeRef": {"apiGroup": "trainer.kubeflow.org", "kind": "TrainingRuntime", "name": request.name},
            "trainer": {"numNodes": request.nodes, "numProcPerNode": target.capacity.gpus},
        },
    }
    return [runtime, job]


def mpi_job(target: Target, request: JobRequest, times: Checkpointing | None) -> list[Manifest]:
    """An MPIJob: workers that wait, and a launcher beside the first that runs the command.

    When a worker goes, mpirun ends and with it the launcher, which starts the command again.
    """
    restart = "OnFailure" if request.resume else "Never"
    return [
        {
            "apiVersion": "kubeflow.org/v2beta1",
            "kind": "MPIJob",
            "metadata": {"name": request.name},
            "spec": {
                "slotsPerWorker": target.capacity.gpus,
                "launcherCreationPolicy": "WaitForWorkersReady",
                "runPolicy": {
                    "suspend": True,
                    "cleanPodPolicy": "Running",
                    "backoffLimit": request.max_restarts if request.resume else 0,
                },
                "mpiReplicaSpecs": {
                    "Launcher": {
                        "replicas": 1,
                        "restartPolicy": restart,
                        "template": template(target, request, launcher(target, request, times)),
                    },
                    "Worker": {
                        "replicas": request.nodes,
                        "restartPolicy": restart,
                        "template": template(target, request, worker(target, request, times)),
                    },
                },
            },
        }
    ]


def batch_job(target: Target, request: JobRequest, times: Checkpointing | None) -> list[Manifest]:
    """A plain Job of one pod. A node that is taken away is not the job's failure, so it doesn't count."""
    spec = worker(target, request, times)
    container = spec["containers"][0]
    container["command"] = list(request.command)
    container["env"] = variable_list(environment(target, request, times))
    return [
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": request.name},
            "spec": {
                "suspend": True,
                "parallelism": 1,
                "completions": 1,
                "backoffLimit": request.max_restarts if request.resume else 0,
                "podReplacementPolicy": "Failed",
                "podFailurePolicy": {
                    "rules": [
                        {"action": "FailJob", "onExitCodes": _stop_codes()},
                        {"action": "Ignore" if request.resume else "FailJob", "onPodConditions": [_DISRUPTED]},
                    ]
                },
                "template": template(target, request, {**spec, "restartPolicy": "Never"}),
            },
        }
    ]


_DISRUPTED = {"type": "DisruptionTarget", "status": "True"}
"""Kubernetes' condition of a pod that is taken away: eviction, preemption, drain, a node that is gone (pod-lifecycle,
"Pod disruption conditions")."""


def _stop_codes() -> Manifest:
    return {"containerName": CONTAINER, "operator": "In", "values": [STOP_EXIT_CODE]}


def _failure_policy(request: JobRequest) -> Manifest:
    """JobSet: all pods start again; as often as asked for after failures, without a limit after disruptions.

    Both of the Job's rules end it for the reason PodFailurePolicy, and the message tells them apart: the job
    controller writes the exit code into it (kubernetes pkg/controller/job/pod_failure_policy.go).
    """
    if not request.resume:
        return {"maxRestarts": 0}
    return {
        "maxRestarts": request.max_restarts,
        "rules": [
            {
                "name": "stop",
                "action": "FailJobSet",
                "onJobFailureReasons": ["PodFailurePolicy"],
                "onJobFailureMessagePatterns": [f"failed with exit code {STOP_EXIT_CODE} "],
            },
            {
                "name": "disruption",
                "action": "RestartJobSetAndIgnoreMaxRestarts",
                "onJobFailureReasons": ["PodFailurePolicy"],
            },
        ],
    }
