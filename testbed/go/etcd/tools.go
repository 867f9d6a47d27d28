//go:build tools

// Package tools names the programs of the test cluster, so that go.mod pins all they are built from.
package tools

import _ "go.etcd.io/etcd/server/v3"
