package privacy

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/member"
)

// Word is what a member says about one purpose and channel.
type Word struct {
	Purpose Purpose
	Channel Channel
	Granted bool
	Version int64 // of the text that they were shown; 0 for the latest
	Source  string
}

// spokenBody is the body of consent.granted and consent.withdrawn.
type spokenBody struct {
	Purpose     Purpose `json:"purpose"`
	Channel     Channel `json:"channel"`
	TextVersion int64   `json:"text_version,omitempty"`
	Source      string  `json:"source"`
	History     bool    `json:"history,omitempty"` // from the past: nobody acts on it
}

// maxRaces bounds how often a write is tried again whose member was merged meanwhile.
const maxRaces = 4

// Speak writes down what a member says, all of it or nothing, and returns how things stand.
func (s *Service) Speak(ctx context.Context, ref member.Ref, words []Word) (Consents, error) {
	for range maxRaces {
		m, err := s.o.Members.Find(ctx, ref)
		if err != nil {
			return Consents{}, err
		}
		var moved bool
		err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			l, err := member.Lock(ctx, tx, m)
			if err != nil {
				return err
			}
			if moved = l.MergedInto != 0 || l.ErasedMS != 0; moved {
				return ErrBusy
			}
			for i, w := range words {
				if err := s.speak(ctx, tx, m, w, s.o.Clock.Now(), false); err != nil {
					return at(err, fmt.Sprintf("body.consents[%d]", i))
				}
			}
			return nil
		})
		if !moved {
			if err != nil {
				return Consents{}, err
			}
			return s.Of(ctx, member.RefID(m))
		}
		s.o.Members.Forget(m)
	}
	return Consents{}, ErrBusy
}

func (s *Service) speak(ctx context.Context, tx *db.Tx, m member.ID, w Word, when time.Time, past bool) error {
	text, err := shown(ctx, tx, w)
	if err != nil {
		return err
	}
	c := Consent{
		Member: m, Purpose: w.Purpose, Channel: w.Channel, Granted: w.Granted, TextVersion: text.Version, TextHash: text.Hash,
		At: when, Source: w.Source, Actor: actor(ctx),
	}
	if c.TextHash == nil {
		c.TextHash = []byte{}
	}
	if err := addConsent(ctx, tx, c); err != nil {
		return err
	}
	kind := "consent.withdrawn"
	if w.Granted {
		kind = "consent.granted"
	}
	body := spokenBody{w.Purpose, w.Channel, text.Version, w.Source, past}
	err = event.Append(ctx, tx, event.Event{Kind: kind, Shard: m.Shard(), Member: int64(m), AtMS: when.UnixMilli(), Body: event.MustBody(body)})
	if err != nil || past {
		return err
	}
	return s.o.Audit.Record(ctx, tx, kind, m.String(), nil, body)
}

// Check refuses words that Speak would refuse, and keeps nothing.
func (s *Service) Check(ctx context.Context, words []Word) error {
	return s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		for i, w := range words {
			if _, err := shown(ctx, tx, w); err != nil {
				return at(err, fmt.Sprintf("body.consents[%d]", i))
			}
		}
		return nil
	})
}

// shown is the text that a word is about; none where the purpose has none.
func shown(ctx context.Context, tx *db.Tx, w Word) (Text, error) {
	if !known(w.Purpose) || !slices.Contains(channels[:], w.Channel) {
		return Text{}, ErrPurpose
	}
	text, ok, err := readText(ctx, tx, w.Purpose, w.Version)
	if err == nil && !ok && w.Version != 0 {
		err = ErrVersion.With("version", w.Version)
	}
	return text, err
}

// Known refuses what is no purpose of the programme. It is part of member.Consents.
func (s *Service) Known(purposes []string) error {
	for _, text := range purposes {
		if _, _, err := parse(text); err != nil {
			return err
		}
	}
	return nil
}

// Joined keeps what new members agreed to. It is part of member.Consents.
func (s *Service) Joined(ctx context.Context, tx *db.Tx, list []member.Agreed) error {
	source := "api"
	if api.CallerOf(ctx).Kind == "staff" {
		source = "staff"
	}
	for _, a := range list {
		for _, text := range a.Purposes {
			p, c, err := parse(text)
			if err != nil {
				return err
			}
			w := Word{Purpose: p, Channel: c, Granted: true, Source: source}
			if a.History {
				w.Source = "import"
			}
			if err := s.speak(ctx, tx, a.Member, w, time.UnixMilli(a.AtMS), a.History); err != nil {
				return err
			}
		}
	}
	return nil
}

