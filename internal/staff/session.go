package staff

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// The limits of a session. At both its end is exclusive.
const (
	idleLimit   = 12 * time.Hour
	ageLimit    = 30 * 24 * time.Hour
	maxSessions = 20 // of one account; the oldest goes first
)

var (
	// ErrSignIn is the one answer to every sign-in that fails, whatever the reason.
	ErrSignIn = errs.New(errs.Unauthenticated, "staff.sign_in", "The e-mail address or the password is wrong.", "邮箱或密码错误。")
	// ErrWrong refuses a change of password without the present one.
	ErrWrong = errs.New(errs.Forbidden, "staff.wrong_password", "This is not your present password.", "当前密码不正确。")
	// ErrPlain refuses to send a session over a network in the open.
	ErrPlain = errs.New(errs.Forbidden, "staff.plain_http",
		"Signing in needs HTTPS, or a browser on the same machine (http://127.0.0.1). Behind a proxy with TLS, name it in trusted_proxy and let it send X-Forwarded-Proto: https.",
		"登录需要 HTTPS，或在本机浏览器访问（http://127.0.0.1）。若前面有 TLS 代理，请在 trusted_proxy 中列出它，并让其发送 X-Forwarded-Proto: https。")
	// ErrNoSession answers for a session that is over, or another person's.
	ErrNoSession = errs.New(errs.NotFound, "staff.no_session", "There is no such session.", "没有这个会话。")
)

// Session is one signed-in browser.
type Session struct {
	ID            int64
	Account       int64
	Started, Seen time.Time
	IP, UserAgent string
}

// PublicID is what the outside calls the session.
func (s Session) PublicID() string { return id.Encode(sessionPrefix, 0, s.ID) }

// newSecret returns 256 random bits as text.
func newSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: Go stops the process instead
	return base64.RawURLEncoding.EncodeToString(b)
}

func hashOf(secret string) token { return sha256.Sum256([]byte(secret)) }

// SignIn checks a password and starts a session; it returns the token for the cookie. old
// is the token that the browser already has, if any: its session ends, so that nobody can
// plant one. It gives ErrSignIn, or ErrSlow with a time to wait.
func (s *Service) SignIn(ctx context.Context, email, password, old string) (Account, string, error) {
	folded := strings.ToLower(strings.TrimSpace(email))
	ip := api.RequestInfo(ctx).IP
	if err := s.guesses.admit(folded, ip, s.clock.Now()); err != nil {
		return Account{}, "", err
	}
	a, err := s.byEmail(ctx, folded)
	if err != nil {
		return Account{}, "", err
	}
	ok, stale, err := s.hasher.verify(ctx, a.password, password)
	if err != nil {
		return Account{}, "", err
	}
	if !ok || !a.Active {
		s.log.Info("sign-in refused", "ip", ip, "trace_id", api.RequestInfo(ctx).TraceID)
		return Account{}, "", ErrSignIn
	}
	s.guesses.succeed(folded, ip, s.clock.Now())
	if stale {
		if a.password, err = s.rehash(ctx, a, password); err != nil {
			return Account{}, "", err
		}
	}
	t, err := s.start(ctx, a, old)
	return a, t, err
}

// rehash keeps a password under today's parameters, unless it was changed meanwhile.
func (s *Service) rehash(ctx context.Context, a Account, password string) (string, error) {
	phc, err := s.hasher.hash(ctx, password)
	if err != nil {
		return "", err
	}
	return phc, s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, rehashSQL, a.ID, a.password, phc)
		return err
	})
}

