package draw

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// The tables as batches write them.
var (
	stateTable  = ledger.DefineSharedTable("draw_state", 1, "draw_id int, version int, live int, epoch int, play_n int, table_n int, body bytes")
	oddsTable   = ledger.DefineTable("draw_odds", 2, "draw_id int, number int, epoch int, from_n int, body bytes")
	lineTable   = ledger.DefineTable("draw_line", 3, "draw_id int, epoch int, n int, body bytes")
	memberTable = ledger.DefineTable("member_draw", 2, "shard int, member_id int, body bytes")
	playTable   = ledger.DefineTable("draw_play", 3, "shard int, member_id int, seq int, draw_id int, epoch int, n int, at_ms int, prize text, code text, handed_ms int, body bytes")
)

func shardOf(member int64) int64 { return int64(id.Shard(member)) }

func stateRow(draw int64) ledger.RowKey { return ledger.RowKey{Table: stateTable, Key: []any{draw}} }

func memberRow(member int64) ledger.RowKey {
	return ledger.RowKey{Table: memberTable, Key: []any{shardOf(member), member}}
}

func playRow(member, seq int64) ledger.RowKey {
	return ledger.RowKey{Table: playTable, Key: []any{shardOf(member), member, seq}}
}

// state is the row that all plays of a draw change.
type state struct {
	Draw    int64
	Version int64
	Live    bool
	Epoch   int64
	PlayN   int64 // of the epoch
	TableN  int64
	Body    stateBody
}

// stateBody is what of a state nobody searches for. Its JSON is on disk.
type stateBody struct {
	Table   Table            `json:"table"`   // in force
	Hash    string           `json:"hash"`    // of Table
	Link    string           `json:"link"`    // of the last play of the epoch; empty before the first
	Plays   int64            `json:"plays"`   // of all epochs
	Members int64            `json:"members"` // who played at least once
	Paid    map[string]int64 `json:"paid"`    // what plays cost, by currency
	Free    int64            `json:"free"`    // plays that were free
	Given   map[string]int64 `json:"given"`   // prizes by code
	Sure    int64            `json:"sure"`    // of these, by the guarantee
	Worth   int64            `json:"worth"`   // of all prizes given
	Owed    int64            `json:"owed"`    // that could not be given at once
}

func unpackState(v []any) *state {
	st := &state{Draw: v[0].(int64), Version: v[1].(int64), Live: v[2].(int64) == 1, Epoch: v[3].(int64), PlayN: v[4].(int64), TableN: v[5].(int64)}
	unpack(v[6].([]byte), &st.Body)
	st.fill()
	return st
}

func (st *state) fill() {
	if st.Body.Paid == nil {
		st.Body.Paid = map[string]int64{}
	}
	if st.Body.Given == nil {
		st.Body.Given = map[string]int64{}
	}
}

// stateOf reads the state of a draw, nil where it was never published.
func stateOf(s *ledger.State, draw int64) *state {
	v := s.Row(stateTable, draw)
	if v == nil {
		return nil
	}
	return unpackState(v)
}

func (st *state) put(s *ledger.State) {
	s.Put(stateTable, st.Draw, st.Version, flag(st.Live), st.Epoch, st.PlayN, st.TableN, pack(st.Body))
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// stand is where a member stands with one draw. Its JSON is on disk.
type stand struct {
	Plays int64 `json:"p"`           // ever
	Day   int64 `json:"d"`           // the last on which they played
	Today int64 `json:"t"`           // plays on it
	Dry   int64 `json:"y,omitempty"` // since the last prize
	Epoch int64 `json:"e,omitempty"` // the last in which they played
	K     int64 `json:"k,omitempty"` // plays in it
	Seen  bool  `json:"s,omitempty"` // they played themselves, and are counted among the members
}

// on is how often the member played on a day.
func (x stand) on(day int64) int64 {
	if x.Day == day {
		return x.Today
	}
	return 0
}

// in is how often the member played in an epoch.
func (x stand) in(epoch int64) int64 {
	if x.Epoch == epoch {
		return x.K
	}
	return 0
}

// book is where a member stands with all draws that they played.
type book map[int64]stand

func bookOf(s *ledger.State, member int64) book {
	b := book{}
	if v := s.Row(memberTable, shardOf(member), member); v != nil {
		unpack(v[2].([]byte), &b)
	}
	return b
}

func (b book) put(s *ledger.State, member int64) {
	s.Put(memberTable, shardOf(member), member, pack(b))
}

// playBody is one play as its member's row has it. Its JSON is on disk.
type playBody struct {
	Line       Line   `json:"line"`
	Kind       Kind   `json:"kind,omitempty"` // of the prize
	Currency   string `json:"currency,omitempty"`
	Amount     int64  `json:"amount,omitempty"`
	Coupon     string `json:"coupon,omitempty"` // code of the coupon that was given
	NameEN     string `json:"name_en,omitempty"`
	NameZH     string `json:"name_zh,omitempty"`
	Guaranteed bool   `json:"guaranteed,omitempty"`
	Owed       bool   `json:"owed,omitempty"` // it could not be given, and is handed out by code
	Paid       int64  `json:"paid,omitempty"`
	PaidIn     string `json:"paid_in,omitempty"`
	By         string `json:"by,omitempty"` // who handed it out
}

// Play is one play of a member.
type Play struct {
	Member int64
	Seq    int64
	Draw   int64
	Epoch  int64
	AtMS   int64
	Prize  string // code; empty for nothing
	Code   string // to pick it up by; empty where nothing is to be picked up
	Handed int64  // when it was handed out; 0 where it was not
	Body   playBody
}

// ID is the public id.
func (p *Play) ID() string { return id.Encode(playPrefix, p.Member, p.Seq) }

func (p *Play) put(s *ledger.State) {
	s.Put(playTable, shardOf(p.Member), p.Member, p.Seq, p.Draw, p.Epoch, p.Body.Line.N, p.AtMS, p.Prize, p.Code, p.Handed, pack(p.Body))
}

func unpackPlay(v []any) *Play {
	p := &Play{Member: v[1].(int64), Seq: v[2].(int64), Draw: v[3].(int64), Epoch: v[4].(int64), AtMS: v[6].(int64), Prize: v[7].(string), Code: v[8].(string), Handed: v[9].(int64)}
	unpack(v[10].([]byte), &p.Body)
	return p
}

func pack(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain values
	}
	return b
}

// unpack reads what pack wrote. What it cannot read was not written by this program.
func unpack(body []byte, to any) {
	if err := json.Unmarshal(body, to); err != nil {
		panic("draw: a row cannot be read: " + err.Error())
	}
}

// sortedKeys is so that nothing depends on the order of a map.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
