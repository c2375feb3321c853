package ledger

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// The engines read JSON in words of their own.
var entriesAtSQL = db.Define("ledger.entriesAt", `
	SELECT `+entryTable.names()+`
	FROM json_each($1) AS k
	JOIN entry AS e ON e.shard = json_extract(k.value, '$[0]')
		AND e.member_id = json_extract(k.value, '$[1]') AND e.seq = json_extract(k.value, '$[2]')`).
	OnPostgres(`
	SELECT ` + entryTable.names() + `
	FROM json_array_elements($1::JSON) AS k (value)
	JOIN entry AS e ON e.shard = (k.value->>0)::SMALLINT
		AND e.member_id = (k.value->>1)::BIGINT AND e.seq = (k.value->>2)::BIGINT`)

// Listed is an entry in a list over members.
type Listed struct {
	Member string `json:"member_id" doc:"Whose it is."`
	Name   string `json:"member_name,omitempty" doc:"What the member is called, for who may read members."`
	EntryView

	Key LotKey `json:"-"`
	At  int64  `json:"-"` // when it was written
	In  int64  `json:"-"` // the store
	Who string `json:"-"`
}

// EntriesAt reads entries by member and number, in no order.
func (s *Service) EntriesAt(ctx context.Context, tx *db.Tx, keys []LotKey) ([]Listed, error) {
	list := make([][]int64, len(keys))
	for i, k := range keys {
		list[i] = []int64{int64(id.Shard(k.Member)), k.Member, k.Seq}
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	entries, err := readEntries(ctx, tx, entriesAtSQL, string(text))
	if err != nil {
		return nil, fmt.Errorf("read %d entries: %w", len(keys), err)
	}
	out := make([]Listed, len(entries))
	for i, e := range entries {
		out[i] = Listed{Member: memberID(e.Member), EntryView: viewEntry(s.Config(), e, api.Language(ctx)), Key: LotKey{e.Member, e.Seq}, At: e.PostedMS, In: e.Store, Who: e.Actor}
	}
	return out, nil
}

// KindNamed is the kind of entry of a name.
func KindNamed(name string) (EntryKind, bool) {
	for k, n := range kindNames {
		if n == name {
			return k, true
		}
	}
	return 0, false
}
