//go:build tools

// Package tools keeps the programs below in go.mod; test/wire/run builds them.
package tools

import (
	_ "google.golang.org/grpc/interop/client"
	_ "google.golang.org/grpc/interop/server"
)
