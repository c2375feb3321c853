package staff

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

var (
	// ErrPassword refuses a password that is too short or too long.
	ErrPassword = errs.New(errs.Invalid, "staff.password", "A password has 15 to 128 characters; a short sentence will do.", "密码为 15 至 128 个字符，可以用一句短语。")
	// ErrEasy refuses a password that is guessed early.
	ErrEasy = errs.New(errs.Invalid, "staff.password_easy", "This password is too easy to guess: little is left without common words, repeats, and your name or address.", "此密码过于简单：去除常见词、重复字符以及您的姓名或邮箱后所剩无几。")
	// ErrHashBusy sheds sign-ins that would wait too long for their turn to hash.
	ErrHashBusy = errs.New(errs.Unavailable, "staff.busy", "Too many people are signing in at once; try again in a moment.", "同时登录的人数过多，请稍后重试。")
)

// A password is the only factor, so it is long (NIST SP 800-63B-4 §3.1.1.2: 15 characters),
// of any characters, never cut, and never asked to change by the calendar.
const (
	minPassword = 15
	maxPassword = 128
	minUncommon = 6 // characters that have to remain; see checkPassword
)

// common are the words that long but easy passwords are made of.
var common = []string{
	"password", "passwort", "passw0rd", "p@ssw0rd", "welcome", "letmein", "iloveyou", "monkey", "dragon", "sunshine",
	"princess", "football", "baseball", "superman", "batman", "trustno1", "master", "secret", "changeme", "default",
	"administrator", "admin", "root", "user", "login", "guest", "test", "hello", "qwertyuiop", "qwerty", "asdfghjkl",
	"asdfgh", "zxcvbnm", "zxcvbn", "1q2w3e4r", "qazwsx", "abcdefghijklmnopqrstuvwxyz", "abcdef", "abc", "woaini",
	"5201314", "1314520", "0123456789", "1234567890", "123456789", "12345678", "1234567", "123456", "12345", "1234",
	"123", "987654321", "654321", "321", "patron", "loyalty", "points",
}

// checkPassword refuses a password that somebody who knows the account would try early:
// without common words, the owner's own name and address, and repeated characters, less
// than a few characters remain. A list of leaked passwords would add little at 15
// characters, where nearly all of them are made of these parts.
func checkPassword(password, email, name string) error {
	n := utf8.RuneCountInString(password)
	if n < minPassword || n > maxPassword || !utf8.ValidString(password) {
		return ErrPassword.At("body.password")
	}
	rest := strings.ToLower(password)
	local, domain, _ := strings.Cut(email, "@")
	domain, _, _ = strings.Cut(domain, ".")
	own := append([]string{email, local, domain, strings.ToLower(name)}, strings.Fields(strings.ToLower(name))...) // the longer ones first
	for _, word := range append(own, common...) {
		if utf8.RuneCountInString(word) >= 3 {
			rest = strings.ReplaceAll(rest, word, "")
		}
	}
	different := map[rune]bool{}
	for _, r := range rest {
		different[r] = true
	}
	if len(different) < minUncommon {
		return ErrEasy.At("body.password")
	}
	return nil
}

// cost are the parameters of argon2id. They are kept in each hash, so they may grow: an
// older hash is made anew at the next sign-in.
type cost struct {
	memory  uint32 // KiB
	time    uint32
	threads uint8
}

// standard is the second choice of OWASP's Password Storage Cheat Sheet for argon2id:
// about 20 MB and 40 ms each on a small server.
var standard = cost{memory: 19456, time: 2, threads: 1}

const (
	saltLen = 16
	hashLen = 32
	// maxWaiting bounds who waits for a turn: at 40 ms each, ten seconds' worth a core.
	maxWaiting = 256
)

// hasher makes and checks hashes, as many at once as there are cores, so that a flood of
// sign-ins takes neither all memory nor all of the processor's queue.
type hasher struct {
	cost    cost
	slots   chan struct{}
	waiting atomic.Int64
	made    atomic.Int64 // comparisons so far: what a sign-in costs, whoever it names
	dummy   string       // the hash of nothing, for accounts that do not exist
}

func newHasher(c cost) *hasher {
	h := &hasher{cost: c, slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
	h.dummy = h.encode(rand.Text())
	return h
}

// hash returns the PHC string of a password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	return h.encode(password), nil
}

// verify reports whether password is the one that phc was made of, and whether phc should
// be made anew. An empty phc stands for no account: it costs the same and never matches.
func (h *hasher) verify(ctx context.Context, phc, password string) (ok, stale bool, err error) {
	exists := phc != ""
	if !exists {
		phc = h.dummy
	}
	c, salt, sum, err := parsePHC(phc)
	if err != nil {
		return false, false, err
	}
	if err := h.enter(ctx); err != nil {
		return false, false, err
	}
	defer h.leave()
	h.made.Add(1)
	got := argon2.IDKey([]byte(password), salt, c.time, c.memory, c.threads, uint32(len(sum)))
	same := subtle.ConstantTimeCompare(got, sum) == 1
	return same && exists, c != h.cost, nil
}

func (h *hasher) enter(ctx context.Context) error {
	if h.waiting.Add(1) > maxWaiting {
		h.waiting.Add(-1)
		return ErrHashBusy
	}
	defer h.waiting.Add(-1)
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ErrHashBusy.Because(ctx.Err())
	}
}

func (h *hasher) leave() { <-h.slots }

func (h *hasher) encode(password string) string {
	salt := make([]byte, saltLen)
	_, _ = rand.Read(salt) // never fails: Go stops the process instead
	sum := argon2.IDKey([]byte(password), salt, h.cost.time, h.cost.memory, h.cost.threads, hashLen)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		h.cost.memory, h.cost.time, h.cost.threads, b64.EncodeToString(salt), b64.EncodeToString(sum))
}

// parsePHC reads what encode wrote. The bounds keep a row that somebody edited from
// taking all memory.
func parsePHC(text string) (c cost, salt, sum []byte, err error) {
	bad := fmt.Errorf("staff: a password hash cannot be read")
	part := strings.Split(text, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, bad
	}
	if n, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &c.memory, &c.time, &c.threads); n != 3 || err != nil {
		return c, nil, nil, bad
	}
	if c.memory < 8 || c.memory > 1<<20 || c.time < 1 || c.time > 20 || c.threads < 1 || c.threads > 16 {
		return c, nil, nil, bad
	}
	if salt, err = base64.RawStdEncoding.Strict().DecodeString(part[4]); err != nil || len(salt) < 8 {
		return c, nil, nil, bad
	}
	if sum, err = base64.RawStdEncoding.Strict().DecodeString(part[5]); err != nil || len(sum) < 16 || len(sum) > 64 {
		return c, nil, nil, bad
	}
	return c, salt, sum, nil
}
