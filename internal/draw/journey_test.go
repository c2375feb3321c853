package draw_test

import (
	"slices"
	"testing"

	"github.com/patron-loyalty/patron/internal/draw"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// A draw is published, played, and its first day ends: what was played costs, is given and is
// counted; the day's seed is revealed and each outcome follows from it; what was won is handed
// out once; and all of it adds up.
func TestJourney(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		id := w.draw("wheel", nil)
		members := []string{w.rich(400), w.rich(400), w.rich(400)}
		var plays []drawn
		won, cups := map[string]int64{}, []drawn{}
		for i := range 60 {
			m := members[i%3]
			p := w.play(m, "wheel")
			if p.Paid != 10 || p.Line.N != int64(i+1) || p.Line.K != int64(i/3+1) || p.Epoch != 1 {
				t.Fatalf("play %d: %+v", i, p)
			}
			plays = append(plays, p)
			switch p.Line.Prize {
			case "points":
				won[m] += 5
				if !p.Won || p.Kind != "points" || p.Amount != 5 || p.PickUp != "" {
					t.Errorf("points: %+v", p)
				}
			case "cup":
				cups = append(cups, p)
				if !p.Won || p.Kind != "thing" || len(p.PickUp) != 15 {
					t.Errorf("a cup: %+v", p)
				}
			case "":
				if p.Won || p.Kind != "" || p.PickUp != "" {
					t.Errorf("nothing: %+v", p)
				}
			}
		}
		for _, m := range members {
			if got, want := w.Wallet(m).Available, 400-200+won[m]; got != want {
				t.Errorf("%s has %d points, want %d", m, got, want)
			}
		}
		if len(cups) == 0 || len(cups) == 60 {
			t.Fatalf("%d cups in 60 plays", len(cups))
		}
		w.Do("GET", "/portal/v1/draws/wheel/lines?epoch=1", nil, apptest.Header{Name: "Authorization"}).Refused(409, "draw.sealed")
		w.Verify()

		w.nextDay()
		proof, lines, found := w.proof("wheel", 1)
		if len(found) > 0 || len(lines) != 60 || proof.Plays != 60 || proof.Draw != id {
			t.Fatalf("%d lines, %v", len(lines), found)
		}
		for i, p := range plays {
			if lines[i] != p.Line {
				t.Errorf("published is %+v, the receipt says %+v", lines[i], p.Line)
			}
		}
		if p := w.play(members[0], "wheel"); p.Epoch != 2 || p.Line.N != 1 || p.Line.K != 1 || p.Line.Mark == plays[0].Line.Mark {
			t.Errorf("on the next day: %+v", p)
		}

		var prize drawn
		if w.Get("/v1/draw-prizes/" + cups[0].PickUp).Into(&prize); prize.ID != cups[0].ID || prize.Handed != nil {
			t.Errorf("the prize is %+v", prize)
		}
		w.Must(200, "POST", "/v1/draw-prizes/"+cups[0].PickUp+"/hand-out", nil).Into(&prize)
		if prize.Handed == nil || !prize.Handed.Equal(w.Clock.Now()) {
			t.Errorf("handed out: %+v", prize)
		}
		w.Do("POST", "/v1/draw-prizes/"+cups[0].PickUp+"/hand-out", nil).Refused(409, "draw.handed_out")
		w.Do("POST", "/v1/draw-prizes/AAAAA-AAAA-AAAA/hand-out", nil).Refused(404, "draw.no_prize")

		f := w.figures("wheel")
		if f.Plays != 61 || f.Members != 3 || len(f.Paid) != 1 || f.Paid[0].Amount != 610 || f.Prizes[0].Expected != 15.25 {
			t.Errorf("figures %+v", f)
		}
		var page struct{ Items []drawn }
		w.Get("/v1/members/" + members[1] + "/plays?limit=5").Into(&page)
		if len(page.Items) != 5 || page.Items[0].ID != plays[58].ID {
			t.Errorf("plays of a member: %+v", page.Items)
		}
		var all struct{ Items []drawn }
		w.Get("/v1/draws/wheel/plays").Into(&all)
		if len(all.Items) == 0 || slices.ContainsFunc(all.Items, func(p drawn) bool { return p.PickUp != "" }) {
			t.Error("a list tells pick-up codes")
		}
		w.Must(200, "POST", "/v1/draws/wheel/end", nil)
		if _, lines, found := w.proof("wheel", 2); len(lines) != 1 || len(found) > 0 {
			t.Errorf("after the end: %d lines, %v", len(lines), found)
		}
		w.Do("POST", "/v1/members/"+members[0]+"/plays", J{"draw": "wheel"}, apptest.Keyed("late")).Refused(409, "draw.not_live")
		w.Drain()
		w.Verify()
	})
}

