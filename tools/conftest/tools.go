//go:build tools

// Package tools pins conftest, beside which `make bench` measures the rules; nothing else uses it.
package tools

import _ "github.com/open-policy-agent/conftest"
