// Package soak says how large the tests are whose worth grows with their size: laws, races,
// torture.
//
// Life: a test asks for its count. Law: without a word from outside, sizes are those of
// every change; `make soak` sets PATRON_SOAK, and a variable of its own sets one count.
package soak

import (
	"fmt"
	"os"
	"strconv"
)

// Times returns n, or n times what PATRON_SOAK says.
func Times(n int) int { return n * number("PATRON_SOAK", 1) }

// Count is Times(n), or what the environment variable of that name says.
func Count(name string, n int) int { return number(name, Times(n)) }

// number reads a variable. A word that is no size is a mistake of whoever set it, and a
// test of another size than was asked for proves nothing.
func number(name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		panic(fmt.Sprintf("%s is %q; it is a whole number from 1", name, text))
	}
	return n
}
