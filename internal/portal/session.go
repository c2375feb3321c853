package portal

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/member"
)

// The limits of a session, at both of which its end is exclusive.
const (
	idleLimit   = 90 * 24 * time.Hour
	ageLimit    = 365 * 24 * time.Hour
	touchEvery  = time.Hour // how exactly the last use is known
	maxSessions = 10        // of one record; the one that was not used for longest goes first
)

const sessionPrefix = "pss_"

// Session is one signed-in browser of a member.
type Session struct {
	Member        member.ID // the record that it was opened under
	N             int64
	Device        string // a kind of device, as "iPhone"
	Started, Seen time.Time
}

// ID is what the outside calls the session.
func (s Session) ID() string { return id.Encode(sessionPrefix, int64(s.Member), s.N) }

func (s Session) over(now time.Time) bool {
	return now.Sub(s.Seen) >= idleLimit || now.Sub(s.Started) >= ageLimit
}

var (
	insertSessionSQL = db.Define("portal.insertSession", `
		INSERT INTO portal_session (shard, member_id, id, hash, device, started_ms, seen_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $6)`)
	findSessionSQL = db.Define("portal.findSession", `
		SELECT hash, device, started_ms, seen_ms
		FROM portal_session
		WHERE shard = $1 AND member_id = $2 AND id = $3`)
	touchSessionSQL = db.Define("portal.touchSession", `
		UPDATE portal_session SET seen_ms = $4
		WHERE shard = $1 AND member_id = $2 AND id = $3 AND seen_ms < $4`)
	listSessionsSQL = db.Define("portal.listSessions", `
		SELECT id, device, started_ms, seen_ms
		FROM portal_session
		WHERE shard = $1 AND member_id = $2
		ORDER BY seen_ms DESC, id DESC`)
	deleteSessionSQL = db.Define("portal.deleteSession", `
		DELETE FROM portal_session
		WHERE shard = $1 AND member_id = $2 AND id = $3`)
	deleteSessionsSQL = db.Define("portal.deleteSessions", `
		DELETE FROM portal_session
		WHERE shard = $1 AND member_id = $2`)
)

// token is what the cookie bears: which session, and a secret that is kept as a hash.
type token struct {
	session Session
	secret  string
}

func (t token) text() string { return t.session.ID() + "." + t.secret }

func (t token) hash() []byte {
	sum := sha256.Sum256([]byte(t.secret))
	return sum[:]
}

func parseToken(text string) (token, bool) {
	public, secret, ok := strings.Cut(text, ".")
	if !ok || secret == "" {
		return token{}, false
	}
	m, n, err := id.Decode(sessionPrefix, public)
	return token{Session{Member: member.ID(m), N: n}, secret}, err == nil && m > 0
}

// open uses a code up and starts a session of a member. old is the token that the browser
// has had: its session ends.
func (s *Service) open(ctx context.Context, m member.ID, t ticket, old string) (text string, err error) {
	n, err := s.o.DB.NextID(ctx, "portal_session")
	if err != nil {
		return "", err
	}
	now := s.o.Clock.Now()
	fresh := token{Session{Member: m, N: n, Device: device(api.RequestInfo(ctx).UserAgent), Started: now}, newSecret()}
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := t.use(ctx, tx, now); err != nil {
			return err
		}
		if before, ok := parseToken(old); ok {
			if err := endIf(ctx, tx, before); err != nil {
				return err
			}
		}
		list, err := readSessions(ctx, tx, m)
		if err != nil {
			return err
		}
		for i, one := range list {
			if i >= maxSessions-1 {
				if err := endSession(ctx, tx, one); err != nil {
					return err
				}
			}
		}
		x := fresh.session
		_, err = tx.Exec(ctx, insertSessionSQL, m.Shard(), int64(m), x.N, fresh.hash(), x.Device, now.UnixMilli())
		return err
	})
	return fresh.text(), err
}

// find reads the session of a token, where the secret is right.
func find(ctx context.Context, tx *db.Tx, t token) (Session, error) {
	x := t.session
	var sum []byte
	var started, seen int64
	err := tx.QueryRow(ctx, findSessionSQL, x.Member.Shard(), int64(x.Member), x.N).Scan(&sum, &x.Device, &started, &seen)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !hmac.Equal(sum, t.hash()) {
		return Session{}, api.ErrNotSignedIn
	}
	x.Started, x.Seen = time.UnixMilli(started), time.UnixMilli(seen)
	return x, err
}

// endIf ends the session of a token. One that is gone, or not the token's, is no error.
func endIf(ctx context.Context, tx *db.Tx, t token) error {
	x, err := find(ctx, tx, t)
	if errors.Is(err, api.ErrNotSignedIn) {
		return nil
	}
	if err != nil {
		return err
	}
	return endSession(ctx, tx, x)
}

func endSession(ctx context.Context, tx *db.Tx, x Session) error {
	_, err := tx.Exec(ctx, deleteSessionSQL, x.Member.Shard(), int64(x.Member), x.N)
	return err
}

