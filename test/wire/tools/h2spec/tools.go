//go:build tools

// Package tools keeps the programs below in go.mod; test/wire/run builds them.
package tools

import (
	_ "github.com/summerwind/h2spec/cmd/h2spec"
)
