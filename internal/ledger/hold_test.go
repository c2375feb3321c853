package ledger

import "testing"

// Points whose time came while a hold pinned them end when it gives them back, in the same
// posting: the answer to a release counts them no more, and nothing can be done with them.
func TestGivenBackPastItsTime(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(s *State, a *Account, h *Hold) error{
		"released": func(s *State, a *Account, h *Hold) error { return s.Release(a, h) },
		"captured in part": func(s *State, a *Account, h *Hold) error {
			_, err := s.Capture(a, s.Config.Currencies[1], h, 2, Posting{})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.grant(Grant{Amount: 10, ExpiresMS: noon + day})
			d.must(func(s *State, a *Account) error {
				_, err := s.Hold(a, s.Config.Currencies[1], 6, noon+5*day, "test", Posting{})
				return err
			})
			d.mem.set(noon + 2*day)
			d.must(func(s *State, a *Account) error {
				h, err := s.FindHold(a, 2)
				if err != nil {
					return err
				}
				if err := end(s, a, h); err != nil {
					return err
				}
				if n := s.Balances(a)["points"]; n != 0 {
					t.Errorf("the answer counts %d that have ended", n)
				}
				return nil
			})
		})
	}
}
