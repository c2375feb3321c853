package cond

// Step is one part of a condition that decided how it came out.
type Step struct {
	Text  string `json:"text" doc:"The part, as it stands in the condition." example:"sale.total >= money(\"100\")"`
	Value string `json:"value" doc:"What it looked at was." example:"99.00"`
	Holds bool   `json:"holds" doc:"Whether it held."`
}

// Explain evaluates the condition and lists, in the order of the text, the parts that decided:
// of a && b that does not hold only those that do not, of a || b that holds only those that
// do. It takes some ten times as long as Eval.
func (c *Cond) Explain(f *Facts) (holds bool, steps []Step, err error) { return false, nil, nil }
