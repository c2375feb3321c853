package draw

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// The protocol by which outcomes are worked out and checked. docs/draws.md has it in words;
// what is written here is all that a verifier needs. Nothing in this file may change for
// draws that were published: a new way gets a new name in the texts that are hashed.

// Million is what the odds of one table sum to.
const Million = 1_000_000

// Odds is how many of a million numbers mean a prize.
type Odds struct {
	Prize string `json:"prize" doc:"Code of the prize."`
	Odds  int64  `json:"odds" doc:"How many of the numbers from 0 to 999,999 mean this prize."`
}

// Table says which number means which prize, from a play on. The numbers go to the prizes in
// the order of the list; those that are left over mean nothing.
type Table struct {
	Number    int64     `json:"number" doc:"The tables of a draw are numbered from 1."`
	Epoch     int64     `json:"epoch" doc:"The epoch in which it came into force."`
	From      int64     `json:"from" doc:"The number of the first play of that epoch that goes by it."`
	At        time.Time `json:"at" doc:"When it came into force."`
	Why       string    `json:"why" enum:"published,changed,stock,budget" doc:"Why it is another than before: the draw was published or changed, the stock of a prize or the budget has ended."`
	Odds      []Odds    `json:"odds" doc:"The prizes in their order, those with no odds too. What is missing to a million means nothing."`
	After     int64     `json:"guarantee_after" doc:"The play of a member with which they win at the latest, counted from their last prize; 0 for no such promise."`
	Guarantee string    `json:"guarantee_prize" doc:"Code of the prize that is then won; empty for no such promise."`
}

// Nothing is how many numbers mean no prize.
func (t *Table) Nothing() int64 {
	left := int64(Million)
	for _, o := range t.Odds {
		left -= o.Odds
	}
	return left
}

// Prize is what a number means for a member who has played so often since their last prize
// without another: the code of the prize, empty for nothing; and whether it is the guarantee
// that gave it.
func (t *Table) Prize(number, dry int64) (code string, guaranteed bool) {
	for _, o := range t.Odds {
		if number < o.Odds {
			return o.Prize, false
		}
		number -= o.Odds
	}
	if t.After > 0 && t.Guarantee != "" && dry+1 >= t.After {
		return t.Guarantee, true
	}
	return "", false
}

// Hash is what lines say of the table that they went by.
func (t *Table) Hash(draw string) string {
	parts := []string{"patron-table-1", draw, dec(t.Number), dec(t.Epoch), dec(t.From), dec(t.At.UnixMilli()), t.Why, dec(t.After), t.Guarantee}
	for _, o := range t.Odds {
		parts = append(parts, o.Prize+"="+dec(o.Odds))
	}
	return digest(parts...)
}

// Line is one play as everybody may see it after the end of its epoch.
type Line struct {
	N      int64  `json:"n" doc:"Plays of an epoch are numbered from 1, without gaps."`
	Mark   string `json:"mark" doc:"Stands for the member in this epoch of this draw, and tells nobody who they are."`
	K      int64  `json:"k" doc:"The how manieth play of the mark it is, from 1."`
	Nonce  string `json:"nonce" doc:"What the member's device threw in."`
	Dry    int64  `json:"dry" doc:"How often the member had played since their last prize without another."`
	Table  int64  `json:"table" doc:"The table in force."`
	Number int64  `json:"number" doc:"What was drawn: 0 to 999,999."`
	Prize  string `json:"prize" doc:"Code of the prize that it means; empty for nothing."`
	Link   string `json:"link" doc:"Hash over this line, its table and the line before."`
}

// link is what Link must be after the link of the line before.
func (l *Line) link(before, table string) string {
	return digest("patron-line-1", before, dec(l.N), l.Mark, dec(l.K), l.Nonce, dec(l.Dry), dec(l.Table), table, dec(l.Number), l.Prize)
}

// Commitment is what is published of a seed before the first play: its SHA-256.
func Commitment(seed []byte) string {
	sum := sha256.Sum256(seed)
	return hex.EncodeToString(sum[:])
}

// Draw works out the number of a play: below a million, each as likely as the other. The seed
// is known to the shop alone, the nonce was chosen by the member, mark and k are known to both
// beforehand: neither can steer it.
func Draw(seed []byte, draw string, epoch int64, mark string, k int64, nonce string) int64 {
	return uniform(func(i int64) [sha256.Size]byte {
		mac := hmac.New(sha256.New, seed)
		mac.Write([]byte(strings.Join([]string{"patron-draw-1", draw, dec(epoch), mark, dec(k), nonce, dec(i)}, "|")))
		return [sha256.Size]byte(mac.Sum(nil))
	})
}

// fair is the last word before the largest multiple of a million that 64 bits hold: words after
// it are passed over, so that no remainder is likelier than another.
const fair = ^uint64(0) - (^uint64(0)%Million+1)%Million

// uniform takes the first word of 64 bits, big-endian, that is not after fair, and its remainder.
// Blocks are worked out as they are needed; that even one is not enough has never been seen.
func uniform(block func(i int64) [sha256.Size]byte) int64 {
	for i := int64(0); ; i++ {
		b := block(i)
		for at := 0; at < len(b); at += 8 {
			if w := binary.BigEndian.Uint64(b[at:]); w <= fair {
				return int64(w % Million)
			}
		}
	}
}

// markOf is the mark of a member in an epoch, under the epoch's own key. The key is thrown away
// with the end of the epoch: from then on nobody can tell whose a mark was by working it out.
func markOf(key []byte, member int64) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("patron-mark-1|" + dec(member)))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

func dec(n int64) string { return strconv.FormatInt(n, 10) }

// digest is SHA-256 over parts with a bar between them, none of which has one in it.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "|")))
	return hex.EncodeToString(sum[:])
}
