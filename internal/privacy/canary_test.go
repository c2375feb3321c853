package privacy_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/privacy"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/test/canary"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// The values that are planted, each of which occurs nowhere else. By the registry, what is
// sealed must never lie anywhere in the clear; what is plain or free may, and goes with the
// member.
var (
	sealedCanaries = []string{
		"+8613812345679", "canary.mail@example.com", "CanaryCard77", "canary-ext-9", "canaryWeChat5",
		"Canary Quill", "金丝雀小姐", "Canary Road 8", "1987-06-05", "canary allergy",
		"Canary Receiver 31", "canary-phone-32", "Canary Lane 33", "canary-note-20", "canary-call-21", "canary-task-22", "canary-task-text-23",
	}
	plainCanaries = []string{"canary-city-1", "canary-tag-2", "canary-hobby-3", "canary-source-4"}
	freeCanaries  = []string{
		"canary-sale-note-5", "canary-line-note-6", "canary-payment-7", "canary-property-8", "canary-key-9",
		"canary-purpose-10", "canary-block-reason-11", "canary-approval-12", "canary-tier-reason-13",
		"canary-carrier-34", "canary-tracking-35",
	}
)

// safeLog is a log that several goroutines write to.
type safeLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *safeLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *safeLog) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.text.Bytes())
}

// plant makes a member in whom every canary sits, and returns the id.
func plant(a *apptest.App) string {
	a.Must(200, "PUT", "/v1/attributes/allergy", J{"kind": "text", "label_en": "Allergy", "label_zh": "过敏", "personal": true})
	a.Must(200, "PUT", "/v1/attributes/hobby", J{"kind": "text", "label_en": "Hobby", "label_zh": "爱好", "personal": false})
	var m struct{ ID string }
	a.Post("/v1/members", J{
		"phone": "13812345679", "email": "canary.mail@example.com", "card": "CanaryCard77", "external_id": "shop/canary-ext-9", "wechat": "canaryWeChat5",
		"name": "Canary Quill 金丝雀小姐", "address": "Canary Road 8", "birthday": "1987-06-05", "city": "canary-city-1", "source": "canary-source-4",
		"tags": []string{"canary-tag-2"}, "attributes": J{"allergy": "canary allergy", "hobby": "canary-hobby-3"}, "consents": []string{"marketing_email"},
	}).Into(&m)
	path := "/v1/members/" + m.ID
	a.Must(200, "PATCH", path, J{"language": "zh-CN"})
	a.Give(m.ID, 1000)
	a.Post("/v1/coupons", J{"code": "ten", "name_en": "Ten", "effect": J{"kind": "amount", "amount": 1000}})
	a.Must(200, "POST", "/v1/coupons/ten/publish", nil)
	a.Post("/v1/coupons/ten/vouchers", J{"member": m.ID})
	a.Post("/v1/draws", J{"code": "box", "name_en": "Box", "look": "box", "free_per_day": 1, "prizes": []J{{"code": "cup", "name_en": "A cup", "kind": "thing", "odds": 1_000_000, "stock": 5}}})
	a.Must(200, "POST", "/v1/draws/box/publish", nil)
	a.Post(path+"/plays", J{"draw": "box"})
	a.Post("/v1/badges", J{"code": "first", "name_en": "First"})
	a.Post("/v1/offers", J{"code": "first", "name_en": "First", "delivery": "open", "goal": J{"kind": "visits", "count": 1}, "reward": J{"badge": "first"}})
	a.Must(200, "POST", "/v1/offers/first/publish", nil)
	a.Post("/v1/leaderboards", J{"code": "week", "name_en": "Week", "metric": "visits", "every": "week"})
	a.Must(200, "PATCH", "/v1/leaderboards/week", J{"state": "live"})
	a.Must(200, "PUT", "/v1/check-in", J{"active": true, "currency": "points", "steps": []int{1}})
	a.Must(200, "POST", "/v1/members/"+m.ID+"/check-in", J{})
	a.Post("/v1/sales", a.Sale(J{"member": m.ID, "attributes": J{"note": "canary-sale-note-5"}, "payments": []J{{"kind": "wechat", "amount": 10000, "reference": "canary-payment-7"}},
		"lines": []J{apptest.With(apptest.Line(1, 1, 10000), J{"attributes": J{"engraved": "canary-line-note-6"}})}}))
	a.Post("/v1/events", J{"type": "visit", "member": m.ID, "at": "2026-03-10", "key": "canary-key-9", "properties": J{"note": "canary-property-8"}})
	a.Post("/v1/members/"+m.ID+"/notes", J{"text": "canary-note-20"})
	a.Post("/v1/members/"+m.ID+"/calls", J{"direction": "in", "outcome": "reached", "text": "canary-call-21"})
	a.Post("/v1/members/"+m.ID+"/tasks", J{"title": "canary-task-22", "text": "canary-task-text-23", "due": "2026-03-20"})
	a.Post("/v1/holds", J{"member": m.ID, "currency": "points", "amount": 10, "ttl_seconds": 600, "purpose": "canary-purpose-10"})
	a.Must(200, "POST", path+"/block", J{"earn": true, "reason": "canary-block-reason-11"})
	a.Must(202, "POST", path+"/adjustments", J{"currency": "points", "amount": 900_000, "reason": "canary-approval-12"})
	a.Post("/v1/tier-schemes", J{"code": "club", "name_en": "Club", "main": true, "window": J{"kind": "lifetime"}, "term": J{"kind": "forever"}, "downgrade": "none", "tiers": []J{{"code": "gold", "name_en": "Gold"}}})
	a.Must(200, "POST", "/v1/tier-schemes/club/publish", nil)
	a.Must(200, "POST", path+"/tier", J{"tier": "gold", "reason": "canary-tier-reason-13", "lock": true})
	var plan struct{ ID string }
	a.Post("/v1/plans", J{"code": "pass", "terms": J{"name_en": "Pass", "every": "month", "price": J{"amount": 2500, "currency": "CNY"}, "trial_days": 7, "grace_days": 3, "remind_days": 5,
		"benefits": J{"multiplier": 1000, "discount_percent": 0, "free_delivery": false}}}).Into(&plan)
	a.Must(200, "POST", "/v1/plans/"+plan.ID+"/state", J{"state": "live"})
	a.Post(path+"/plan/payments", J{"plan": "pass", "amount": 2500, "currency": "CNY", "method": "wechat", "reference": "canary-plan-14"})
	a.Post("/v1/rewards", J{"code": "tin", "name_en": "Tin", "kind": "goods", "ways": []string{"ship"}, "prices": []J{{"currency": "points", "points": 10}}})
	a.Must(200, "POST", "/v1/rewards/tin/publish", nil)
	var order struct{ Order struct{ ID string } }
	a.Post(path+"/reward-orders", J{"reward": "tin", "address": J{"name": "Canary Receiver 31", "phone": "canary-phone-32", "line": "Canary Lane 33"}}).Into(&order)
	a.Must(200, "POST", "/v1/reward-orders/"+order.Order.ID+"/ship", J{"carrier": "canary-carrier-34", "tracking": "canary-tracking-35"})
	if err := a.Rewards.SetWish(a.Context(), numberOf(m.ID), "tin", true); err != nil {
		panic(err)
	}
	signIn(a, "13812345679")
	// What is refused is logged and answered, and repeats nothing.
	a.Do("POST", "/v1/members", J{"phone": "13812345679", "name": "Canary Quill"}).Refused(409, "member.identifier_taken")
	a.Do("GET", "/v1/members/email:canary.mail@example.com?nonsense=1", nil)
	a.Get("/v1/members?q=Canary+Quill")
	a.Drain()
	return m.ID
}

