package quota

import (
	"encoding/binary"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// Kin are the records that were merged into a member, and those that were merged into them. What
// was counted for a record stays counted there, so that it is given back where it was taken; a
// limit of the member leaves what all of them together have not taken. Undone, a merge changes
// no count either.

var kinTable = ledger.DefineTable("quota_kin", 2, "shard int, member_id int, kin bytes")

// KinRow is where the kin of a member stand. A command that counts by member under a limit may
// name it in its Needs to save Related a turn.
func KinRow(member int64) ledger.RowKey {
	return ledger.RowKey{Table: kinTable, Key: []any{int64(id.Shard(member)), member}}
}

func kinOf(s *ledger.State, member int64) (list []int64) {
	v := s.Row(kinTable, int64(id.Shard(member)), member)
	if v == nil {
		return nil
	}
	for rest := v[2].([]byte); len(rest) > 0; {
		n, size := binary.Varint(rest)
		if size <= 0 {
			panic("quota: the kin of a member cannot be read")
		}
		list, rest = append(list, n), rest[size:]
	}
	return list
}

func putKin(s *ledger.State, member int64, list []int64) {
	slices.Sort(list)
	packed := []byte{}
	for _, m := range slices.Compact(list) {
		packed = binary.AppendVarint(packed, m)
	}
	s.Put(kinTable, int64(id.Shard(member)), member, packed)
}

// Related asks for what limits of keys by member look at beside their own row: call it before
// anything changes, and before Left, Take and Hold under a limit. Keys of other kinds need
// nothing.
func Related(s *ledger.State, keys ...Key) error {
	var need ledger.Needs
	for _, k := range keys {
		if k.Kind.byMember() {
			need.Rows = append(need.Rows, KinRow(k.Part))
		}
	}
	if err := s.Require(need); err != nil {
		return err
	}
	need.Rows = nil
	for _, k := range keys {
		if !k.Kind.byMember() {
			continue
		}
		for _, m := range kinOf(s, k.Part) {
			kin := k
			kin.Part = m
			need.Rows = append(need.Rows, kin.Row())
		}
	}
	return s.Require(need)
}

// family is a count with those of the member's kin.
func (t *tally) family(s *ledger.State, k Key) Count {
	c := t.count()
	if !k.Kind.byMember() {
		return c
	}
	for _, m := range kinOf(s, k.Part) {
		kin := k
		kin.Part = m
		x := Of(s, kin)
		c.Used, c.Amount, c.Held, c.HeldAmount = c.Used+x.Used, c.Amount+x.Amount, c.Held+x.Held, c.HeldAmount+x.HeldAmount
	}
	return c
}

// companion follows merges.
type companion struct{}

// Companion keeps the kin of members. App hands it to the ledger.
func Companion() ledger.Companion { return companion{} }

// Rows is part of ledger.Companion.
func (companion) Rows(member int64) []ledger.RowKey { return []ledger.RowKey{KinRow(member)} }

// Merged adds the record and its kin.
func (companion) Merged(s *ledger.State, from, into *ledger.Account) error {
	putKin(s, into.ID, append(append(kinOf(s, into.ID), from.ID), kinOf(s, from.ID)...))
	return nil
}

// Unmerged takes them out again.
func (companion) Unmerged(s *ledger.State, from, into *ledger.Account) error {
	gone := append(kinOf(s, from.ID), from.ID)
	putKin(s, into.ID, slices.DeleteFunc(kinOf(s, into.ID), func(m int64) bool { return slices.Contains(gone, m) }))
	return nil
}