// start makes a session of an account whose password was right a moment ago. An account
// that was disabled, or whose password was changed, in that moment gets ErrSignIn.
func (s *Service) start(ctx context.Context, a Account, old string) (string, error) {
	n, err := s.db.NextID(ctx, "session")
	if err != nil {
		return "", err
	}
	secret := newSecret()
	err = s.takeAway(ctx, func(ctx context.Context, tx *db.Tx) error { // old sessions go
		return s.open(ctx, tx, a, n, secret, old)
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// open writes a session, ends the one that the browser had, and those past the limit.
func (s *Service) open(ctx context.Context, tx *db.Tx, a Account, n int64, secret, old string) error {
	info, now := api.RequestInfo(ctx), s.clock.Now()
	if err := noteSignIn(ctx, tx, a, now); err != nil {
		return err
	}
	if old != "" {
		if err := deleteSessionByHash(ctx, tx, hashOf(old)); err != nil {
			return err
		}
	}
	session := Session{ID: n, Account: a.ID, Started: now, Seen: now, IP: info.IP, UserAgent: info.UserAgent}
	if err := insertSession(ctx, tx, session, hashOf(secret)); err != nil {
		return err
	}
	if err := trimSessions(ctx, tx, a.ID, maxSessions); err != nil {
		return err
	}
	actor := api.WithCaller(ctx, api.Caller{Kind: "staff", ID: a.PublicID()})
	return s.audit.Record(actor, tx, "session.start", session.PublicID(), nil, nil)
}

// SignOut ends the session of a token. A token without a session is no error.
func (s *Service) SignOut(ctx context.Context, secret string) error {
	return s.takeAway(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := deleteSessionByHash(ctx, tx, hashOf(secret)); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, "session.end", api.CallerOf(ctx).ID, nil, nil)
	})
}

// ChangePassword changes the password of the person who asks. Every session of theirs
// ends; the returned token is of a new one for the browser that asked.
func (s *Service) ChangePassword(ctx context.Context, present, next string) (string, error) {
	n, err := self(ctx)
	if err != nil {
		return "", err
	}
	a, err := s.account(ctx, n)
	if err != nil {
		return "", err
	}
	ip := api.RequestInfo(ctx).IP
	if err := s.guesses.admit(a.Email, ip, s.clock.Now()); err != nil {
		return "", err
	}
	ok, _, err := s.hasher.verify(ctx, a.password, present)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", ErrWrong.At("body.present")
	}
	s.guesses.succeed(a.Email, ip, s.clock.Now())
	if err := s.replacePassword(ctx, a, next); err != nil {
		return "", err
	}
	if a, err = s.account(ctx, n); err != nil {
		return "", err
	}
	return s.start(ctx, a, "")
}

// Sessions reads the live sessions of an account, oldest first; at most maxSessions.
func (s *Service) Sessions(ctx context.Context, account int64) (list []Session, err error) {
	now := s.clock.Now()
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, err = readSessions(ctx, tx, account, now.Add(-idleLimit), now.Add(-ageLimit))
		return err
	})
	return list, err
}

// EndSession ends one session of the person who asks, or anybody's for who manages staff.
func (s *Service) EndSession(ctx context.Context, n int64) error {
	return s.takeAway(ctx, func(ctx context.Context, tx *db.Tx) error {
		account, err := sessionOwner(ctx, tx, n)
		if err != nil {
			return err
		}
		if err := s.mayEnd(ctx, tx, account); err != nil {
			return ErrNoSession
		}
		if err := deleteSession(ctx, tx, n); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, "session.end", Session{ID: n}.PublicID(), nil, nil)
	})
}

// EndSessions ends every session of an account.
func (s *Service) EndSessions(ctx context.Context, account int64) error {
	return s.takeAway(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := s.mayEnd(ctx, tx, account); err != nil {
			return err
		}
		if err := deleteSessions(ctx, tx, account); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, "session.end_all", Account{ID: account}.PublicID(), nil, nil)
	})
}

// mayEnd lets people end their own sessions, and managers those of people below them.
func (s *Service) mayEnd(ctx context.Context, tx *db.Tx, account int64) error {
	if n, err := self(ctx); err == nil && n == account {
		return nil
	}
	if err := api.Require(ctx, ManageStaff); err != nil {
		return err
	}
	a, err := readAccount(ctx, tx, account)
	if err != nil {
		return err
	}
	return mayManage(ctx, a.Role.Can())
}

// purge removes sessions that ended by themselves.
func (s *Service) purge(ctx context.Context) error {
	now := s.clock.Now()
	return s.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		return purgeSessions(ctx, tx, now.Add(-idleLimit), now.Add(-ageLimit))
	})
}

// browserCookie bears a session.
var browserCookie = api.SessionCookie{Name: "patron_session", MaxAge: ageLimit}
