package draw

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Proof is what is published of one epoch of a draw, without its lines.
type Proof struct {
	Draw   string  `json:"draw" doc:"The draw: drw_…"`
	Epoch  int64   `json:"epoch" doc:"The epoch, from 1."`
	Hash   string  `json:"hash" doc:"SHA-256 of the seed, published before the first play; 64 hexadecimal digits."`
	Seed   string  `json:"seed,omitempty" doc:"The seed, once the epoch is over; 64 hexadecimal digits."`
	Plays  int64   `json:"plays" doc:"How many plays the epoch has."`
	Head   string  `json:"head" doc:"The link of the last play; the hash of the seed where there was none."`
	Tables []Table `json:"tables" doc:"The table in force when the epoch began, and those that came into force in it, in order."`
}

// Finding is one thing that is wrong with a proof.
type Finding struct {
	N    int64  // the play; 0 for what concerns the whole
	What string // in words
}

func (f Finding) String() string {
	if f.N == 0 {
		return f.What
	}
	return fmt.Sprintf("play %d: %s", f.N, f.What)
}

// maxFound bounds what a Checker tells: one fault early in a chain spoils all that follows.
const maxFound = 100

// Checker recomputes every outcome of an epoch, line by line: memory grows with the members
// who played, not with their plays.
type Checker struct {
	Found []Finding

	p      Proof
	seed   []byte
	link   string
	n      int64
	table  int // index in p.Tables of the one in force
	hashes []string
	marks  map[string]played
}

type played struct{ k, dry int64 }

// NewChecker begins to check an epoch. What it finds wrong before the first line stands in
// Found already.
func NewChecker(p Proof) *Checker {
	c := &Checker{p: p, link: p.Hash, marks: map[string]played{}}
	seed, err := hex.DecodeString(p.Seed)
	switch {
	case p.Seed == "":
		c.found(0, "the seed is not revealed yet: the epoch is not over")
	case err != nil || len(seed) != seedSize:
		c.found(0, "the seed is not 64 hexadecimal digits")
	case Commitment(seed) != p.Hash:
		c.found(0, "the seed is not the one whose hash was published: its SHA-256 is %s, not %s", Commitment(seed), p.Hash)
	}
	c.seed = seed
	if len(p.Tables) == 0 {
		c.found(0, "there is no table")
	}
	for i, t := range p.Tables {
		c.hashes = append(c.hashes, t.Hash(p.Draw))
		sum := int64(0)
		for _, o := range t.Odds {
			if o.Odds < 0 {
				c.found(0, "table %d has odds below 0", t.Number)
			}
			sum += o.Odds
		}
		if sum > Million {
			c.found(0, "the odds of table %d sum to %d, which is more than a million", t.Number, sum)
		}
		before := t.Epoch < p.Epoch || t.Epoch == p.Epoch && t.From <= 1
		switch {
		case i == 0 && !before:
			c.found(0, "the first table, %d, is not in force when the epoch begins", t.Number)
		case i > 0 && (t.Number != p.Tables[i-1].Number+1 || t.Epoch < p.Tables[i-1].Epoch || t.Epoch == p.Tables[i-1].Epoch && t.From < p.Tables[i-1].From):
			c.found(0, "table %d does not follow table %d", t.Number, p.Tables[i-1].Number)
		}
	}
	return c
}

func (c *Checker) found(n int64, format string, args ...any) {
	if len(c.Found) < maxFound {
		c.Found = append(c.Found, Finding{n, fmt.Sprintf(format, args...)})
	}
}

// Line checks the next line.
func (c *Checker) Line(l Line) {
	c.n++
	if l.N != c.n {
		c.found(l.N, "play %d is expected here: one is missing, doubled or out of order", c.n)
		c.n = l.N
	}
	for c.table+1 < len(c.p.Tables) && begun(c.p.Tables[c.table+1], c.p.Epoch, l.N) {
		c.table++
	}
	if len(c.p.Tables) == 0 || c.seed == nil {
		return
	}
	t := &c.p.Tables[c.table]
	if l.Table != t.Number {
		c.found(l.N, "it says that table %d was in force, but that was %d", l.Table, t.Number)
	}
	c.member(l)
	number := Draw(c.seed, c.p.Draw, c.p.Epoch, l.Mark, l.K, l.Nonce)
	if l.Number != number {
		c.found(l.N, "the number is %d, but seed and nonce give %d", l.Number, number)
	}
	if prize, _ := t.Prize(number, l.Dry); prize != l.Prize {
		c.found(l.N, "the prize is %s, but number %d means %s in table %d", named(l.Prize), number, named(prize), t.Number)
	}
	if link := l.link(c.link, c.hashes[c.table]); link != l.Link {
		c.found(l.N, "its link is not the hash of the line, its table and the line before")
	}
	c.link = l.Link
}

// member checks that a member's plays are counted on from one to the next.
func (c *Checker) member(l Line) {
	was, seen := c.marks[l.Mark]
	if l.K != was.k+1 {
		c.found(l.N, "it is the member's play %d, but is counted as %d", was.k+1, l.K)
	}
	if seen && l.Dry != was.dry {
		c.found(l.N, "the member had played %d times without a prize, but %d are counted", was.dry, l.Dry)
	}
	next := played{l.K, 0}
	if l.Prize == "" {
		next.dry = l.Dry + 1
	}
	c.marks[l.Mark] = next
}

// Close checks the end, and returns all that was found.
func (c *Checker) Close() []Finding {
	if c.n != c.p.Plays {
		c.found(0, "there are %d plays, but %d were counted", c.n, c.p.Plays)
	}
	if c.link != c.p.Head {
		c.found(0, "the last link is not the one that was published")
	}
	return c.Found
}

// begun reports whether a table is in force by a play of an epoch.
func begun(t Table, epoch, n int64) bool {
	return t.Epoch < epoch || t.Epoch == epoch && t.From <= n
}

func named(prize string) string {
	if prize == "" {
		return "nothing"
	}
	return prize
}

// ErrFile says that a file of a proof cannot be read.
var ErrFile = errors.New("this is no proof of a draw")

// CheckFile checks a proof as a file has it: the Proof as JSON in the first line, then a Line
// in each.
func CheckFile(r io.Reader) (Proof, []Finding, error) {
	in := bufio.NewScanner(r)
	in.Buffer(nil, 4<<20)
	var p Proof
	if !in.Scan() || json.Unmarshal(in.Bytes(), &p) != nil || p.Draw == "" || p.Hash == "" {
		return p, nil, errors.Join(ErrFile, in.Err())
	}
	c := NewChecker(p)
	for row := 2; in.Scan(); row++ {
		var l Line
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			return p, nil, fmt.Errorf("%w: row %d: %w", ErrFile, row, err)
		}
		c.Line(l)
	}
	if err := in.Err(); err != nil {
		return p, nil, fmt.Errorf("read the proof: %w", err)
	}
	return p, c.Close(), nil
}
