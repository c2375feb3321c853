package ledger

import "testing"

// BenchmarkDecide is the pure part of a posting: what it costs to decide one command, with
// neither database nor network.
func BenchmarkDecide(b *testing.B) {
	config := testConfig()
	member := func(lots int) (*State, *Account) {
		s := newState(config, noon)
		a := &Account{ID: 1, Shard: shardOf(1), MayEarn: true, MaySpend: true, holdsIn: true}
		s.accounts[1] = a
		s.begin("bench")
		for i := range lots {
			if _, err := s.Grant(a, Grant{Kind: Earn, Currency: config.Currencies[1], Amount: 1000, EarnedMS: noon - int64(i)}); err != nil {
				b.Fatal(err)
			}
		}
		return s, a
	}
	b.Run("grant", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s, a := member(0)
			s.begin("bench")
			if _, err := s.Grant(a, Grant{Kind: Earn, Currency: config.Currencies[1], Amount: 100}); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, lots := range map[string]int{"spend of 5 lots": 5, "spend of 100 lots": 100} {
		b.Run(name, func(b *testing.B) {
			s, a := member(lots)
			b.ReportAllocs()
			for b.Loop() {
				m := s.begin("bench")
				if _, err := s.Spend(a, config.Currencies[1], 1500, Posting{}); err != nil {
					b.Fatal(err)
				}
				s.rollback(m)
			}
		})
	}
}

// BenchmarkVerify goes through a book of a hundred thousand entries, on SQLite.
func BenchmarkVerify(b *testing.B) {
	const members, each = 1000, 100
	t := newBench(b, openLite(b), 1)
	for m := range int64(members) {
		rs := make([]Request, each)
		for i := range rs {
			rs[i] = Request{Command: earn(m+1, 1, 100)}
			if i%2 == 1 {
				rs[i].Command = spend(m+1, 1, 50)
			}
		}
		for _, a := range t.DoMany(b.Context(), rs) {
			if a.Err != nil {
				b.Fatal(a.Err)
			}
		}
	}
	for b.Loop() {
		t.clean()
	}
	b.ReportMetric(float64(members*each)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}
