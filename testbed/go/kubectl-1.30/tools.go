//go:build tools

// Package tools names the older kubectl, so that go.mod pins all it is built from.
package tools

import _ "k8s.io/kubernetes/cmd/kubectl"
