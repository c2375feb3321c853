package portal

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/staff"
)

// The bounds of codes. A guesser gets 25 tries an hour at one identifier, out of a million.
const (
	codeLife     = 10 * time.Minute
	maxTries     = 5                // of one code
	codeGap      = 30 * time.Second // between two codes for one identifier
	hourlyWho    = 5                // codes for one identifier
	hourlyFrom   = 120              // codes for one address: a shop's guests share its network
	hourlyTry    = 240              // tries from one address
	hourlyLook   = 30               // friends that one member looks for
	hourlyExport = 10               // downloads of one member
	countHour    = time.Hour
	noGap        = -24 * time.Hour // nodes' clocks differ
)

// purpose is what a code is for. The numbers stand in rows.
type purpose int64

const (
	toSignIn purpose = 1
	toClose  purpose = 2
)

// hash is a keyed or plain hash, shortened: the first byte is its shard.
type hash = [seal.BlindSize]byte

// asked is a code that was asked for: whom it is sent to, and what it may be used for.
type asked struct {
	kind    member.Kind
	value   string // normalised
	purpose purpose
	member  member.ID // of an act that is confirmed; 0 to sign in
}

// who is the blind index of whom a code was sent to.
func (s *Service) who(a asked) hash { return s.o.Box.Blind("portal "+string(a.kind), a.value) }

// sealed is how a code lies in the database: under a key, and under its challenge.
func (s *Service) sealed(challenge, code string) hash {
	return s.o.Box.Blind("portal code", challenge+" "+code)
}

func challengeHash(challenge string) hash {
	sum := sha256.Sum256([]byte(challenge))
	return hash(sum[:])
}

var insertCodeSQL = db.Define("portal.insertCode", `
	INSERT INTO portal_code (shard, hash, who, code, purpose, member_id, tries, until_ms)
	VALUES ($1, $2, $3, $4, $5, $6, 0, $7)`)

// Challenge is what the browser of who asked for a code holds.
type Challenge struct {
	Text  string
	Until time.Time
}

// send makes a code and sends it. It does not look whether there is such a member.
func (s *Service) send(ctx context.Context, a asked) (Challenge, error) {
	by, err := s.sender(a.kind)
	if err != nil {
		return Challenge{}, err
	}
	now := s.o.Clock.Now()
	challenge, code, until := newSecret(), newCode(), now.Add(codeLife)
	h, who, sealed := challengeHash(challenge), s.who(a), s.sealed(challenge, code)
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		for _, c := range []count{
			{s.address(ctx, "codes"), noGap, hourlyFrom, ErrSlow},
			{s.o.Box.Blind("portal count", string(who[:])), codeGap, hourlyWho, ErrSlow},
			{s.o.Box.Blind("portal count", "programme"), noGap, s.o.Codes, ErrSlow}, // last: all wait for this row
		} {
			if err := c.take(ctx, tx, now); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, insertCodeSQL, int16(h[0]), h[:], who[:], sealed[:], int64(a.purpose), int64(a.member), until.UnixMilli())
		return err
	})
	if err != nil {
		return Challenge{}, err
	}
	if err := by.Send(ctx, s.message(ctx, a.kind, a.value, code, a.purpose)); err != nil {
		s.o.Log.Error("a code was not sent", "kind", a.kind, "error", err, "trace_id", api.RequestInfo(ctx).TraceID)
		return Challenge{}, ErrNotSent
	}
	return Challenge{challenge, until}, nil
}

// newSecret is 128 random bits as text.
func newSecret() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails: Go stops the process instead
	return base64.RawURLEncoding.EncodeToString(b)
}

// newCode is six digits, each code as likely as any.
func newCode() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic(err) // as above
	}
	return fmt.Sprintf("%06d", n)
}

// address counts something by where the request comes from.
func (s *Service) address(ctx context.Context, what string) hash {
	return s.o.Box.Blind("portal count", what+" "+staff.Network(api.RequestInfo(ctx).IP))
}

