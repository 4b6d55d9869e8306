//go:build tools

// Package tools keeps the programs below in go.mod; test/wire/run builds them.
package tools

import (
	_ "github.com/fullstorydev/grpcurl/cmd/grpcurl"
)
