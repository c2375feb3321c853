package arch

import (
	"slices"
	"strings"
	"testing"
)

// maxLines is where a file is split by noun. Good ones have 100 to 300.
const maxLines = 600

func TestFileLength(t *testing.T) {
	t.Parallel()
	for _, f := range files(t) {
		if strings.HasPrefix(f.text, "// Code generated ") {
			continue
		}
		if n := strings.Count(f.text, "\n"); n > maxLines {
			t.Errorf("%s has %d lines, %d at most: split it by noun", f.name, n, maxLines)
		}
	}
}

// forbidden are names of packages that say nothing about what is in them.
var forbidden = []string{"util", "utils", "common", "base", "helper", "helpers", "manager", "data", "info", "misc", "shared", "types"}

func TestPackages(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, f := range files(t) {
		if slices.Contains(forbidden, f.pack) {
			t.Errorf("%s: package %s says nothing about what is in it", f.name, f.pack)
		}
		documented[f.dir()] = documented[f.dir()] || f.doc
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s has no package doc: say its life and its laws", dir)
		}
	}
}

// unfinished are words that only unfinished work needs. They are put together here so that
// this file does not hold them.
var unfinished = []string{"TO" + "DO", "FIX" + "ME", "t.Sk" + "ip", "X" + "XX:"}

func TestFinished(t *testing.T) {
	t.Parallel()
	for _, f := range files(t) {
		for _, word := range unfinished {
			if strings.Contains(f.text, word) {
				t.Errorf("%s holds %q", f.name, word)
			}
		}
	}
}