var (
	countSQL = db.Define("portal.count", `
		INSERT INTO portal_count (shard, hash, begin_ms, last_ms, n)
		VALUES ($1, $2, $3, $3, 1)
		ON CONFLICT (shard, hash) DO UPDATE
		SET n = CASE WHEN portal_count.begin_ms <= $4 THEN 1 ELSE portal_count.n + 1 END,
			begin_ms = CASE WHEN portal_count.begin_ms <= $4 THEN excluded.begin_ms ELSE portal_count.begin_ms END,
			last_ms = excluded.last_ms
		WHERE portal_count.last_ms <= $5 AND (portal_count.begin_ms <= $4 OR portal_count.n < $6)`)
	countedSQL = db.Define("portal.counted", `
		SELECT begin_ms, last_ms, n
		FROM portal_count
		WHERE shard = $1 AND hash = $2`)
)

// count bounds how often something happens in an hour, over all nodes.
type count struct {
	hash    hash
	gap     time.Duration // at least so long after the last
	most    int
	refusal *errs.Error
}

// take counts once more, or refuses and says how long to wait. The guard stands in the
// statement, so of many who come at once no more than most are let through.
func (c count) take(ctx context.Context, tx *db.Tx, now time.Time) error {
	shard, ms := int16(c.hash[0]), now.UnixMilli()
	n, err := tx.Exec(ctx, countSQL, shard, c.hash[:], ms, ms-countHour.Milliseconds(), ms-c.gap.Milliseconds(), int64(c.most))
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	if n == 1 {
		return nil
	}
	var begin, last, times int64
	if err := tx.QueryRow(ctx, countedSQL, shard, c.hash[:]).Scan(&begin, &last, &times); err != nil {
		return fmt.Errorf("read a count: %w", err)
	}
	wait := last + c.gap.Milliseconds() - ms
	if times >= int64(c.most) {
		wait = max(wait, begin+countHour.Milliseconds()-ms)
	}
	return c.refusal.With("retry_after", int(max(1, (wait+999)/1000)))
}

var (
	tryCodeSQL = db.Define("portal.tryCode", `
		UPDATE portal_code SET tries = tries + 1
		WHERE shard = $1 AND hash = $2 AND who = $3 AND purpose = $4 AND member_id = $5 AND tries < $6 AND until_ms > $7
		RETURNING code`)
	useCodeSQL = db.Define("portal.useCode", `
		DELETE FROM portal_code
		WHERE shard = $1 AND hash = $2 AND until_ms > $3`)
)

// ticket is a code that was right, and has still to be used.
type ticket struct{ hash hash }

// check compares a code with the one that was sent, and counts the try in a transaction of
// its own, which stands whatever comes after. Whatever is wrong, the answer is ErrCode.
func (s *Service) check(ctx context.Context, a asked, challenge, code string) (ticket, error) {
	h, who, now := challengeHash(challenge), s.who(a), s.o.Clock.Now()
	var sealed []byte
	err := s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		c := count{s.address(ctx, "tries"), noGap, hourlyTry, ErrGuess}
		if err := c.take(ctx, tx, now); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, tryCodeSQL, int16(h[0]), h[:], who[:], int64(a.purpose), int64(a.member), maxTries, now.UnixMilli()).Scan(&sealed)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // the count stands
		}
		return err
	})
	if err != nil {
		return ticket{}, err
	}
	want := s.sealed(challenge, code)
	if sealed == nil || !hmac.Equal(sealed, want[:]) {
		return ticket{}, ErrCode.At("body.code")
	}
	return ticket{h}, nil
}

// use takes the code away, in the transaction of what it opens. Of many who hold it one does.
func (t ticket) use(ctx context.Context, tx *db.Tx, now time.Time) error {
	n, err := tx.Exec(ctx, useCodeSQL, int16(t.hash[0]), t.hash[:], now.UnixMilli())
	if err != nil {
		return fmt.Errorf("use a code: %w", err)
	}
	if n == 0 {
		return ErrCode.At("body.code")
	}
	return nil
}
