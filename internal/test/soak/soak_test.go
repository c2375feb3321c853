package soak

import "testing"

// Not parallel: it sets the variables that the others read.
func TestSizes(t *testing.T) {
	for _, tt := range []struct {
		soak, own    string
		times, count int
	}{
		{"", "", 7, 7},
		{"3", "", 21, 21},
		{"3", "5", 21, 5},
		{"", "5", 7, 5},
	} {
		t.Setenv("PATRON_SOAK", tt.soak)
		t.Setenv("TORTURE_OF_THIS", tt.own)
		if times, count := Times(7), Count("TORTURE_OF_THIS", 7); times != tt.times || count != tt.count {
			t.Errorf("PATRON_SOAK=%q, own %q: %d and %d, want %d and %d", tt.soak, tt.own, times, count, tt.times, tt.count)
		}
	}
}

// A size that is none stops the run: else it would be a smaller one than was asked for.
func TestNoSize(t *testing.T) {
	for _, text := range []string{"0", "-1", "many", "1.5"} {
		t.Setenv("PATRON_SOAK", text)
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q passes for a size", text)
				}
			}()
			Times(1)
		}()
	}
}
