package tier

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/kit/cond"
)

// diary is what one member did: the sums of tests, added up day by day without any of the
// code under test.
type diary struct {
	done  []deed
	holds func(text string, on Day) bool
}

type deed struct {
	day Day
	sum Sum
}

func (d *diary) Between(_ int64, from, to Day) (out Sum) {
	for _, x := range d.done {
		if x.day >= from && x.day < to {
			out.Growth, out.Spend, out.Visits = out.Growth+x.sum.Growth, out.Spend+x.sum.Spend, out.Visits+x.sum.Visits
		}
	}
	return out
}

func (d *diary) Holds(c *cond.Cond, on Day) (bool, error) { return d.holds(c.Text(), on), nil }

// life is a member whose days pass.
type life struct {
	l      *Ladder
	did    diary
	joined Day
	st     Standing
	told   []string
}

// look evaluates, and notes what came out as short texts.
func (v *life) look(in Input) Outcome {
	in.Sums, in.Joined, in.Current = &v.did, v.joined, v.st
	out := Evaluate(v.l, in)
	v.st = out.Standing
	for _, c := range out.Changes {
		v.told = append(v.told, fmt.Sprintf("%s %s %s-%s until %s", c.Day, c.Kind, c.From, c.To, text(c.Until)))
	}
	for _, a := range out.Awards {
		v.told = append(v.told, fmt.Sprintf("bonus %s %d", a.Tier, a.Amount))
	}
	if out.Near {
		v.told = append(v.told, in.Now.String()+" near")
	}
	if out.Drop {
		v.told = append(v.told, in.Now.String()+" drop ahead")
	}
	return out
}

// do reads steps: "2026-03-01 buy 500", "2026-03-05 return 500 of 2026-03-01", "2026-04-01 look",
// "2026-04-01 late 500 of 2026-01-01".
func (v *life) do(t *testing.T, steps string) {
	t.Helper()
	for line := range strings.SplitSeq(steps, "\n") {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		now := on(f[0])
		var amount int64
		if len(f) > 2 {
			fmt.Sscan(f[2], &amount)
		}
		in := Input{Now: now}
		switch f[1] {
		case "buy":
			v.did.done = append(v.did.done, deed{now, Sum{amount, amount, 1}})
			in.On = now
		case "late":
			in.On = on(f[4])
			v.did.done = append(v.did.done, deed{in.On, Sum{amount, amount, 1}})
		case "return":
			v.did.done = append(v.did.done, deed{on(f[4]), Sum{-amount, -amount, -1}})
			in.Return = true
		case "look":
		case "daily": // as the daily run does: only when the day of the next look has come
			until := on(f[3])
			for day := now; day <= until; day++ {
				if v.st.Next != 0 && v.st.Next <= day {
					v.look(Input{Now: day})
				}
			}
			continue
		default:
			t.Fatalf("no such step: %s", line)
		}
		v.look(in)
	}
}

func tiersOf(points ...int64) []Tier {
	names := []string{"base", "silver", "gold", "platinum"}
	list := []Tier{{Code: "base", NameEN: "Base"}}
	for i, n := range points {
		list = append(list, Tier{Code: names[i+1], NameEN: names[i+1], Qualify: Criteria{Spend: n}})
	}
	return list
}

// yearly is the plainest ladder: a calendar year to qualify, held to the end of the next.
func yearly() Scheme {
	return Scheme{
		Code: "club", NameEN: "Club", Window: Window{Kind: Calendar, Period: Year},
		Term: Term{Kind: ToPeriodEnd, Period: Year, Next: true}, Downgrade: Reassess, Tiers: tiersOf(1000, 5000, 10_000),
	}
}

