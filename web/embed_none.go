//go:build !web

// Package web holds the built faces: the staff console and the member portal. This twin
// has none, so that `go build` needs no Node; see embed.go.
package web

import "io/fs"

// The faces; nil in this binary.
var Console, Portal fs.FS
