// Package privacy keeps what members agree to, gives them all that is known of them, and
// erases it.
//
// # Life
//
// A consent is given or taken back for a purpose and a channel. Each time is a row of its
// own, with the version of the text that was shown, its hash, the time and the source: the
// rows are the evidence, and the latest one that speaks of a channel says how things stand.
//
// An export gathers, page by page, everything that the program keeps of a person, as JSON
// or as a folder of CSV. What belongs in it stands in the registry (registry.go), and a
// column that the registry does not know fails the tests.
//
// An erasure is decided by writing a tombstone, and from then on carried out whatever
// crashes: the record's key is destroyed, plain columns and free text are wiped, points
// are forfeited. The books stay whole under the member's number, which leads to nobody any
// more. The tombstone is kept beside the database too, so that a database that is restored
// from before the erasure is erased again before it serves.
//
// # Laws
//
//   - Consents only grow; no row is changed or removed, not even by an erasure, since it
//     proves that what was done was allowed. They hold no personal value.
//   - Of a person with several records the more cautious word counts: a merge grants
//     nothing that one of them had taken back.
//   - Once a tombstone is committed, nothing brings the member back: neither a crash nor a
//     restore of an older database.
//   - A wrapping key is retired only when a whole pass has found nothing under it, and that
//     pass began long after the last write that can have used it.
//
// Nouns above register as a Part what they keep of members.
package privacy

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Person is one member with all records that belong to them.
type Person struct {
	ID      member.ID
	Records []member.ID // ID first, then what was merged into it
}

// Erasure is what a Part is asked to carry out.
type Erasure struct {
	Person
	At      time.Time
	Forfeit bool // give up stored value too, which is otherwise still owed
}

// Part is what one noun keeps of members. app registers the parts.
type Part interface {
	// Name is of the part, for logs: one word.
	Name() string
	// Export writes all of it into sheets, each begun once. It reads page by page, so that
	// no snapshot lasts long.
	Export(ctx context.Context, who Person, to Sheets) error
	// Erase takes away what says who somebody is or was written about them freely, and
	// leaves what the books need. It may be called again after it was cut short, or was
	// done.
	Erase(ctx context.Context, e Erasure) error
}

// Objector is a Part that may refuse an erasure before it is decided.
type Objector interface {
	Objects(ctx context.Context, e Erasure) error
}

// Sheets takes what an export writes: any number of tables, one after the other.
type Sheets interface {
	// Sheet begins a table.
	Sheet(name string, columns ...string) error
	// Row adds a row to it, a cell for each column: text, integers, booleans, times, nil
	// for nothing, and what JSON can hold.
	Row(cells ...any) error
}

// Keyed is something that lies under the wrapping keys, and what brings it under the
// newest.
type Keyed interface {
	Rewrap(ctx context.Context, progress func(moved int64)) (moved int64, err error)
}

// The refusals.
var (
	ErrPurpose = errs.New(errs.Invalid, "consent.purpose",
		"There is no such purpose. GET /v1/consent-texts lists them.", "没有这个用途。可用 GET /v1/consent-texts 查看。")
	ErrVersion = errs.New(errs.Invalid, "consent.version",
		"The text of this purpose has no version {version}.", "该用途的文本没有第 {version} 版。")
	ErrText = errs.New(errs.Invalid, "consent.text",
		"A text has 1 to {max} characters in each language.", "中英文文本均须为 1 至 {max} 个字符。")
	ErrBusy = errs.New(errs.Conflict, "privacy.busy",
		"The member was changed meanwhile. Repeat the request.", "该会员刚被修改，请重试。")
)

// Options are what a Service is made of. All but Log are required.
type Options struct {
	DB      *db.DB
	Box     *seal.Box
	Clock   clock.Clock
	Log     *slog.Logger
	Program *program.Service
	Members *member.Service
	Audit   *staff.Audit
	Jobs    *job.Queue
	Tombs   string // path of the file that keeps tombstones outside the database
	// Borrowed says that the keys are another programme's: nothing here may rotate them.
	Borrowed bool
}

// Service does all this. It is safe for use by many goroutines.
type Service struct {
	o      Options
	graves *graves
	parts  []Part

	mu     sync.Mutex
	sealed []Keyed
}

// New makes the service and registers its jobs. Register the parts, then call Replay before
// anything is served.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	s := &Service{o: o, graves: &graves{path: o.Tombs}}
	s.parts = []Part{profile{o.Members}, written{o.Members}, consents{s}, happenings{o.DB}, trail{o.Audit}}
	s.sealed = []Keyed{o.Members}
	o.Jobs.Register(eraseKind, s.runErase)
	o.Jobs.Register(sweepKind, s.runSweep)
	o.Jobs.Register(scrubKind, s.runScrub)
	o.Jobs.Register(rotateKind, s.runRotate)
	o.Jobs.Register(retireKind, s.runRetire)
	return s
}

// Register adds what a higher noun keeps. Call it while the program is built.
func (s *Service) Register(p Part) { s.parts = append(s.parts, p) }

// Seals adds what lies under the wrapping keys.
func (s *Service) Seals(x Keyed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = append(s.sealed, x)
}

// actor is who asks, as rows keep it.
func actor(ctx context.Context) string {
	c := api.CallerOf(ctx)
	if c.Kind == "" {
		return ""
	}
	return c.Kind + ":" + c.ID
}
