package portal

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/member"
)

// The life of a code on the screen.
const (
	qrLife    = 60 * time.Second
	qrRefresh = 30 * time.Second // when the page asks for the next: the old one is still good while it is read
	qrAhead   = 10 * time.Second // nodes' clocks differ
)

// A code is 25 bytes: a version, whose it is (8), when it was made (Unix seconds, 4), and
// twelve bytes of HMAC-SHA-256 over those. In base32 it has forty capitals and digits, which
// every scanner and keyboard brings over unharmed.
const (
	qrVersion = 1
	qrBody    = 13
	qrSize    = 25
)

var qrText = base32.StdEncoding.WithPadding(base32.NoPadding)

// qrKey is the key of a day. It comes from the key file, which all nodes of a programme have,
// so they take each other's codes without asking. A new day brings a new key by itself; a
// code says of which day it is.
func (s *Service) qrKey(unix int64) []byte {
	k := s.o.Box.Blind("portal qr", fmt.Sprintf("%s %d", s.o.Realm, unix/86400))
	return k[:]
}

func (s *Service) qrSign(body []byte, unix int64) []byte {
	mac := hmac.New(sha256.New, s.qrKey(unix))
	mac.Write(body)
	return mac.Sum(nil)[:qrSize-qrBody]
}

// qr makes the code of a member for now, and says until when it is good.
func (s *Service) qr(m member.ID) (code string, until time.Time) {
	now := s.o.Clock.Now()
	b := make([]byte, qrBody, qrSize)
	b[0] = qrVersion
	binary.BigEndian.PutUint64(b[1:], uint64(m))
	binary.BigEndian.PutUint32(b[9:], uint32(now.Unix()))
	b = append(b, s.qrSign(b, now.Unix())...)
	return qrText.EncodeToString(b), time.Unix(now.Unix(), 0).Add(qrLife).UTC()
}

// Resolve returns whose code this is, as long as it is good, or gives member.ErrQR. It is the
// hook by which members are found as "qr:…".
func (s *Service) Resolve(_ context.Context, code string) (member.ID, error) {
	b, err := qrText.DecodeString(strings.ToUpper(code))
	if err != nil || len(b) != qrSize || b[0] != qrVersion {
		return 0, member.ErrQR
	}
	unix := int64(binary.BigEndian.Uint32(b[9:]))
	if !hmac.Equal(b[qrBody:], s.qrSign(b[:qrBody], unix)) {
		return 0, member.ErrQR
	}
	if age := s.o.Clock.Now().Sub(time.Unix(unix, 0)); age < -qrAhead || age >= qrLife {
		return 0, member.ErrQR
	}
	return member.ID(binary.BigEndian.Uint64(b[1:])), nil
}
