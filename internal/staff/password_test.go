package staff

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
)

func TestS1PasswordRules(t *testing.T) {
	t.Parallel()
	const email, name = "li.ming@teahouse.cn", "Li Ming"
	for _, tt := range []struct {
		name, password string
		want           error
	}{
		{"sentence", goodPassword, nil},
		{"Chinese sentence", "春眠不觉晓，处处闻啼鸟。夜来风雨", nil},
		{"shortest", "gLk3 vqx9 wmz7d", nil},
		{"one less", "gLk3 vqx9 wmz7", ErrPassword},
		{"longest", strings.Repeat("kv9 wmz7dp ", 11) + "1234567", nil},
		{"one more", strings.Repeat("kv9 wmz7dp ", 11) + "12345678", ErrPassword},
		{"empty", "", ErrPassword},
		{"not UTF-8", strings.Repeat("\xff", 20), ErrPassword},
		{"one letter", strings.Repeat("a", 20), ErrEasy},
		{"two letters", strings.Repeat("ab", 10), ErrEasy},
		{"a common word twice", "passwordpassword", ErrEasy},
		{"common words", "Welcome-Password-123", ErrEasy},
		{"keyboard", "qwertyuiopasdfghjkl", ErrEasy},
		{"digits", "123456789012345678", ErrEasy},
		{"own address", "li.ming@teahouse.cn1", ErrEasy},
		{"own name", "limingLi MINGli ming!", ErrEasy},
		{"own shop", "teahouseteahouse99", ErrEasy},
		{"a common word and more", "password violet kettle", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := checkPassword(tt.password, email, name); !errors.Is(got, tt.want) {
				t.Errorf("checkPassword(%q) = %v, want %v", tt.password, got, tt.want)
			}
		})
	}
}

// The standard parameters are at least OWASP's, and are kept in the hash.
func TestS1Hash(t *testing.T) {
	t.Parallel()
	h := newHasher(standard)
	phc, err := h.hash(t.Context(), goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("the hash is %s", phc)
	}
	if again, _ := h.hash(t.Context(), goodPassword); again == phc {
		t.Error("two hashes of a password are the same: there is no salt")
	}
	for _, tt := range []struct {
		name, phc, password string
		ok, stale           bool
	}{
		{"right", phc, goodPassword, true, false},
		{"wrong", phc, goodPassword + " ", false, false},
		{"other case", phc, strings.ToUpper(goodPassword), false, false},
		{"empty", phc, "", false, false},
		{"nobody", "", goodPassword, false, false},
		{"of weaker parameters", newHasher(cheap).encode(goodPassword), goodPassword, true, true},
	} {
		if ok, stale, err := h.verify(t.Context(), tt.phc, tt.password); ok != tt.ok || stale != tt.stale || err != nil {
			t.Errorf("%s: verify = %v, %v, %v", tt.name, ok, stale, err)
		}
	}
}

// The hash of a published test vector (RFC 9106 has none without a secret; this one is of
// the reference implementation's test.c: argon2id, t=2, m=65536, p=1).
func TestS1KnownHash(t *testing.T) {
	t.Parallel()
	const phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if ok, stale, err := newHasher(cheap).verify(t.Context(), phc, "password"); !ok || !stale || err != nil {
		t.Errorf("verify = %v, %v, %v", ok, stale, err)
	}
}

func TestS1ParsePHC(t *testing.T) {
	t.Parallel()
	good := newHasher(cheap).encode("x")
	if _, _, _, err := parsePHC(good); err != nil {
		t.Fatal(err)
	}
	for _, edit := range [][2]string{
		{"argon2id", "argon2i"}, {"v=19", "v=16"}, {"m=8", "m=7"}, {"m=8", "m=99999999"}, {"t=1", "t=0"},
		{"t=1", "t=999"}, {"p=1", "p=0"}, {"p=1", "p=-1"}, {"m=8,", ""}, {"$argon2id", "argon2id"}, {"$", "$$"},
	} {
		if _, _, _, err := parsePHC(strings.Replace(good, edit[0], edit[1], 1)); err == nil {
			t.Errorf("taken with %s for %s", edit[1], edit[0])
		}
	}
	for _, bad := range []string{"", "$", good[:len(good)-30], good + "$", good + "="} {
		if _, _, _, err := parsePHC(bad); err == nil {
			t.Errorf("taken: %s", bad)
		}
	}
}

// No more hashes are made at once than there are slots, and who cannot wait is told so.
func TestS2HashSlots(t *testing.T) {
	t.Parallel()
	h := newHasher(cheap)
	for range cap(h.slots) {
		h.slots <- struct{}{}
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.hash(over, "x"); !errors.Is(err, ErrHashBusy) {
		t.Errorf("without a slot: %v", err)
	}
	var wg sync.WaitGroup
	refused := make(chan error, maxWaiting+10)
	ctx, stop := context.WithCancel(t.Context())
	for range maxWaiting + 10 {
		wg.Go(func() {
			if _, err := h.hash(ctx, "x"); err != nil {
				refused <- err
			}
		})
	}
	for range 10 { // those past the bound do not wait
		if err := <-refused; !errors.Is(err, ErrHashBusy) {
			t.Error(err)
		}
	}
	stop()
	wg.Wait()
	if n := h.waiting.Load(); n != 0 {
		t.Errorf("%d still count as waiting", n)
	}
}
