//go:build tools

// Package tools pins actionlint, which the tests of the workflows run; nothing else uses it.
package tools

import _ "github.com/rhysd/actionlint/cmd/actionlint"