func ladder(t testing.TB, s Scheme) *Ladder {
	t.Helper()
	env, err := cond.NewEnv(cond.Config{Decimals: 2, Facts: cond.Standard([]string{"points"})})
	if err != nil {
		t.Fatal(err)
	}
	l, err := compile(s, env, testConfig(), "body")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Each row is a life under a scheme that differs in one thing from the plainest.
func TestEvaluate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		edit  func(*Scheme)
		steps string
		want  []string
	}{
		{"everybody stands on the lowest", nil, "2026-03-01 look", []string{"2026-03-01 upgraded -base until "}},
		{"one short of a tier", nil, "2026-03-01 buy 999", []string{"2026-03-01 upgraded -base until "}},
		{"at once, held to the end of the next year", nil, "2026-03-01 buy 1000", []string{"2026-03-01 upgraded -silver until 2028-01-01"}},
		{"over a rung", nil, "2026-03-01 buy 10000", []string{"2026-03-01 upgraded -platinum until 2028-01-01"}},
		{"two halves in one year", nil, "2026-03-01 buy 500\n2026-12-31 buy 500",
			[]string{"2026-03-01 upgraded -base until ", "2026-12-31 upgraded base-silver until 2028-01-01"}},
		{"two halves in two years", nil, "2026-03-01 buy 500\n2027-01-01 buy 500", []string{"2026-03-01 upgraded -base until "}},
		{"kept by the last year of the term", nil, "2026-03-01 buy 1000\n2027-12-31 buy 1000\n2028-01-01 daily to 2028-12-31",
			[]string{"2026-03-01 upgraded -silver until 2028-01-01", "2028-01-01 kept silver-silver until 2029-01-01"}},
		{"what was bought in the first year does not keep", nil, "2026-03-01 buy 4000\n2027-12-31 buy 999\n2027-12-31 daily to 2028-12-31",
			[]string{"2026-03-01 upgraded -silver until 2028-01-01", "2028-01-01 downgraded silver-base until "}},
		{"not kept: the best that was earned", nil, "2026-03-01 buy 10000\n2027-06-01 buy 1500\n2027-06-02 daily to 2028-12-31",
			[]string{"2026-03-01 upgraded -platinum until 2028-01-01", "2028-01-01 downgraded platinum-silver until 2030-01-01"}},
		{"one step", func(s *Scheme) { s.Downgrade = OneStep }, "2026-03-01 buy 10000\n2026-03-02 daily to 2033-12-31",
			[]string{"2026-03-01 upgraded -platinum until 2028-01-01", "2028-01-01 downgraded platinum-gold until 2030-01-01",
				"2030-01-01 downgraded gold-silver until 2032-01-01", "2032-01-01 downgraded silver-base until "}},
		{"one step at most where more was earned", func(s *Scheme) { s.Downgrade = OneStep }, "2026-03-01 buy 10000\n2027-03-01 buy 6000\n2027-03-02 daily to 2028-12-31",
			[]string{"2026-03-01 upgraded -platinum until 2028-01-01", "2028-01-01 downgraded platinum-gold until 2030-01-01"}},
		{"never down", func(s *Scheme) { s.Downgrade = Never }, "2026-03-01 buy 1000\n2026-03-02 daily to 2035-12-31",
			[]string{"2026-03-01 upgraded -silver until "}},
		{"for ever", func(s *Scheme) { s.Term = Term{Kind: Forever} }, "2026-03-01 buy 1000\n2035-03-01 look", []string{"2026-03-01 upgraded -silver until "}},
		{"a ladder without everybody's rung is left", func(s *Scheme) { s.Tiers = s.Tiers[1:] }, "2026-03-01 buy 1000\n2026-03-02 daily to 2028-12-31",
			[]string{"2026-03-01 upgraded -silver until 2028-01-01", "2028-01-01 left silver- until "}},
		{"to keep is less than to reach", func(s *Scheme) { s.Tiers[2].Keep = &Criteria{Spend: 3000} }, "2026-03-01 buy 5000\n2027-03-01 buy 3000\n2027-03-02 daily to 2028-12-31",
			[]string{"2026-03-01 upgraded -gold until 2028-01-01", "2028-01-01 kept gold-gold until 2029-01-01"}},
		{"to keep is less, and one short", func(s *Scheme) { s.Tiers[2].Keep = &Criteria{Spend: 3000} }, "2026-03-01 buy 5000\n2027-03-01 buy 2999\n2027-03-02 daily to 2028-12-31",
			[]string{"2026-03-01 upgraded -gold until 2028-01-01", "2028-01-01 downgraded gold-silver until 2030-01-01"}},
		{"kept by the whole term", func(s *Scheme) { s.KeepWindow = &Window{Kind: InTerm} }, "2026-03-01 buy 5000\n2026-03-02 daily to 2028-12-31",
			[]string{"2026-03-01 upgraded -gold until 2028-01-01", "2028-01-01 kept gold-gold until 2029-01-01"}},
		{"in the grace the missing is bought", func(s *Scheme) { s.GraceDays = 30 }, "2026-03-01 buy 1000\n2027-12-31 buy 999\n2028-01-01 daily to 2028-01-29\n2028-01-30 buy 1",
			[]string{"2026-03-01 upgraded -silver until 2028-01-01", "2028-01-01 kept silver-silver until 2029-01-01"}},
		{"the grace is over", func(s *Scheme) { s.GraceDays = 30 }, "2026-03-01 buy 1000\n2027-12-31 buy 999\n2028-01-01 daily to 2028-01-31\n2028-01-31 buy 1",
			[]string{"2026-03-01 upgraded -silver until 2028-01-01", "2028-01-31 downgraded silver-base until "}},
		{"rolling: kept by the last months", func(s *Scheme) {
			s.Window, s.Term = Window{Kind: Rolling, Months: 12}, Term{Kind: ForMonths, Months: 12}
		}, "2026-03-10 buy 1000\n2027-03-09 buy 1000\n2027-03-10 daily to 2027-12-31",
			[]string{"2026-03-10 upgraded -silver until 2027-03-10", "2027-03-10 kept silver-silver until 2028-03-10"}},
		{"rolling: the last year without anything", func(s *Scheme) {
			s.Window, s.Term = Window{Kind: Rolling, Months: 12}, Term{Kind: ForMonths, Months: 12}
		}, "2026-03-10 buy 1000\n2026-03-11 daily to 2029-12-31",
			[]string{"2026-03-10 upgraded -silver until 2027-03-10", "2027-03-10 kept silver-silver until 2028-03-10", "2028-03-10 downgraded silver-base until "}},
		{"no term: held while it is there", func(s *Scheme) {
			s.Window, s.Term = Window{Kind: Rolling, Months: 3}, Term{Kind: NoTerm}
		}, "2026-01-31 buy 600\n2026-02-28 buy 400\n2026-02-28 daily to 2026-12-31",
			[]string{"2026-01-31 upgraded -base until ", "2026-02-28 upgraded base-silver until ", "2026-04-30 downgraded silver-base until "}},
		{"no term: a return takes it", func(s *Scheme) { s.Term = Term{Kind: NoTerm} }, "2026-03-01 buy 1000\n2026-03-02 return 1000 of 2026-03-01",
			[]string{"2026-03-01 upgraded -silver until ", "2026-03-02 downgraded silver-base until "}},
		{"membership year", func(s *Scheme) { s.Window, s.Term = Window{Kind: Membership}, Term{Kind: ToMembership} },
			"2026-06-14 buy 600\n2026-06-15 buy 400\n2026-06-15 look\n2027-06-14 buy 600\n2027-06-15 daily to 2028-12-31",
			[]string{"2026-06-14 upgraded -base until ", "2027-06-14 upgraded base-silver until 2027-06-15", "2027-06-15 kept silver-silver until 2028-06-15", "2028-06-15 downgraded silver-base until "}},
		{"lifetime", func(s *Scheme) { s.Window, s.Term = Window{Kind: Lifetime}, Term{Kind: Forever} }, "2020-01-01 buy 999\n2026-01-01 buy 1",
			[]string{"2020-01-01 upgraded -base until ", "2026-01-01 upgraded base-silver until "}},
		{"a return within the term", nil, "2026-03-01 buy 1000\n2026-03-05 return 1000 of 2026-03-01", []string{"2026-03-01 upgraded -silver until 2028-01-01"}},
		{"a return within the term, where it counts", func(s *Scheme) { s.OnReturn = true }, "2026-03-01 buy 1000\n2026-03-05 return 1 of 2026-03-01",
			[]string{"2026-03-01 upgraded -silver until 2028-01-01", "2026-03-05 downgraded silver-base until "}},
		{"a return that leaves enough", func(s *Scheme) { s.OnReturn = true }, "2026-03-01 buy 1000\n2026-03-02 buy 500\n2026-03-05 return 500 of 2026-03-01",
			[]string{"2026-03-01 upgraded -silver until 2028-01-01"}},
		{"a return in the next year of what reached the tier", func(s *Scheme) { s.OnReturn = true }, "2026-12-31 buy 1000\n2027-01-05 return 500 of 2026-12-31",
			[]string{"2026-12-31 upgraded -silver until 2028-01-01", "2027-01-05 downgraded silver-base until "}},
		{"a return in the next year of something else", func(s *Scheme) { s.OnReturn = true }, "2026-12-30 buy 500\n2026-12-31 buy 1000\n2027-01-05 return 500 of 2026-12-30",
			[]string{"2026-12-30 upgraded -base until ", "2026-12-31 upgraded base-silver until 2028-01-01"}},
		{"a sale of last year reaches a tier of last year", nil, "2027-01-03 late 1000 of 2026-12-31", []string{"2027-01-03 upgraded -base until ", "2026-12-31 upgraded base-silver until 2028-01-01"}},
		{"a sale of a year whose tiers are over", nil, "2028-01-03 late 1000 of 2026-12-31", []string{"2028-01-03 upgraded -base until "}},
		{"any of several", func(s *Scheme) { s.Tiers[1].Qualify = Criteria{Any: true, Spend: 1000, Visits: 2} }, "2026-03-01 buy 1\n2026-03-02 buy 1",
			[]string{"2026-03-01 upgraded -base until ", "2026-03-02 upgraded base-silver until 2028-01-01"}},
		{"all of several", func(s *Scheme) { s.Tiers[1].Qualify = Criteria{Spend: 1000, Visits: 2} }, "2026-03-01 buy 1000\n2026-03-02 buy 1",
			[]string{"2026-03-01 upgraded -base until ", "2026-03-02 upgraded base-silver until 2028-01-01"}},
		{"bonus once in a cycle", func(s *Scheme) {
			s.OnReturn = true
			s.Tiers[1].Welcome = &Bonus{"points", 100}
		}, "2026-03-01 buy 1000\n2026-03-05 return 1 of 2026-03-01\n2026-03-06 buy 1\n2026-03-07 return 1 of 2026-03-06\n2027-01-01 buy 1000",
			[]string{"2026-03-01 upgraded -silver until 2028-01-01", "bonus silver 100", "2026-03-05 downgraded silver-base until ",
				"2026-03-06 upgraded base-silver until 2028-01-01", "2026-03-07 downgraded silver-base until ", "2027-01-01 upgraded base-silver until 2029-01-01", "bonus silver 100"}},
		{"near, once in a cycle", func(s *Scheme) { s.NearPercent = 80 }, "2026-03-01 buy 799\n2026-03-02 buy 1\n2026-03-03 buy 1\n2027-03-03 buy 800",
			[]string{"2026-03-01 upgraded -base until ", "2026-03-02 near", "2027-03-03 near"}},
		{"about to drop, once in a term", func(s *Scheme) { s.WarnDays = 60 }, "2026-03-01 buy 1000\n2027-01-01 daily to 2027-11-02\n2027-11-03 look\n2027-11-04 daily to 2028-01-01",
			[]string{"2026-03-01 upgraded -silver until 2028-01-01", "2027-11-02 drop ahead", "2028-01-01 downgraded silver-base until "}},
		{"who will keep it is not warned", func(s *Scheme) { s.WarnDays = 60 }, "2026-03-01 buy 1000\n2027-02-01 buy 1000\n2027-02-02 daily to 2028-01-01",
			[]string{"2026-03-01 upgraded -silver until 2028-01-01", "2028-01-01 kept silver-silver until 2029-01-01"}},
		{"a term that is judged late is judged by what there was", nil, "2026-03-01 buy 1000\n2028-02-01 buy 1000",
			[]string{"2026-03-01 upgraded -silver until 2028-01-01", "2028-01-01 downgraded silver-base until ", "2028-02-01 upgraded base-silver until 2030-01-01"}},
		{"the daily run was out for years", nil, "2026-03-01 buy 1000\n2027-03-01 buy 1000\n2031-06-01 look",
			[]string{"2026-03-01 upgraded -silver until 2028-01-01", "2028-01-01 kept silver-silver until 2029-01-01", "2029-01-01 downgraded silver-base until "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := yearly()
			if tt.edit != nil {
				tt.edit(&s)
			}
			v := &life{l: ladder(t, s), joined: on("2020-06-15")}
			v.do(t, tt.steps)
			if !slices.Equal(v.told, tt.want) {
				t.Errorf("\ngot  %s\nwant %s", strings.Join(v.told, "\n     "), strings.Join(tt.want, "\n     "))
			}
		})
	}
}

