package draw

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A number is what docs/draws.md says, worked out here from its words with large integers.
func TestDraw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed")
		nonce := rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`).Draw(t, "nonce")
		epoch, k := rapid.Int64Range(1, 9999).Draw(t, "epoch"), rapid.Int64Range(1, 9999).Draw(t, "k")
		mac := hmac.New(sha256.New, seed)
		fmt.Fprintf(mac, "patron-draw-1|drw_x|%d|0123456789abcdef|%d|%s|0", epoch, k, nonce)
		word := new(big.Int).SetBytes(mac.Sum(nil)[:8])
		want := new(big.Int).Mod(word, big.NewInt(1_000_000)).Int64()
		if got := Draw(seed, "drw_x", epoch, "0123456789abcdef", k, nonce); got != want {
			t.Fatalf("drew %d, want %d", got, want)
		}
	})
}

// Words from the last incomplete million on are passed over, within a block and from block to
// block; the word before them counts.
func TestUniform(t *testing.T) {
	t.Parallel()
	million := big.NewInt(1_000_000)
	all := new(big.Int).Lsh(big.NewInt(1), 64)
	limit := new(big.Int).Mul(new(big.Int).Div(all, million), million).Uint64() // the first that is passed over
	block := func(words ...uint64) (b [32]byte) {
		for i, w := range words {
			binary.BigEndian.PutUint64(b[8*i:], w)
		}
		return b
	}
	for _, tt := range []struct {
		name   string
		blocks [][32]byte
		want   int64
	}{
		{"zero", [][32]byte{block(0)}, 0},
		{"remainder", [][32]byte{block(1_234_567)}, 234_567},
		{"last that counts", [][32]byte{block(limit - 1)}, 999_999},
		{"first that does not", [][32]byte{block(limit, 7)}, 7},
		{"largest", [][32]byte{block(^uint64(0), ^uint64(0), 5)}, 5},
		{"next block", [][32]byte{block(limit, limit, limit, limit), block(42)}, 42},
	} {
		got := uniform(func(i int64) [32]byte { return tt.blocks[i] })
		if got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// Of a million plays each prize is won as often as its odds say, as far as chance allows. The
// bound is that of χ² with 5 degrees of freedom at one in a hundred thousand; the seed is fixed.
func TestFrequencies(t *testing.T) {
	t.Parallel()
	table := Table{Odds: []Odds{{"a", 500}, {"b", 9_500}, {"c", 90_000}, {"d", 150_000}, {"e", 250_000}}}
	seed := sha256.Sum256([]byte("frequencies"))
	got := map[string]int64{}
	const n = 1_000_000
	for i := range int64(n) {
		prize, _ := table.Prize(Draw(seed[:], "drw_x", 1, "0123456789abcdef", i+1, "nonce"), 0)
		got[prize]++
	}
	want := map[string]int64{"a": 500, "b": 9_500, "c": 90_000, "d": 150_000, "e": 250_000, "": 500_000}
	sum := 0.0
	for prize, w := range want {
		off := float64(got[prize] - w)
		sum += off * off / float64(w)
	}
	t.Logf("χ² = %.2f, %v", sum, got)
	if sum > 30.86 {
		t.Errorf("χ² = %.2f, which chance gives less than once in a hundred thousand: %v", sum, got)
	}
}

// The numbers go to the prizes in their order, the rest to nothing, and the guarantee takes only
// what meant nothing.
func TestTable(t *testing.T) {
	t.Parallel()
	table := Table{Odds: []Odds{{"a", 10}, {"gone", 0}, {"b", 20}}, After: 3, Guarantee: "b"}
	for _, tt := range []struct {
		name        string
		number, dry int64
		prize       string
		sure        bool
	}{
		{"first", 0, 0, "a", false},
		{"last of the first", 9, 0, "a", false},
		{"first of the next", 10, 0, "b", false},
		{"last of all", 29, 0, "b", false},
		{"nothing", 30, 0, "", false},
		{"nothing, the last number", 999_999, 1, "", false},
		{"the third play", 30, 2, "b", true},
		{"later still", 999_999, 9, "b", true},
		{"a prize of its own", 0, 2, "a", false},
	} {
		if prize, sure := table.Prize(tt.number, tt.dry); prize != tt.prize || sure != tt.sure {
			t.Errorf("%s: %q, %v", tt.name, prize, sure)
		}
	}
}

// honest is an epoch of n plays of a few members with two tables, as an honest shop makes it.
func honest(n int) (Proof, []Line) {
	seed := sha256.Sum256([]byte("honest"))
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	p := Proof{Draw: "drw_x", Epoch: 2, Hash: Commitment(seed[:]), Seed: hex.EncodeToString(seed[:]), Plays: int64(n), Tables: []Table{
		{Number: 3, Epoch: 1, From: 7, At: at, Why: "published", Odds: []Odds{{"cup", 100_000}, {"points", 300_000}}, After: 4, Guarantee: "points"},
		{Number: 4, Epoch: 2, From: int64(n/2) + 1, At: at.Add(time.Hour), Why: "stock", Odds: []Odds{{"cup", 0}, {"points", 300_000}}, After: 4, Guarantee: "points"},
	}}
	link, lines := p.Hash, []Line{}
	k, dry := map[string]int64{}, map[string]int64{}
	for i := range n {
		t := &p.Tables[0]
		if i >= n/2 {
			t = &p.Tables[1]
		}
		mark := fmt.Sprintf("%016x", i%7)
		k[mark]++
		l := Line{N: int64(i + 1), Mark: mark, K: k[mark], Nonce: fmt.Sprintf("nonce%d", i), Dry: dry[mark], Table: t.Number}
		l.Number = Draw(seed[:], p.Draw, p.Epoch, l.Mark, l.K, l.Nonce)
		l.Prize, _ = t.Prize(l.Number, l.Dry)
		dry[mark]++
		if l.Prize != "" {
			dry[mark] = 0
		}
		l.Link = l.link(link, t.Hash(p.Draw))
		link = l.Link
		lines = append(lines, l)
	}
	p.Head = link
	return p, lines
}

func file(p Proof, lines []Line) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	_ = e.Encode(p)
	for _, l := range lines {
		_ = e.Encode(l)
	}
	return b.String()
}

// The verifier passes an honest epoch, and says which line is wrong where one thing of it was
// changed, even where the links were made anew.
func TestCheckFile(t *testing.T) {
	t.Parallel()
	relink := func(p *Proof, lines []Line) {
		link := p.Hash
		for i := range lines {
			table := p.Tables[0]
			for _, x := range p.Tables {
				if x.Number == lines[i].Table {
					table = x
				}
			}
			lines[i].Link = lines[i].link(link, table.Hash(p.Draw))
			link = lines[i].Link
		}
		p.Head, p.Plays = link, int64(len(lines))
	}
	_, example := honest(200)
	dry := slices.IndexFunc(example, func(l Line) bool { return l.N > 20 && l.Dry > 0 })
	for _, tt := range []struct {
		name string
		edit func(p *Proof, lines *[]Line)
		at   int64 // where it is found first; 0 for the whole, -1 for nothing
		what string
	}{
		{"honest", func(*Proof, *[]Line) {}, -1, ""},
		{"another outcome", func(_ *Proof, l *[]Line) { (*l)[40].Prize = "cup" }, 41, "the prize is cup"},
		{"another number", func(_ *Proof, l *[]Line) { (*l)[40].Number = 1 }, 41, "the number is 1"},
		{"another nonce", func(_ *Proof, l *[]Line) { (*l)[40].Nonce = "other" }, 41, "seed and nonce give"},
		{"a play taken out", func(_ *Proof, l *[]Line) { *l = append((*l)[:40:40], (*l)[41:]...) }, 42, "play 41 is expected"},
		{"a play put in again", func(_ *Proof, l *[]Line) { (*l)[41] = (*l)[40] }, 41, "play 42 is expected"},
		{"the last play taken out", func(p *Proof, l *[]Line) { *l = (*l)[:len(*l)-1]; p.Plays-- }, 0, "the last link"},
		{"another seed", func(p *Proof, _ *[]Line) { p.Seed = strings.Repeat("0", 64) }, 0, "not the one whose hash"},
		{"no seed", func(p *Proof, _ *[]Line) { p.Seed = "" }, 0, "not revealed"},
		{"another table", func(p *Proof, _ *[]Line) { p.Tables[0].Odds[1].Odds = 200_000 }, -2, ""},
		{"a table that changes no outcome", func(p *Proof, l *[]Line) { p.Tables[1].At = p.Tables[1].At.Add(time.Minute) }, 101, "its link"},
		{"a table that begins later", func(p *Proof, _ *[]Line) { p.Tables[1].From++ }, 101, "table 4 was in force, but that was 3"},
		{"too much", func(p *Proof, _ *[]Line) { p.Tables[1].Odds[0].Odds = 800_000 }, 0, "more than a million"},
		{"a count that hides the guarantee", func(_ *Proof, l *[]Line) { (*l)[dry].Dry = 0 }, int64(dry) + 1, "without a prize, but 0 are counted"},
		{"outcome with new links", func(p *Proof, l *[]Line) { (*l)[40].Prize = "cup"; relink(p, *l) }, 41, "the prize is cup"},
		{"seed with new links", func(p *Proof, l *[]Line) {
			other := sha256.Sum256([]byte("other"))
			p.Seed, p.Hash = hex.EncodeToString(other[:]), Commitment(other[:])
			relink(p, *l)
		}, 1, "seed and nonce give"},
	} {
		p, lines := honest(200)
		tt.edit(&p, &lines)
		_, found, err := CheckFile(strings.NewReader(file(p, lines)))
		switch {
		case err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.at == -1 && len(found) > 0:
			t.Errorf("%s: %v", tt.name, found)
		case tt.at == -2 && len(found) < 10:
			t.Errorf("%s: %v", tt.name, found)
		case tt.at >= 0 && (len(found) == 0 || found[0].N != tt.at || !strings.Contains(found[0].What, tt.what)):
			t.Errorf("%s: %v, want play %d: %s", tt.name, found, tt.at, tt.what)
		}
	}
}

// What is no proof is said to be none.
func TestNoProof(t *testing.T) {
	t.Parallel()
	p, lines := honest(3)
	for _, text := range []string{"", "{}", "no", file(p, lines) + "x\n"} {
		if _, _, err := CheckFile(strings.NewReader(text)); err == nil {
			t.Errorf("%q passes for a proof", text)
		}
	}
}

// Whatever is left, the odds of a table sum to no more than those of the terms, what is gone has
// none, and what is there has at least its own.
func TestTableOf(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "prizes")
		var terms Terms
		gone, sum := map[string]bool{}, int64(0)
		for i := range n {
			p := Prize{Code: fmt.Sprint("p", i), Odds: rapid.Int64Range(0, Million/8).Draw(t, "odds")}
			if to := rapid.IntRange(0, n).Draw(t, "instead"); to < n && to != i {
				p.Instead = fmt.Sprint("p", to)
			}
			gone[p.Code] = rapid.Bool().Draw(t, "gone")
			sum += p.Odds
			terms.Prizes = append(terms.Prizes, p)
		}
		odds, _, _, _ := terms.tableOf(func(p *Prize) (bool, string) { return !gone[p.Code], whyStock })
		total := int64(0)
		for i, o := range odds {
			total += o.Odds
			p := terms.Prizes[i]
			if o.Prize != p.Code || gone[p.Code] && o.Odds != 0 || !gone[p.Code] && o.Odds < p.Odds {
				t.Fatalf("%+v of %+v", o, p)
			}
		}
		lost := sum
		for _, p := range terms.Prizes {
			if gone[p.Code] && (p.Instead == "" || gone[p.Instead]) {
				lost -= p.Odds
			}
		}
		if total != lost {
			t.Fatalf("the odds sum to %d, want %d", total, lost)
		}
	})
}
