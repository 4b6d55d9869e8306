//go:build tools

// Package consul pins the Consul that tests run against; build builds it.
package consul

import _ "github.com/hashicorp/consul"