// A lock holds against both directions until its end, and then the rules decide.
func TestLock(t *testing.T) {
	t.Parallel()
	l := ladder(t, yearly())
	for _, tt := range []struct {
		name  string
		given setCommand
		steps string
		want  []string
		tier  string
	}{
		{"down is locked", setCommand{tier: "gold", lock: true, until: on("2029-07-01")}, "2026-03-02 daily to 2029-06-30", nil, "gold"},
		{"up is locked", setCommand{tier: "base", lock: true, until: on("2029-07-01")}, "2026-03-02 buy 9999", nil, "base"},
		{"the end of a lock", setCommand{tier: "gold", lock: true, until: on("2029-07-01")}, "2026-03-02 daily to 2029-07-01",
			[]string{"2029-07-01 downgraded gold-base until "}, "base"},
		{"the end of a lock on who has earned it", setCommand{tier: "gold", lock: true, until: on("2029-07-01")}, "2029-03-02 buy 5000\n2029-03-03 daily to 2029-07-01",
			[]string{"2029-07-01 kept gold-gold until 2030-01-01"}, "gold"},
		{"for good", setCommand{tier: "gold", lock: true}, "2026-03-02 daily to 2036-12-31", nil, "gold"},
		{"by hand without a lock one rises", setCommand{tier: "silver", until: on("2029-07-01")}, "2026-03-02 buy 5000",
			[]string{"2026-03-02 upgraded silver-gold until 2028-01-01"}, "gold"},
		{"and falls no lower than what was given", setCommand{tier: "silver", until: on("2029-07-01")}, "2026-03-02 buy 5000\n2026-03-03 daily to 2030-12-31",
			[]string{"2026-03-02 upgraded silver-gold until 2028-01-01", "2028-01-01 downgraded gold-silver until 2029-07-01", "2029-07-01 downgraded silver-base until "}, "base"},
		{"by hand for as long as the scheme says", setCommand{tier: "gold"}, "2026-03-02 daily to 2030-12-31", []string{"2028-01-01 downgraded gold-base until "}, "base"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := &life{l: l, joined: on("2020-06-15")}
			tt.given.ladder = l
			v.st = tt.given.given(v.st, on("2026-03-01"))
			v.st.Next = v.next(on("2026-03-01"))
			v.do(t, tt.steps)
			if !slices.Equal(v.told, tt.want) || v.st.Tier != tt.tier {
				t.Errorf("%s\ngot  %s\nwant %s", v.st.Tier, strings.Join(v.told, "\n     "), strings.Join(tt.want, "\n     "))
			}
		})
	}
}

