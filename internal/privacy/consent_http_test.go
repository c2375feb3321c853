package privacy_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/privacy"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

type stands struct {
	Current []struct {
		Purpose, Channel string
		Granted          bool
		Since            string
		TextVersion      int64 `json:"text_version"`
	}
	History []struct {
		Record, Purpose, Channel, Source, Actor string
		Granted                                 bool
		TextVersion                             int64  `json:"text_version"`
		TextHash                                string `json:"text_sha256"`
	}
}

func (s stands) String() string {
	var parts []string
	for _, c := range s.Current {
		sign := "-"
		if c.Granted {
			sign = "+"
		}
		parts = append(parts, sign+c.Purpose+"/"+c.Channel)
	}
	return strings.Join(parts, " ")
}

// A consent is given as a member joins, taken back as easily, and every word is kept with
// the text that was shown.
func TestConsents(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		put := func(en string) (v struct {
			Version int64
			Hash    string `json:"sha256"`
		}) {
			a.Must(200, "PUT", "/v1/consent-texts", J{"purpose": "marketing", "text_en": en, "text_zh": "我同意"}).Into(&v)
			return v
		}
		first := put("I agree.")
		if again := put("I agree."); again != first || first.Version != 1 {
			t.Errorf("the same text again: %+v, first %+v", again, first)
		}
		var m struct{ ID string }
		a.Post("/v1/members", J{"external_id": "a/1", "consents": []string{"marketing", "profiling"}}).Into(&m)
		second := put("I agree to letters.")
		a.Clock.Advance(time.Minute)
		say := func(words ...J) (s stands) {
			a.Post("/v1/members/"+m.ID+"/consents", J{"consents": words}).Into(&s)
			return s
		}
		var s stands
		a.Get("/v1/members/" + m.ID + "/consents").Into(&s)
		if s.String() != "+marketing/any +profiling/any" || s.History[0].Source != "api" || !strings.HasPrefix(s.History[0].Actor, "key:") {
			t.Errorf("after joining: %s, %+v", s, s.History)
		}
		s = say(J{"purpose": "marketing", "channel": "sms", "granted": false, "source": "portal"})
		if s.String() != "+marketing/any -marketing/sms +profiling/any" {
			t.Errorf("after a no to one channel: %s", s)
		}
		if h := s.History[0]; h.TextVersion != second.Version || h.TextHash != second.Hash || h.Source != "portal" {
			t.Errorf("the latest word: %+v", h)
		}
		if h := s.History[len(s.History)-1]; h.Purpose == "marketing" && h.TextHash != first.Hash {
			t.Errorf("the first word was spoken to the first text: %+v", h)
		}
		s = say(J{"purpose": "marketing", "granted": false}, J{"purpose": "marketing", "channel": "email", "granted": true, "text_version": 1})
		if s.String() != "-marketing/any +marketing/email +profiling/any" || len(s.History) != 5 {
			t.Errorf("after a no to all and a yes to one: %s, %d rows", s, len(s.History))
		}
		a.Do("POST", "/v1/members/"+m.ID+"/consents", J{"consents": []J{{"purpose": "marketing", "granted": true}, {"purpose": "fun", "granted": true}}}).Refused(422, "consent.purpose")
		a.Do("POST", "/v1/members/"+m.ID+"/consents", J{"consents": []J{{"purpose": "marketing", "granted": true, "text_version": 7}}}).Refused(422, "consent.version")
		a.Do("POST", "/v1/members", J{"external_id": "a/2", "consents": []string{"fun"}}).Refused(422, "member.consent")
		a.Get("/v1/members/" + m.ID + "/consents").Into(&s)
		if len(s.History) != 5 {
			t.Errorf("a refused request left %d rows", len(s.History)-5)
		}

		a.Drain()
		var told struct{ Items []struct{ Type string } }
		a.Get("/v1/events?type=consent.withdrawn").Into(&told)
		if len(told.Items) != 2 {
			t.Errorf("%d events of consents that were taken back", len(told.Items))
		}
		who, _ := member.ParseID(m.ID)
		for c, want := range map[privacy.Channel]bool{privacy.SMS: false, privacy.Email: true, privacy.Any: false, privacy.Push: false} {
			var got bool
			err := a.DB.Read(a.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
				got, err = privacy.Allowed(ctx, tx, who, privacy.Marketing, c)
				return err
			})
			if err != nil || got != want {
				t.Errorf("marketing by %s: allowed %v, %v", c, got, err)
			}
		}
	})
}

// The rows are evidence: the database refuses to change or remove one.
func TestConsentsOnlyGrow(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		a.Must(200, "PUT", "/v1/consent-texts", J{"purpose": "sharing", "text_en": "a", "text_zh": "b"})
		a.Post("/v1/members", J{"external_id": "a/1", "consents": []string{"sharing"}})
		for _, query := range []string{
			"UPDATE consent SET granted = 0", "DELETE FROM consent", "UPDATE consent_text SET text_en = 'x'", "DELETE FROM consent_text",
		} {
			err := a.DB.InTx(a.Context(), func(ctx context.Context, tx *db.Tx) error {
				_, err := tx.ExecText(ctx, query)
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "consents are evidence") {
				t.Errorf("%s: %v", query, err)
			}
		}
	})
}

// After a merge the survivor answers for both, the more cautious word counts, and undoing
// the merge gives each back their own.
func TestConsentsOfMerged(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		var from, into struct{ ID string }
		a.Post("/v1/members", J{"external_id": "a/1", "consents": []string{"marketing", "sharing"}}).Into(&from)
		a.Post("/v1/members", J{"external_id": "a/2", "consents": []string{"marketing"}}).Into(&into)
		a.Clock.Advance(time.Minute)
		a.Post("/v1/members/"+from.ID+"/consents", J{"consents": []J{{"purpose": "marketing", "channel": "sms", "granted": false}}})
		a.Clock.Advance(time.Minute)
		a.Must(200, "POST", "/v1/members/"+from.ID+"/merge", J{"into": into.ID})
		of := func(id string) (s stands) {
			a.Get("/v1/members/" + id + "/consents").Into(&s)
			return s
		}
		if s := of(from.ID); s.String() != "+marketing/any -marketing/sms +sharing/any" || len(s.History) != 4 {
			t.Errorf("after the merge: %s, %d rows", s, len(s.History))
		}
		a.Clock.Advance(time.Minute)
		a.Post("/v1/members/"+into.ID+"/consents", J{"consents": []J{{"purpose": "marketing", "channel": "sms", "granted": true}}})
		if s := of(into.ID); s.String() != "+marketing/any +marketing/sms +sharing/any" {
			t.Errorf("after a yes of the survivor: %s", s)
		}
		a.Must(200, "POST", "/v1/members/"+from.ID+"/unmerge", nil)
		if s := of(from.ID); s.String() != "+marketing/any -marketing/sms +sharing/any" {
			t.Errorf("the record that was taken out again: %s", s)
		}
		if s := of(into.ID); s.String() != "+marketing/any +marketing/sms" {
			t.Errorf("the other one: %s", s)
		}
	})
}
