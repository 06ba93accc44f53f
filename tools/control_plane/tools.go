//go:build tools

// Package tools pins the Kubernetes API server and the etcd behind it, for the tests that put every manifest to them.
// Kubernetes' own go.mod names its staging modules at v0.0.0, hence the replace directives of go.mod.
package tools

import (
	_ "go.etcd.io/etcd/server/v3"
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
)
