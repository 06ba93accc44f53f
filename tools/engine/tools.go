//go:build tools

// Package tools pins the Pulumi CLI as a Go module dependency: its own go.mod has replace directives, so
// `go install github.com/pulumi/pulumi/pkg/v3/cmd/pulumi@version` refuses to build it.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