// numberOf is the number inside of a member's id.
func numberOf(text string) int64 {
	m, err := member.ParseID(text)
	if err != nil {
		panic(err)
	}
	return int64(m)
}

// signIn opens the portal to a member, with the code that a demonstration shows.
func signIn(a *apptest.App, phone string) {
	demo := "phone:12000000001"
	if _, err := a.Program.ChangeSettings(a.Context(), program.SettingsChange{Demo: &demo}); err != nil {
		panic(err)
	}
	var asked struct{ Challenge string }
	var inbox struct{ Items []struct{ Code string } }
	a.Must(202, "POST", "/portal/v1/codes", J{"phone": phone}).Into(&asked)
	a.Get("/portal/v1/inbox").Into(&inbox)
	a.Post("/portal/v1/sign-in", J{"phone": phone, "challenge": asked.Challenge, "code": inbox.Items[0].Code})
}

func TestCanary(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			testCanary(t, e)
		})
	}
}

func testCanary(t *testing.T, e db.Engine) {
	var logged safeLog
	s := apptest.Setup{Database: dbtest.Options(t, e), Dir: t.TempDir(), Box: seal.Test(), Log: slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})}
	if s.Database.Dir != "" {
		s.Dir = s.Database.Dir
	}
	a := apptest.OpenAt(t, s)
	a.ApproveAbove(1000)
	id, other := plant(a), a.Member()
	rest := append(append([]string(nil), plainCanaries...), freeCanaries...)

	// While the member is one, nothing sealed lies anywhere in the clear.
	nowhere(t, a, s, &logged, sealedCanaries)
	canary.None(t, "the log", logged.bytes(), rest)
	if how := foundInDatabase(t, a, plainCanaries[0]); !how {
		t.Fatal("the test looks in the wrong place: even plain values are not there")
	}
	all := append(append([]string(nil), sealedCanaries...), rest...)
	for format, text := range exports(t, a, other) {
		canary.None(t, "export of another member as "+format, text, all)
	}
	// The export of the member has all of it, in both forms.
	for format, text := range exports(t, a, id) {
		canary.All(t, "export as "+format, text, all)
	}
	key := wrappedKey(t, a, id)

	// After the erasure, and once the jobs have gone over everything again, nothing is left.
	erase(a, id, nil)
	if n := a.Number("SELECT COUNT(*) FROM approval WHERE state <> 'rejected' OR reason <> ''"); n != 0 {
		t.Errorf("%d approvals wait for one who was erased", n)
	}
	a.Drain()
	a.Clock.Advance(6 * time.Minute)
	ended(t, a, "privacy.erase")
	ended(t, a, "privacy.sweep")
	ended(t, a, "privacy.scrub")
	nowhere(t, a, s, &logged, all)
	if e == db.SQLite {
		files(t, s.Dir, func(name string, text []byte) {
			if bytes.Contains(text, key) {
				t.Errorf("%s: the wrapped key lies there still", name)
			}
		})
	}
	a.Stop()
	canary.NoneInDir(t, s.Dir, all)
}

