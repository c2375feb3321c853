package replay_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/replay"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// A made-up history of 60 members over 30 days, with receipts that overlap and repeat, and
// purchases at the edges of windows, is completed by the server exactly as by the few lines
// below, which know nothing of the program.
func TestOffers(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		offers, members, events, want := madeUp()
		got, err := replay.Offers(t.Context(), replay.Server{URL: a.URL, Key: a.Secret()}, replay.Files{
			Offers: strings.NewReader(offers), Members: strings.NewReader(members), Events: strings.NewReader(events),
		})
		if err != nil {
			t.Fatal(err)
		}
		if want < 50 || got != (replay.Result{Predicted: want, Recorded: want, Matched: want}) {
			t.Errorf("%+v, want %d of each", got, want)
		}
	})
}

// madeUp makes a history with its completions, and says how many these are.
func madeUp() (offers, members, events string, completions int) {
	random := rand.New(rand.NewPCG(5, 8))
	kinds := []struct {
		name             string
		difficulty, days int
		single           bool
	}{{"a", 10, 3, true}, {"b", 20, 5, false}, {"c", 7, 2, false}}
	offers = "offer_id,offer_type,difficulty_usd,reward_usd,duration_days\nnews,informational,0,0,4\n"
	for _, k := range kinds {
		kind := "discount"
		if k.single {
			kind = "bogo"
		}
		offers += fmt.Sprintf("%s,%s,%d,5,%d\n", k.name, kind, k.difficulty, k.days)
	}
	type open struct {
		kind, from, cents int
		done              bool
	}
	var list, people strings.Builder
	list.WriteString("member_id,hour,event,offer_id,amount_usd\n")
	people.WriteString("member_id,became_member_on\n")
	has := map[int][]*open{}
	for m := range 60 {
		fmt.Fprintf(&people, "m%d,2017-05-0%d\n", m, 1+m%9)
	}
	for hour := 0; hour < 30*24; hour += 6 {
		for m := range 60 {
			if random.IntN(18) == 0 {
				k := random.IntN(len(kinds))
				fmt.Fprintf(&list, "m%d,%d,offer received,%s,\n", m, hour, kinds[k].name)
				has[m] = append(has[m], &open{kind: k, from: hour})
			}
			if random.IntN(8) != 0 {
				continue
			}
			cents := random.IntN(1600)
			fmt.Fprintf(&list, "m%d,%d,transaction,,%d.%02d\n", m, hour, cents/100, cents%100)
			for _, o := range has[m] {
				k := kinds[o.kind]
				if o.done || hour > o.from+24*k.days {
					continue
				}
				if o.cents += cents; o.cents >= 100*k.difficulty && !k.single || cents >= 100*k.difficulty {
					o.done = true
					completions++
					fmt.Fprintf(&list, "m%d,%d,offer completed,%s,\n", m, hour, k.name)
				}
			}
		}
	}
	return offers, people.String(), list.String(), completions
}
