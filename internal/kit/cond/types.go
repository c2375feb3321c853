package cond

// Type is what a field, an argument or a result is, for people and for the builder.
type Type string

// The types.
const (
	Text   Type = "text"
	Whole  Type = "whole"  // a whole number
	Number Type = "number" // with decimals
	Money  Type = "money"  // an amount, whole smallest units inside, money("12.50") in the text
	YesNo  Type = "yes_no"
	Date   Type = "date"  // a text as 2026-03-01; "" where not known
	Hour   Type = "time"  // a text as 14:30
	Texts  Type = "texts" // a list of texts
	Lines  Type = "lines" // the lines of a sale
	Object Type = "object"
)
