package cond

// Tree is a condition as the visual builder shows it: a group of rules and groups. Its JSON is
// that of react-querybuilder's RuleGroupType. The root is always a group; one without rules
// always holds.
type Tree struct {
	Combinator string `json:"combinator" enum:"and,or"`
	Not        bool   `json:"not,omitempty"`
	Rules      []Node `json:"rules"`
}

// Node is a rule or a group; exactly one is set. In JSON it is the one or the other.
type Node struct {
	*Rule
	*Tree
}

// Rule asks one thing of one field.
type Rule struct {
	Field    string `json:"field" doc:"A name of the vocabulary." example:"member.spend"`
	Args     []any  `json:"args,omitempty" doc:"What it is called with: texts and whole numbers."`
	Operator string `json:"operator" doc:"One of the field's operators." example:">="`
	Value    any    `json:"value" doc:"Text, number, true or false, or a list of texts or numbers (in, notIn). An amount of money is a text with decimals."`
}

// Text writes a tree as the text of a condition. It fails on a field, an operator or a value
// that the vocabulary does not have.
func (e *Env) Text(t Tree) (string, error) { return "", nil }

// ParseTree reads a text that the builder can show; false for one that it cannot, which is
// then edited as text.
func (e *Env) ParseTree(text string, kind Kind) (Tree, bool) { return Tree{}, false }

// Tidy returns the tree that text can hold: groups of one rule that are not negated are
// dissolved into the group around them.
func (t Tree) Tidy() Tree { return t }
