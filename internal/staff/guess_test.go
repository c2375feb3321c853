package staff

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// wait is how many seconds admit asks for; 0 where it lets the attempt through.
func wait(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	if !errors.Is(err, ErrSlow) {
		t.Fatal(err)
	}
	return errs.As(err).Param("retry_after").(int)
}

// Attempts on one account from many addresses: five are free, then the wait doubles, up
// to a quarter of an hour, and never for ever.
func TestS3GuessesByAccount(t *testing.T) {
	t.Parallel()
	g, now := newGuesses(), noon
	attempt := func() int {
		return wait(t, g.admit("a@b.cn", fmt.Sprintf("10.0.%d.%d", now.Unix()/250%250, now.Unix()%250), now))
	}
	for i := range freeByAccount {
		if w := attempt(); w != 0 {
			t.Fatalf("attempt %d has to wait %d s", i+1, w)
		}
	}
	for _, want := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900} {
		if got := attempt(); got != want {
			t.Fatalf("wait = %d, want %d", got, want)
		}
		now = now.Add(time.Duration(want)*time.Second - 1)
		if got := attempt(); got != 1 {
			t.Fatalf("a moment too early: wait = %d", got)
		}
		now = now.Add(1)
		if got := attempt(); got != 0 {
			t.Fatalf("after the wait: another %d", got)
		}
	}
	now = now.Add(forgetAfter)
	for i := range freeByAccount {
		if w := attempt(); w != 0 {
			t.Fatalf("an hour later attempt %d has to wait %d s", i+1, w)
		}
	}
}

// Attempts on many accounts from one address, or from one network of IPv6.
func TestS3GuessesByAddress(t *testing.T) {
	t.Parallel()
	for _, ip := range []func(i int) string{
		func(int) string { return "203.0.113.7" },
		func(i int) string { return fmt.Sprintf("2001:db8:1:2:%x::1", i) },
		func(i int) string { return []string{"203.0.113.7", "::ffff:203.0.113.7"}[i%2] },
	} {
		g := newGuesses()
		for i := range freeByAddress {
			if err := g.admit(fmt.Sprint(i), ip(i), noon); err != nil {
				t.Fatal(err)
			}
		}
		if err := g.admit("another", ip(99), noon); !errors.Is(err, ErrSlow) {
			t.Errorf("from %s: %v", ip(99), err)
		}
		if err := g.admit("another", "203.0.113.8", noon); err != nil {
			t.Errorf("from elsewhere: %v", err)
		}
	}
}

// A hundred thousand guesses in a day, as fast as they are let: few are evaluated, and
// the person, at an address that they have used before, still gets in.
func TestS3GuessesAreFew(t *testing.T) {
	t.Parallel()
	g, now := newGuesses(), noon
	if err := g.admit("a@b.cn", "198.51.100.1", now); err != nil {
		t.Fatal(err)
	}
	g.succeed("a@b.cn", "198.51.100.1", now)
	evaluated := 0
	for i := range 100_000 {
		if g.admit("a@b.cn", fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), now) == nil {
			evaluated++
		}
		now = now.Add(24 * time.Hour / 100_000)
	}
	if evaluated > 5+10+24*4 {
		t.Errorf("%d guesses were evaluated", evaluated)
	}
	if err := g.admit("a@b.cn", "198.51.100.1", now); err != nil {
		t.Errorf("the person is locked out: %v", err)
	}
}

// S3: whoever guesses with a hundred thousand accounts and addresses, each once, is let
// through at the rate that all share; then people at their usual place still sign in, and
// a stranger waits a minute at the longest.
func TestS3GlobalBudget(t *testing.T) {
	t.Parallel()
	g, now := newGuesses(), noon
	if err := g.admit("a@b.cn", "198.51.100.1", now); err != nil {
		t.Fatal(err)
	}
	g.succeed("a@b.cn", "198.51.100.1", now)
	evaluated := 0
	for i := range 100_000 { // in ten minutes
		if g.admit(fmt.Sprint(i, "@b.cn"), fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), now) == nil {
			evaluated++
		}
		now = now.Add(10 * time.Minute / 100_000)
	}
	if evaluated != 10*600 {
		t.Errorf("%d guesses were evaluated, want 600 a minute", evaluated)
	}
	now = noon.Add(10 * time.Minute)
	for i := range 600 {
		if err := g.admit(fmt.Sprint("x", i), fmt.Sprintf("11.0.%d.%d", i>>8&255, i&255), now); err != nil {
			t.Fatalf("a new minute, attempt %d: %v", i, err)
		}
	}
	if err := g.admit("a@b.cn", "198.51.100.1", now); err != nil {
		t.Errorf("the person is kept out of their usual place: %v", err)
	}
	late := now.Add(20 * time.Second)
	if w := wait(t, g.admit("c@b.cn", "198.51.100.9", late)); w != 40 {
		t.Errorf("a stranger waits %d s, want 40", w)
	}
	if err := g.admit("c@b.cn", "198.51.100.9", now.Add(time.Minute)); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

// S3: sign-ins that succeed are not held against all the others.
func TestS3GlobalCountsFailures(t *testing.T) {
	t.Parallel()
	g := newGuesses()
	for i := range 2000 {
		account, ip := fmt.Sprint(i, "@b.cn"), fmt.Sprintf("10.0.%d.%d", i>>8&255, i&255)
		if err := g.admit(account, ip, noon); err != nil {
			t.Fatalf("attempt %d: %v", i, err)
		}
		g.succeed(account, ip, noon)
	}
}

// Many at once get no more attempts than one after the other.
func TestS3GuessesRace(t *testing.T) {
	t.Parallel()
	g := newGuesses()
	var wg sync.WaitGroup
	admitted := make(chan struct{}, 1000)
	for range 1000 {
		wg.Go(func() {
			if g.admit("a@b.cn", "203.0.113.7", noon) == nil {
				admitted <- struct{}{}
			}
		})
	}
	wg.Wait()
	if n := len(admitted); n != freeByAccount {
		t.Errorf("%d of 1000 were admitted", n)
	}
}

// The memory is bounded, whatever names a stranger makes up.
func TestS3GuessesAreBounded(t *testing.T) {
	t.Parallel()
	g := newGuesses()
	for i := range maxGuesses + 500 {
		_ = g.admit(fmt.Sprint(i), fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), noon) // only the memory counts
		g.succeed(fmt.Sprint(i), fmt.Sprintf("11.%d.%d.%d", i>>16, i>>8&255, i&255), noon)
		_ = g.admit(fmt.Sprint(i), fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), noon)
	}
	if len(g.byAccount) > maxGuesses || len(g.byAddress) > maxGuesses || len(g.known) > maxGuesses {
		t.Errorf("%d accounts, %d addresses, %d known", len(g.byAccount), len(g.byAddress), len(g.known))
	}
}
