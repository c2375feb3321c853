package ledger

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Move is one movement as the event tells it that was written with it: enough to count it
// and to find its entry. What only shifts points between a member's own accounts (to become
// usable, to be held, to repay a debt) is not told.
type Move struct {
	Member, Seq int64 // of the entry
	Kind        EntryKind
	Currency    int64
	Net         int64 // by how much what the member has changed
	Store       int64
	AtMS        int64 // when it took effect
}

// appendMoves writes entries as the field "moves" of an event of home at atMS: a list of
// [seq, kind, currency, net, store, ms after the event, member], whose last numbers are left
// out where they are 0; the member is 0 where it is the event's own.
func appendMoves(b []byte, home, atMS int64, entries []*Entry) []byte {
	any := false
	for _, e := range entries {
		if e.Kind.Contra() == None {
			continue
		}
		open := `,[`
		if !any {
			open, any = `,"moves":[[`, true
		}
		b = append(b, open...)
		fields := [...]int64{e.Seq, int64(e.Kind), e.Currency, e.Net(), e.Store, e.AtMS - atMS, 0}
		if e.Member != home {
			fields[6] = e.Member
		}
		n := len(fields)
		for n > 4 && fields[n-1] == 0 {
			n--
		}
		for i, f := range fields[:n] {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, f, 10)
		}
		b = append(b, ']')
	}
	if any {
		b = append(b, ']')
	}
	return b
}

// Moves is the field "moves" of an event as it lies in its body.
type Moves [][]int64

// Of spells the movements out that an event of home at atMS tells.
func (m Moves) Of(home, atMS int64) ([]Move, error) {
	list := make([]Move, 0, len(m))
	for _, f := range m {
		if len(f) < 4 || len(f) > 7 {
			return nil, fmt.Errorf("a movement of %d numbers", len(f))
		}
		full := [7]int64{}
		copy(full[:], f)
		one := Move{Member: home, Seq: full[0], Kind: EntryKind(full[1]), Currency: full[2], Net: full[3], Store: full[4], AtMS: atMS + full[5]}
		if full[6] != 0 {
			one.Member = full[6]
		}
		if _, known := kindNames[one.Kind]; !known {
			return nil, fmt.Errorf("a movement of the unknown kind %d", one.Kind)
		}
		list = append(list, one)
	}
	return list, nil
}

// MovesOf reads the movements that the body of an event of home at atMS tells.
func MovesOf(home, atMS int64, body []byte) ([]Move, error) {
	var b struct {
		Moves Moves `json:"moves"`
	}
	if err := json.Unmarshal(body, &b); err != nil {
		return nil, err
	}
	return b.Moves.Of(home, atMS)
}
