"""Training jobs as people submit them: Kubernetes manifests for a fabric of an environment (`gpufleet job render`)."""