// next asks when to look again, without looking.
func (v *life) next(now Day) Day {
	e := &evaluation{l: v.l, in: &Input{Sums: &v.did, Joined: v.joined, Now: now}, out: Outcome{Standing: v.st}}
	return e.next()
}

// An edit of the rules lifts who qualifies and takes nothing from a running term; a tier that is
// gone leaves its members on the next lower that is left.
func TestEdit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		edit func(*Scheme)
		want []string
	}{
		{"harder", func(s *Scheme) { s.Tiers[2].Qualify.Spend = 9000 }, nil},
		{"easier", func(s *Scheme) { s.Tiers[3].Qualify.Spend = 6000 }, []string{"2026-04-01 upgraded gold-platinum until 2028-01-01"}},
		{"gone", func(s *Scheme) { s.Tiers = slices.Delete(s.Tiers, 2, 3) }, []string{"2026-04-01 downgraded gold-silver until 2028-01-01"}},
		{"a rung in between", func(s *Scheme) {
			s.Tiers = slices.Insert(s.Tiers, 1, Tier{Code: "bronze", NameEN: "Bronze", Qualify: Criteria{Spend: 500}})
		}, nil},
		{"no terms any more", func(s *Scheme) { s.Term = Term{Kind: Forever} }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := &life{l: ladder(t, yearly()), joined: on("2020-06-15")}
			v.do(t, "2026-03-01 buy 6000")
			v.told = nil
			s := yearly()
			tt.edit(&s)
			v.l = ladder(t, s)
			v.do(t, "2026-04-01 look")
			if !slices.Equal(v.told, tt.want) {
				t.Errorf("got %q, want %q", v.told, tt.want)
			}
		})
	}
}

