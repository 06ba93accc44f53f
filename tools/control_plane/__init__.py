"""A real Kubernetes API server for the tests: its programs and the operators' own resource definitions."""