func readSessions(ctx context.Context, tx *db.Tx, m member.ID) (list []Session, err error) {
	err = db.ReadRows(func(rows *db.Rows) error {
		x := Session{Member: m}
		var started, seen int64
		if err := rows.Scan(&x.N, &x.Device, &started, &seen); err != nil {
			return err
		}
		x.Started, x.Seen = time.UnixMilli(started).UTC(), time.UnixMilli(seen).UTC()
		list = append(list, x)
		return nil
	})(tx.Query(ctx, listSessionsSQL, m.Shard(), int64(m)))
	return list, err
}

// Authenticate finds out which member makes a request. It is api.Authenticator.
func (s *Service) Authenticate(ctx context.Context, r *http.Request) (api.Caller, error) {
	t, ok := parseToken(cookie.Read(r))
	if !ok {
		return api.Caller{}, api.ErrNotSignedIn
	}
	now := s.o.Clock.Now()
	var x Session
	err := s.o.DB.Glance(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		x, err = find(ctx, tx, t)
		return err
	})
	if err != nil {
		return api.Caller{}, err
	}
	if x.over(now) {
		return api.Caller{}, api.ErrNotSignedIn
	}
	m, err := s.o.Members.Find(ctx, member.RefID(x.Member)) // who was merged goes on as the survivor
	if errs.As(err) != nil {
		return api.Caller{}, api.ErrNotSignedIn.Because(err) // erased
	}
	if err != nil {
		return api.Caller{}, err
	}
	if now.Sub(x.Seen) >= touchEvery {
		if err := s.touch(ctx, x, now); err != nil {
			return api.Caller{}, err
		}
	}
	return as(m), nil
}

// as is a member as the caller of what they do.
func as(m member.ID) api.Caller { return api.Caller{Kind: "member", ID: m.String()} }

// me is the member who makes a request.
func me(ctx context.Context) (member.ID, error) {
	c := api.CallerOf(ctx)
	m, err := member.ParseID(c.ID)
	if c.Kind != "member" || err != nil {
		return 0, api.ErrNotSignedIn
	}
	return m, nil
}

func (s *Service) touch(ctx context.Context, x Session, now time.Time) error {
	return s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, touchSessionSQL, x.Member.Shard(), int64(x.Member), x.N, now.UnixMilli())
		return err
	})
}

// sessions lists those of a member that are not over, the one used last first.
func (s *Service) sessions(ctx context.Context, m member.ID) (list []Session, err error) {
	records, err := s.o.Members.Records(ctx, member.RefID(m))
	if err != nil {
		return nil, err
	}
	now := s.o.Clock.Now()
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		for _, r := range records {
			part, err := readSessions(ctx, tx, r)
			if err != nil {
				return err
			}
			for _, x := range part {
				if !x.over(now) {
					list = append(list, x)
				}
			}
		}
		return nil
	})
	return list, err
}

// device tells kinds of browsers apart, no more than a person needs to know their own.
func device(userAgent string) string {
	kind := ""
	for _, d := range [...][2]string{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"HarmonyOS", "HarmonyOS"}, {"OpenHarmony", "HarmonyOS"}, {"Android", "Android"},
		{"Windows", "Windows"}, {"Macintosh", "Mac"}, {"Linux", "Linux"},
	} {
		if strings.Contains(userAgent, d[0]) {
			kind = d[1]
			break
		}
	}
	if strings.Contains(userAgent, "MicroMessenger") {
		return strings.TrimPrefix(kind+", WeChat", ", ")
	}
	return kind
}

// signIn opens a session for who has the code, where they are a member.
func (s *Service) signIn(ctx context.Context, ref member.Ref, challenge, code, old string) (m member.ID, text string, err error) {
	kind, value := ref.Identifier()
	t, err := s.check(ctx, asked{kind: kind, value: value, purpose: toSignIn}, challenge, code)
	if err != nil {
		return 0, "", err
	}
	m, err = s.o.Members.Find(ctx, ref)
	if errors.Is(err, member.ErrNotFound) {
		return 0, "", ErrNotMember
	}
	if err != nil {
		return 0, "", err
	}
	if err := s.proved(ctx, m, kind, value); err != nil {
		return 0, "", err
	}
	text, err = s.open(ctx, m, t, old)
	return m, text, err
}

// proved notes that the identifier is theirs. One of a merged record stays as it is.
func (s *Service) proved(ctx context.Context, m member.ID, k member.Kind, value string) error {
	_, err := s.o.Members.VerifyIdentifier(api.WithCaller(ctx, as(m)), member.RefID(m), k, value)
	if err != nil && errs.As(err) == nil {
		return fmt.Errorf("note a proof: %w", err)
	}
	return nil
}

// end ends sessions.
func (s *Service) end(ctx context.Context, list ...Session) error {
	return s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		for _, x := range list {
			if err := endSession(ctx, tx, x); err != nil {
				return fmt.Errorf("end session %d/%d: %w", x.Member, x.N, err)
			}
		}
		return nil
	})
}