// nowhere looks in all places at rest.
func nowhere(t *testing.T, a *apptest.App, s apptest.Setup, logged *safeLog, texts []string) {
	t.Helper()
	if a.DB.Engine() == db.SQLite {
		canary.NoneInDir(t, s.Dir, texts)
	}
	canary.NoneInDatabase(t, a.DB, texts)
	canary.None(t, "the log", logged.bytes(), texts)
}

func foundInDatabase(t *testing.T, a *apptest.App, city string) bool {
	t.Helper()
	return a.Number("SELECT COUNT(*) FROM member WHERE city = $1", city) == 1
}

// exports are the export of a member in both forms, the folder unpacked.
func exports(t *testing.T, a *apptest.App, id string) map[string][]byte {
	t.Helper()
	folder := a.Get("/v1/members/" + id + "/export?format=csv")
	z, err := zip.NewReader(bytes.NewReader(folder.Body), int64(len(folder.Body)))
	if err != nil {
		t.Fatal(err)
	}
	var csv bytes.Buffer
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&csv, "== %s\n", f.Name)
		if _, err := io.Copy(&csv, r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return map[string][]byte{"json": a.Get("/v1/members/" + id + "/export").Body, "csv": csv.Bytes()}
}

func wrappedKey(t *testing.T, a *apptest.App, id string) (key []byte) {
	t.Helper()
	m, err := member.ParseID(id)
	if err != nil {
		t.Fatal(err)
	}
	err = a.DB.Read(a.Context(), func(ctx context.Context, tx *db.Tx) error {
		rows, err := tx.QueryText(ctx, "SELECT wrapped_key FROM member WHERE id = $1", int64(m))
		if err != nil {
			return err
		}
		defer rows.Close()
		rows.Next()
		return rows.Scan(&key)
	})
	if err != nil || len(key) < 32 {
		t.Fatalf("%d bytes, %v", len(key), err)
	}
	return key
}

func files(t *testing.T, dir string, each func(name string, text []byte)) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		text, err := os.ReadFile(dir + "/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		each(f.Name(), text)
	}
}

// Every sheet and column that the registry names is there: an export is complete by it.
func TestExportHasWhatTheRegistryNames(t *testing.T) {
	t.Parallel()
	a := apptest.Open(t, db.SQLite)
	a.ApproveAbove(1000)
	id := plant(a)
	var sheets map[string][]map[string]any
	a.Get("/v1/members/" + id + "/export").Into(&sheets)
	for _, f := range privacy.Registry() {
		for name := range strings.FieldsSeq(f.Sheets) {
			sheet, column, named := strings.Cut(name, ".")
			rows := sheets[sheet]
			if len(rows) == 0 {
				t.Errorf("%s %s: the sheet %s is missing or empty", f.Table, f.Columns, sheet)
				continue
			}
			if _, ok := rows[0][column]; named && !ok {
				t.Errorf("%s %s: the sheet %s has no column %s", f.Table, f.Columns, sheet, column)
			}
		}
		if f.Class == privacy.Sealed && f.Sheets == "" && f.Why == "" {
			t.Errorf("%s %s: in no export, and not said why", f.Table, f.Columns)
		}
	}
}
