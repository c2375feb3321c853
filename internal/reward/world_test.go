package reward_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

type J = apptest.J

type world struct {
	*apptest.App
	t testing.TB
}

func each(t *testing.T, body func(t *testing.T, w world)) {
	t.Helper()
	apptest.Each(t, func(t *testing.T, a *apptest.App) { body(t, world{a, t}) })
}

// order is one as the API tells.
type order struct {
	ID, State, Pickup, Gift string
	PickupCode              string `json:"pickup_code"`
	GiftCode                string `json:"gift_code"`
	GiftEnd                 string `json:"gift_code_end"`
	MemberID                string `json:"member_id"`
	NameEN                  string `json:"name_en"`
	Version, Points         int64
	Lapsed                  bool
	Kept                    bool `json:"points_kept"`
	Money                   struct{ Amount int64 }
	Address                 *struct{ Name, Phone, Line string }
	Carrier, Tracking       string
	ExpiresAt               *time.Time `json:"expires_at"`
	History                 []struct{ Step, Actor, Note string }
}

type ordered struct {
	Order    order
	Balances map[string]int64
	Refund   *struct{ Amount int64 } `json:"money_to_refund"`
}

// reward makes and publishes a reward: goods for 100 points, unless edits say otherwise; with
// so much common stock, 0 for uncounted.
func (w world) reward(code string, stock int64, edits J) string {
	w.t.Helper()
	body := apptest.With(J{"code": code, "name_en": "Tea tin", "name_zh": "茶叶罐", "kind": "goods", "prices": []J{{"currency": "points", "points": 100}}}, edits)
	if stock > 0 {
		body["stock"] = "common"
	}
	var r struct{ ID, State string }
	w.Post("/v1/rewards", body).Into(&r)
	if stock > 0 {
		w.Must(200, "POST", "/v1/rewards/"+r.ID+"/stock", J{"add": stock})
	}
	w.Must(200, "POST", "/v1/rewards/"+r.ID+"/publish", nil).Into(&r)
	if r.State != "live" {
		w.t.Fatalf("the reward is %s", r.State)
	}
	return r.ID
}

// rich is a member with points.
func (w world) rich(points int64) string {
	w.t.Helper()
	m := w.Member()
	w.Give(m, points)
	return m
}

// orders orders a reward for a member.
func (w world) orders(member, reward string, edits J) ordered {
	w.t.Helper()
	var o ordered
	w.Post("/v1/members/"+member+"/reward-orders", apptest.With(J{"reward": reward}, edits)).Into(&o)
	return o
}

// refused tries to, and is refused.
func (w world) refused(status int, code, member, reward string, edits J) {
	w.t.Helper()
	w.Do("POST", "/v1/members/"+member+"/reward-orders", apptest.With(J{"reward": reward}, edits)).Refused(status, code)
}

// do takes a step of an order.
func (w world) do(o order, step string, body any) (out ordered) {
	w.t.Helper()
	w.Must(200, "POST", "/v1/reward-orders/"+o.ID+"/"+step, body).Into(&out)
	return out
}

// order reads one.
func (w world) order(id string) (o order) {
	w.t.Helper()
	w.Get("/v1/reward-orders/" + id).Into(&o)
	return o
}

// left is what is left of a reward's common stock.
func (w world) left(reward string) int64 {
	w.t.Helper()
	var r struct{ Stocks []struct{ Left int64 } }
	w.Get("/v1/rewards/" + reward).Into(&r)
	return r.Stocks[0].Left
}

func (o order) steps() string {
	var list []string
	for _, s := range o.History {
		list = append(list, s.Step)
	}
	return strings.Join(list, " ")
}

// points is what a member can use.
func (w world) points(member string) int64 { return w.Wallet(member).Available }

// store makes one more store.
func (w world) store(code string) string {
	w.t.Helper()
	var s struct{ ID string }
	w.Post("/v1/stores", J{"code": code, "name_en": code, "merchant": w.merchant()}).Into(&s)
	return s.ID
}

func (w world) merchant() string {
	w.t.Helper()
	var list struct{ Items []struct{ ID string } }
	w.Get("/v1/merchants").Into(&list)
	return list.Items[0].ID
}

// signedIn enrols a member and signs them in to the portal.
func (w world) signedIn(phone string) (member string, do func(method, path string, body any) apptest.Response) {
	w.t.Helper()
	var m struct{ ID string }
	w.Post("/v1/members", J{"phone": phone}).Into(&m)
	demo := "phone:12000000001"
	if _, err := w.Program.ChangeSettings(w.Context(), program.SettingsChange{Demo: &demo}); err != nil {
		w.t.Fatal(err)
	}
	var asked struct{ Challenge string }
	var inbox struct{ Items []struct{ Code string } }
	w.Must(202, "POST", "/portal/v1/codes", J{"phone": phone}).Into(&asked)
	w.Get("/portal/v1/inbox").Into(&inbox)
	r := w.Post("/portal/v1/sign-in", J{"phone": phone, "challenge": asked.Challenge, "code": inbox.Items[0].Code})
	text, _, _ := strings.Cut(r.Header.Get("Set-Cookie"), ";")
	cookie := apptest.Header{Name: "Cookie", Value: text}
	return m.ID, func(method, path string, body any) apptest.Response {
		w.t.Helper()
		return w.Do(method, "/portal/v1/"+path, body, apptest.Header{Name: "Authorization"}, cookie, apptest.Keyed(fmt.Sprint("portal-", w.Unique())))
	}
}

// after lets time pass, and the sweep come by.
func (w world) after(d time.Duration) {
	w.t.Helper()
	w.Pass(d)
	if err := w.Rewards.Sweep(w.Context(), func(int64) {}); err != nil {
		w.t.Fatal(err)
	}
}
