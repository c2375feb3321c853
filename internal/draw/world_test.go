package draw_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/draw"
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

// drawn is a play as the API tells.
type drawn struct {
	ID, Kind   string
	Won        bool
	Name       string `json:"prize_name_en"`
	Amount     int64
	PickUp     string     `json:"pick_up_code"`
	Handed     *time.Time `json:"handed_out_at"`
	Guaranteed bool
	Paid       int64
	Epoch      int64
	Line       draw.Line
	Balances   map[string]int64
}

// nextDay lets a day pass, and the epochs turn.
func (w world) nextDay() {
	w.t.Helper()
	w.Pass(24 * time.Hour)
	if err := w.Draws.Roll(w.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// draw makes and publishes a draw: a cup, and 5 points, each with one chance in four, for 10
// points a play, unless edits say otherwise.
func (w world) draw(code string, edits J) string {
	w.t.Helper()
	var d struct{ ID string }
	w.Post("/v1/draws", apptest.With(J{
		"code": code, "name_en": "Wheel", "name_zh": "转盘", "look": "wheel", "price": J{"currency": "points", "amount": 10},
		"prizes": []J{cup(250_000, 0), {"code": "points", "name_en": "5 points", "kind": "points", "currency": "points", "amount": 5, "odds": 250_000}},
	}, edits)).Into(&d)
	w.Must(200, "POST", "/v1/draws/"+d.ID+"/publish", nil)
	return d.ID
}

func cup(odds, stock int) J {
	return J{"code": "cup", "name_en": "Cup", "name_zh": "茶杯", "kind": "thing", "worth": 100, "odds": odds, "stock": stock}
}

// rich enrols a member with points.
func (w world) rich(points int64) string {
	m := w.Member()
	if points > 0 {
		w.Give(m, points)
	}
	return m
}

func (w world) play(member, draw string) (p drawn) {
	w.t.Helper()
	w.Must(201, "POST", "/v1/members/"+member+"/plays", J{"draw": draw}).Into(&p)
	return p
}

// together plays as all members at once, and counts answers by status.
func (w world) together(draw string, members []string) map[int]int {
	w.t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	out := map[int]int{}
	for _, m := range members {
		all.Go(func() {
			r, err := w.Send("POST", "/v1/members/"+m+"/plays", J{"draw": draw}, apptest.Keyed(fmt.Sprint("play", w.Unique())))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				out[0]++
				return
			}
			out[r.Status]++
		})
	}
	all.Wait()
	return out
}

type figures struct {
	Plays, Members, Free, Worth, Guaranteed, Owed int64
	BudgetLeft                                    *int64 `json:"budget_left"`
	Paid                                          []struct{ Amount int64 }
	Prizes                                        []struct {
		Code     string
		Given    int64
		Expected float64
		Left     *int64
	}
	Table draw.Table
}

func (w world) figures(draw string) (f figures) {
	w.t.Helper()
	w.Get("/v1/draws/" + draw + "/figures").Into(&f)
	return f
}

func (f *figures) given(code string) int64 {
	for _, p := range f.Prizes {
		if p.Code == code {
			return p.Given
		}
	}
	return -1
}

// public asks as a stranger.
func (w world) public(path string, to any) {
	w.t.Helper()
	r := w.Do("GET", path, nil, apptest.Header{Name: "Authorization"})
	if r.Status != http.StatusOK {
		w.t.Fatalf("%s answers %d: %s", path, r.Status, r.Body)
	}
	r.Into(to)
}

// proof fetches an epoch as a stranger and checks it.
func (w world) proof(drawn string, epoch int64) (draw.Proof, []draw.Line, []draw.Finding) {
	w.t.Helper()
	var p draw.Proof
	w.public(fmt.Sprintf("/portal/v1/draws/%s/proof?epoch=%d", drawn, epoch), &p)
	c := draw.NewChecker(p)
	var lines []draw.Line
	for cursor := ""; ; {
		var page struct {
			Items []draw.Line
			Next  string `json:"next_cursor"`
		}
		w.public(fmt.Sprintf("/portal/v1/draws/%s/lines?epoch=%d&limit=50&cursor=%s", drawn, epoch, cursor), &page)
		for _, l := range page.Items {
			c.Line(l)
		}
		lines = append(lines, page.Items...)
		if cursor = page.Next; cursor == "" {
			return p, lines, c.Close()
		}
	}
}

// signedIn enrols a member and signs them in to the portal.
func (w world) signedIn(phone string) (member string, cookie apptest.Header) {
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
	return m.ID, apptest.Header{Name: "Cookie", Value: text}
}