// Consents is how things stand for a member, and all that was ever said, newest first.
type Consents struct {
	Member  member.ID
	Current []State
	History []Consent
}

// Of reads the consents of a person, those of merged records among them; by the id also of
// one who was erased.
func (s *Service) Of(ctx context.Context, ref member.Ref) (out Consents, err error) {
	if out.Member, err = s.o.Members.Trace(ctx, ref); err != nil {
		return out, err
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		h, err := readHistory(ctx, tx, out.Member)
		out.Current, out.History = h.stand().current(), h.all()
		return err
	})
	return out, err
}

// Allowed reports whether a member may be reached for a purpose by a channel, in the
// caller's transaction. Who has said nothing has not agreed.
func Allowed(ctx context.Context, tx *db.Tx, m member.ID, p Purpose, c Channel) (bool, error) {
	h, err := readHistory(ctx, tx, m)
	return h.stand()[topic{p, c}].Granted, err
}

// maxText bounds a text, in characters.
const maxText = 5000

// Texts lists all versions of all texts, latest first within a purpose.
func (s *Service) Texts(ctx context.Context) (list []Text, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, err = readTexts(ctx, tx)
		return err
	})
	return list, err
}

// PutText makes a text the latest version of its purpose. The same text again is the
// version that is there.
func (s *Service) PutText(ctx context.Context, p Purpose, en, zh string) (t Text, err error) {
	if !known(p) {
		return t, ErrPurpose.At("body.purpose")
	}
	for _, text := range []string{en, zh} {
		if n := utf8.RuneCountInString(text); n == 0 || n > maxText {
			return t, ErrText.With("max", maxText)
		}
	}
	taken := errors.New("privacy: somebody else made this version")
	for range maxRaces {
		err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			last, ok, err := readText(ctx, tx, p, 0)
			if t = last; err != nil || ok && last.EN == en && last.ZH == zh {
				return err
			}
			hash := HashText(en, zh)
			t = Text{Purpose: p, Version: last.Version + 1, EN: en, ZH: zh, Hash: hash, At: s.o.Clock.Now().UTC(), Actor: actor(ctx)}
			n, err := tx.Exec(ctx, addTextSQL, string(p), t.Version, en, zh, hash, t.At.UnixMilli(), t.Actor)
			if err != nil {
				return fmt.Errorf("add a text of %s: %w", p, err)
			}
			if n == 0 {
				return taken
			}
			return s.o.Audit.Record(ctx, tx, "consent.text_changed", string(p), nil, map[string]any{"version": t.Version})
		})
		if !errors.Is(err, taken) {
			break
		}
	}
	return t, err
}

// HashText is what a row keeps of the text that was shown: SHA-256 over both languages,
// each with its length in front.
func HashText(en, zh string) []byte {
	h := sha256.New()
	for _, text := range []string{en, zh} {
		fmt.Fprintf(h, "%d:%s", len(text), text)
	}
	return h.Sum(nil)
}

// consents is the Part of what this package keeps itself.
type consents struct{ s *Service }

func (consents) Name() string { return "consents" }

func (c consents) Export(ctx context.Context, who Person, to Sheets) error {
	err := to.Sheet("consents", "record", "number", "purpose", "channel", "granted", "text_version", "text_sha256", "at", "source", "actor")
	if err != nil {
		return err
	}
	for _, m := range who.Records {
		var rows []Consent
		err := c.s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			rows, err = readConsents(ctx, tx, m)
			return err
		})
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := to.Row(m, r.Seq, string(r.Purpose), string(r.Channel), r.Granted, r.TextVersion, fmt.Sprintf("%x", r.TextHash), r.At, r.Source, r.Actor); err != nil {
				return err
			}
		}
	}
	return nil
}

// Erase leaves the rows: they prove what was allowed, and hold no personal value.
func (consents) Erase(context.Context, Erasure) error { return nil }
