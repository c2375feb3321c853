package member

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
)

// What conditions read of members, by a list of [shard, id]. The engines read JSON in words
// of their own.
var (
	profilesSQL = db.Define("member.profiles", `
	SELECT m.id, m.gender, m.birth_year, m.birth_md, m.city, m.language, m.store_id, m.source, m.joined_ms
	FROM json_each($1) AS k
	JOIN member AS m ON m.shard = json_extract(k.value, '$[0]') AND m.id = json_extract(k.value, '$[1]')`).
		OnPostgres(`
	SELECT m.id, m.gender, m.birth_year, m.birth_md, m.city, m.language, m.store_id, m.source, m.joined_ms
	FROM json_array_elements($1::JSON) AS k (value)
	JOIN member AS m ON m.shard = (k.value->>0)::SMALLINT AND m.id = (k.value->>1)::BIGINT`)
	// profileValuesSQL reads tags as values of the key "".
	profileValuesSQL = db.Define("member.profileValues", `
	SELECT t.member_id, '', '', t.tag, 0
	FROM json_each($1) AS k
	JOIN member_tag AS t ON t.shard = json_extract(k.value, '$[0]') AND t.member_id = json_extract(k.value, '$[1]')
	UNION ALL
	SELECT a.member_id, a.key, a.kind, a.text_value, a.number_e4
	FROM json_each($1) AS k
	JOIN member_attribute AS a ON a.shard = json_extract(k.value, '$[0]') AND a.member_id = json_extract(k.value, '$[1]')
	ORDER BY 1, 2, 4`).
		OnPostgres(`
	SELECT t.member_id, '', '', t.tag, 0::BIGINT
	FROM json_array_elements($1::JSON) AS k (value)
	JOIN member_tag AS t ON t.shard = (k.value->>0)::SMALLINT AND t.member_id = (k.value->>1)::BIGINT
	UNION ALL
	SELECT a.member_id, a.key, a.kind, a.text_value, a.number_e4
	FROM json_array_elements($1::JSON) AS k (value)
	JOIN member_attribute AS a ON a.shard = (k.value->>0)::SMALLINT AND a.member_id = (k.value->>1)::BIGINT
	ORDER BY 1, 2, 4`)
)

// Profile is what conditions read of one member. Those who ask at the same time share a look at
// the database, and what it finds: it is not to be changed.
func (s *Service) Profile(ctx context.Context, m ID) (*cond.Member, error) {
	p, err := s.who.one(ctx, m)
	if err == nil && p == nil {
		err = ErrNotFound
	}
	return p, err
}

// profileOfEach is Profiles in the order in which it is asked, nil for those who are not there.
func (s *Service) profileOfEach(ctx context.Context, members []ID) ([]*cond.Member, error) {
	found, err := s.Profiles(ctx, members)
	out := make([]*cond.Member, len(members))
	for i, m := range members {
		out[i] = found[m]
	}
	return out, err
}

// Profiles is what conditions read of members: what is not sealed, and not their tier, which
// a noun above knows. Those who are not there are not in it.
func (s *Service) Profiles(ctx context.Context, members []ID) (map[ID]*cond.Member, error) {
	members = slices.Clone(members)
	slices.Sort(members)
	members = slices.Compact(members) // who is named twice has no tag twice
	keys := make([][2]int64, len(members))
	for i, m := range members {
		keys[i] = [2]int64{int64(m.Shard()), int64(m)}
	}
	list, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	var out map[ID]*cond.Member
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		out = make(map[ID]*cond.Member, len(members))
		if err := s.readProfiles(ctx, tx, string(list), out); err != nil {
			return err
		}
		return readProfileValues(ctx, tx, string(list), out)
	})
	if err != nil {
		return nil, fmt.Errorf("read %d profiles: %w", len(members), err)
	}
	return out, nil
}

func (s *Service) readProfiles(ctx context.Context, tx *db.Tx, list string, out map[ID]*cond.Member) error {
	snap := s.hooks.Programme()
	return db.ReadRows(func(rows *db.Rows) error {
		var m ID
		var md int
		var store, joined int64
		p := &cond.Member{Status: "active"}
		if err := rows.Scan(&m, &p.Gender, &p.BirthYear, &md, &p.City, &p.Language, &store, &p.Source, &joined); err != nil {
			return err
		}
		p.Number = m.Number()
		p.BirthMonth, p.BirthDay = md/100, md%100
		p.JoinedDay = int32(snap.Day(time.UnixMilli(joined)))
		if st, ok := snap.Store(store); ok {
			p.Store = st.Code
		}
		out[m] = p
		return nil
	})(tx.Query(ctx, profilesSQL, list))
}

func readProfileValues(ctx context.Context, tx *db.Tx, list string, out map[ID]*cond.Member) error {
	return db.ReadRows(func(rows *db.Rows) error {
		var m ID
		var key, text string
		var kind AttributeKind
		var e4 int64
		if err := rows.Scan(&m, &key, &kind, &text, &e4); err != nil {
			return err
		}
		p := out[m]
		switch {
		case p == nil:
		case key == "":
			p.Tags = append(p.Tags, text)
		default:
			if p.Attributes == nil {
				p.Attributes = map[string]cond.Value{}
			}
			p.Attributes[key] = kind.fact(text, e4)
		}
		return nil
	})(tx.Query(ctx, profileValuesSQL, list))
}

// fact is a value as conditions read it.
func (k AttributeKind) fact(text string, e4 int64) cond.Value {
	switch k {
	case NumberAttribute:
		return cond.NumberValue(e4, numberScale)
	case BooleanAttribute:
		return cond.YesNoValue(e4 != 0)
	}
	return cond.TextValue(text)
}

// Declared lists the attributes that conditions can read: those that are not personal.
func (s *Service) Declared(ctx context.Context) ([]cond.Attribute, error) {
	list, err := s.Attributes(ctx)
	if err != nil {
		return nil, err
	}
	var out []cond.Attribute
	for _, a := range list {
		if a.Personal {
			continue
		}
		t := map[AttributeKind]cond.Type{NumberAttribute: cond.Number, BooleanAttribute: cond.YesNo, DateAttribute: cond.Date}[a.Kind]
		if t == "" {
			t = cond.Text
		}
		out = append(out, cond.Attribute{Key: a.Key, Type: t, Choices: a.Choices, EN: a.LabelEN, ZH: a.LabelZH})
	}
	return out, nil
}
