//go:build web

// Package web holds the built faces: the staff console and the member portal. `make web`
// builds them; without the tag web the binary has none (embed_none.go), so that a plain
// `go build` needs no Node.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:console/dist all:portal/dist
var dist embed.FS

// The faces, each with its index.html at the root.
var (
	Console = face("console/dist")
	Portal  = face("portal/dist")
)

func face(dir string) fs.FS {
	sub, err := fs.Sub(dist, dir)
	if err != nil {
		panic("web: " + err.Error()) // the name above is wrong
	}
	return sub
}
