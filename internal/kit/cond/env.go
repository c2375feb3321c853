package cond

// Config is what an Env is built from besides the fixed vocabulary. All of it is optional.
type Config struct {
	Decimals   int         // of the programme's currency: 2 for CNY, 0 for JPY
	Attributes []Attribute // of members, those that are not personal
	Currencies []string    // codes of points, growth and stored value; nil accepts any
	Facts      []Fact      // what nouns register besides the facts of this package
}

// Attribute is one declared attribute of members; it is read as member.attributes.KEY.
type Attribute struct {
	Key     string
	Type    Type     // Text, Number, YesNo or Date
	Choices []string // of a choice: the only values that compile
	EN, ZH  string   // its label
}

// Fact is something about a member that costs a look-up, registered by the noun that can do
// it: member.NAME(text, days). A condition calls it with fixed arguments, Needs lists the
// calls, and whoever evaluates hands in the values.
type Fact struct {
	Name    string // "member.spend"
	Text    *Arg   // the text argument, or nil
	Days    bool   // takes a window in days as its last argument, and may be called without it: ever
	Type    Type   // Whole, Number, Money, Text, YesNo or Date
	EN, ZH  string // what it is, in a few words
	Example string // a condition of kind OfMember that compiles
}

// Arg is the text argument of a fact or a function.
type Arg struct {
	EN, ZH string
	Values []string // the only ones that compile; nil accepts any
}

// Env compiles conditions in one vocabulary. It is safe for many goroutines.
type Env struct{}

// NewEnv builds an Env. It fails only on a Config that contradicts itself, such as two facts
// of one name: a programmer's error.
func NewEnv(c Config) (*Env, error) { return &Env{}, nil }

// Vocabulary documents every field and function that conditions may use, in the order in which
// people should read them.
func (e *Env) Vocabulary() []Entry { return nil }

// Entry documents one field or function, in both languages. It is what the builder and the
// documentation are made from.
type Entry struct {
	Name      string   `json:"name" doc:"As it is written in a condition." example:"member.tier.rank"`
	Type      Type     `json:"type" doc:"What it gives."`
	Kinds     []string `json:"kinds" doc:"Where it may be used: member, sale, line, event."`
	Args      []Param  `json:"args,omitempty" doc:"What it is called with."`
	EN        string   `json:"en" doc:"In a few words, in English."`
	ZH        string   `json:"zh" doc:"In a few words, in Chinese."`
	Values    []Choice `json:"values,omitempty" doc:"The only values it takes."`
	Min       int64    `json:"min,omitempty" doc:"The least value, where min and max are not both 0."`
	Max       int64    `json:"max,omitempty" doc:"The greatest value."`
	Operators []string `json:"operators,omitempty" doc:"What a rule of the visual builder may ask of it; none where it is for texts only."`
	Example   string   `json:"example" doc:"A condition that compiles."`
	LooksUp   bool     `json:"looks_up,omitempty" doc:"Costs a look-up: its arguments are fixed values."`
}

// Param is one argument of a function.
type Param struct {
	Type     Type     `json:"type"`
	EN       string   `json:"en"`
	ZH       string   `json:"zh"`
	Values   []string `json:"values,omitempty" doc:"The only values it takes."`
	Optional bool     `json:"optional,omitempty" doc:"May be left out."`
}

// Choice is one value of a field that has few.
type Choice struct {
	Value string `json:"value"`
	EN    string `json:"en"`
	ZH    string `json:"zh"`
}