// Whatever is bought and returned, under any scheme: within a term nobody falls, but by a return
// where the scheme says so; who qualifies today stands at least there; looking again changes
// nothing; between a look and the day of the next one, nothing would change; and looking each day
// ends where looking on those days does.
func TestEvaluateLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := yearly()
		s.Window = rapid.SampledFrom([]Window{{Kind: Lifetime}, {Kind: Calendar, Period: Quarter}, {Kind: Calendar, Period: Year}, {Kind: Rolling, Months: 3}, {Kind: Membership}}).Draw(t, "window")
		s.Term = rapid.SampledFrom([]Term{{Kind: Forever}, {Kind: NoTerm}, {Kind: ToPeriodEnd, Period: Quarter}, {Kind: ToPeriodEnd, Period: Half, Next: true}, {Kind: ForMonths, Months: 2}, {Kind: ToMembership}}).Draw(t, "term")
		s.Downgrade = rapid.SampledFrom([]Downgrade{Never, OneStep, Reassess}).Draw(t, "downgrade")
		s.GraceDays = rapid.SampledFrom([]int{0, 0, 20}).Draw(t, "grace")
		s.WarnDays = rapid.SampledFrom([]int{0, 15}).Draw(t, "warn")
		s.OnReturn = rapid.Bool().Draw(t, "on return")
		s.Tiers = s.Tiers[rapid.IntRange(0, 1).Draw(t, "without the lowest"):]
		l := ladder(plain{}, s)
		joined := on("2024-02-29")
		lazy, eager, asleep := &life{l: l, joined: joined}, &life{l: l, joined: joined}, &life{l: l, joined: joined}
		day := on("2026-01-01")
		lazy.look(Input{Now: day}) // as they join
		var bought []deed          // and not returned
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			end := day + Day(rapid.IntRange(1, 120).Draw(t, "days"))
			for ; day < end; day++ {
				eager.look(Input{Now: day})
				if lazy.st.Next != 0 && lazy.st.Next <= day {
					lazy.look(Input{Now: day})
				}
				if lazy.st.Next != 0 && lazy.st.Next <= day {
					t.Fatalf("%s: the next look is on %s", day, lazy.st.Next)
				}
				if lazy.st.Tier != eager.st.Tier || lazy.st.Until != eager.st.Until {
					t.Fatalf("%s: looked at on its days %+v, each day %+v", day, lazy.st, eager.st)
				}
			}
			n := rapid.SampledFrom([]int64{1, 400, 999, 1000, 5000}).Draw(t, "amount")
			in, x := Input{Now: day, On: day}, deed{day, Sum{n, n, 1}}
			if len(bought) > 0 && rapid.IntRange(0, 3).Draw(t, "return") == 0 {
				i := rapid.IntRange(0, len(bought)-1).Draw(t, "of")
				back := bought[i]
				bought = slices.Delete(bought, i, i+1)
				in, x = Input{Now: day, Return: true}, deed{back.day, Sum{-back.sum.Growth, -back.sum.Spend, -back.sum.Visits}}
			}
			if !in.Return {
				bought = append(bought, x)
			}
			before := lazy.st
			for _, v := range []*life{lazy, eager, asleep} {
				if in.Return { // the daily run came first: what is over was judged by what there was
					v.look(Input{Now: day})
				}
				v.did.done = append(slices.Clone(v.did.done), x)
				v.look(in)
			}
			if asleep.st.Tier != eager.st.Tier || asleep.st.Until != eager.st.Until {
				t.Fatalf("%s: never looked at in between %+v, each day %+v", day, asleep.st, eager.st)
			}
			was, is := l.rank(before.Tier), l.rank(lazy.st.Tier)
			if is < was && day < before.Until && !(in.Return && s.OnReturn) {
				t.Fatalf("%s: fell from %s to %s before %s", day, before.Tier, lazy.st.Tier, before.Until)
			}
			if s.Downgrade == Never && is < was {
				t.Fatalf("%s: fell from %s to %s, and nobody falls", day, before.Tier, lazy.st.Tier)
			}
			have := lazy.did.Between(0, l.Window.from(day, joined, 0), day+1).Spend
			for r := len(l.Tiers); r > is; r-- {
				if need := l.Tiers[r-1].Qualify.Spend; have >= need {
					t.Fatalf("%s: stands in %q with %d, and %d is enough for %s", day, lazy.st.Tier, have, need, l.Tiers[r-1].Code)
				}
			}
			again := lazy.st
			if out := lazy.look(Input{Now: day}); len(out.Changes) > 0 || out.Standing.Next != again.Next {
				t.Fatalf("%s: looking again changes %+v to %+v", day, again, out.Standing)
			}
		}
	})
}

// plain lets ladder be made inside of rapid, whose T is another.
type plain struct{ testing.TB }

func (plain) Helper()           {}
func (plain) Fatal(args ...any) { panic(fmt.Sprint(args...)) }
