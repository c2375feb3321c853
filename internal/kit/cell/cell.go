// Package cell knows what spreadsheets do to text that they open.
//
// Law: text that has been made inert is shown and never evaluated.
package cell

import "strings"

// Inert makes text harmless for a spreadsheet: where its first character would make it a
// formula, an apostrophe goes in front. The full-width forms count, since spreadsheets
// of East Asia take them for the same. (OWASP, CSV Injection.)
func Inert(text string) string {
	for _, start := range []string{"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"} {
		if strings.HasPrefix(text, start) {
			return "'" + text
		}
	}
	return text
}