// The same key gives the same play, and what it gave once.
func TestSameKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		w.draw("wheel", nil)
		m := w.rich(100)
		var first, again drawn
		w.Must(201, "POST", "/v1/members/"+m+"/plays", J{"draw": "wheel"}, apptest.Keyed("one")).Into(&first)
		r := w.Must(201, "POST", "/v1/members/"+m+"/plays", J{"draw": "wheel"}, apptest.Keyed("one"))
		r.Into(&again)
		if !r.Replayed() || again.ID != first.ID || again.Line != first.Line || w.figures("wheel").Plays != 1 {
			t.Errorf("%+v, then %+v", first, again)
		}
	})
}

// The hash of a day stands before the day, and does not change; the table that ends with the
// stock is followed by another in the same posting, which says why and from which play on.
func TestStock(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		w.draw("wheel", J{"prizes": []J{cup(500_000, 3), {"code": "leaf", "name_en": "Leaf", "kind": "thing", "odds": 1000, "worth": 1}}, "free_per_day": 1000, "price": nil})
		var epochs struct {
			Items []struct {
				Epoch int64
				Hash  string
			}
		}
		w.public("/portal/v1/draws/wheel/epochs", &epochs)
		if len(epochs.Items) != 2 || epochs.Items[0].Epoch != 2 {
			t.Fatalf("epochs %+v", epochs)
		}
		m, cups, last := w.Member(), 0, int64(0)
		for i := int64(1); cups < 3; i++ {
			if p := w.play(m, "wheel"); p.Line.Prize == "cup" {
				cups, last = cups+1, i
			}
		}
		f := w.figures("wheel")
		if f.Table.Number != 2 || f.Table.Why != "stock" || f.Table.From != last+1 || f.Table.Odds[0].Odds != 0 || f.Table.Odds[1].Odds != 1000 || *f.Prizes[0].Left != 0 {
			t.Fatalf("after play %d: %+v", last, f.Table)
		}
		for range 20 {
			if p := w.play(m, "wheel"); p.Line.Prize == "cup" || p.Line.Table != 2 {
				t.Fatalf("without cups: %+v", p)
			}
		}
		w.Must(200, "PATCH", "/v1/draws/wheel", J{"prizes": []J{cup(500_000, 4)}})
		if f := w.figures("wheel"); f.Table.Number != 3 || f.Table.Why != "changed" || f.Table.From != last+21 || f.Table.Odds[0].Odds != 500_000 {
			t.Fatalf("with one more: %+v", f.Table)
		}
		w.nextDay()
		w.play(m, "wheel")
		proof, _, found := w.proof("wheel", 1)
		if len(found) > 0 || len(proof.Tables) != 3 {
			t.Errorf("%+v %v", proof.Tables, found)
		}
		var second draw.Proof
		w.public("/portal/v1/draws/wheel/proof?epoch=2", &second)
		if second.Seed != "" || second.Hash != epochs.Items[0].Hash || proof.Hash != epochs.Items[1].Hash {
			t.Error("the hashes are not those that were published before")
		}
		w.Verify()
	})
}

// Where the budget no longer reaches for a prize, its odds go to the one that stands in for it.
func TestBudget(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		w.draw("wheel", J{"budget": 250, "free_per_day": 100, "price": nil, "prizes": []J{
			apptest.With(cup(900_000, 0), J{"instead": "leaf"}), {"code": "leaf", "name_en": "Leaf", "kind": "thing", "odds": 0, "worth": 1},
		}})
		m, cups, leaves := w.Member(), int64(0), int64(0)
		for range 40 {
			switch w.play(m, "wheel").Line.Prize {
			case "cup":
				cups++
			case "leaf":
				leaves++
			}
		}
		f := w.figures("wheel")
		if cups != 2 || f.given("cup") != 2 || leaves != f.given("leaf") || leaves == 0 || f.Worth != 200+leaves || *f.BudgetLeft != 50-leaves || f.Table.Why != "budget" || f.Table.Odds[1].Odds != 900_000 {
			t.Errorf("%d cups, %d leaves, %+v", cups, leaves, f)
		}
		w.Verify()
	})
}

// Whoever plays N times without a prize has won by then, also when days pass in between.
func TestGuarantee(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		w.draw("wheel", J{"prizes": []J{cup(0, 0)}, "guarantee": J{"after": 4, "prize": "cup"}, "free_per_day": 3, "price": nil})
		m := w.Member()
		for i := 1; i <= 12; i++ {
			if i%3 == 1 {
				w.nextDay()
			}
			p := w.play(m, "wheel")
			if want := i%4 == 0; p.Won != want || p.Guaranteed != want || p.Line.Dry != int64((i-1)%4) {
				t.Errorf("play %d: %+v", i, p)
			}
		}
		w.nextDay()
		w.play(m, "wheel")
		for e := int64(2); e < 5; e++ {
			if _, _, found := w.proof("wheel", e); len(found) > 0 {
				t.Errorf("epoch %d: %v", e, found)
			}
		}
		w.Verify()
	})
}
