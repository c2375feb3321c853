// Package demo fills an empty database with a believable shop: a group of tea houses and
// bakeries in Chinese cities, its products, its members, and eighteen months of what they
// bought, returned, saved and spent.
//
// Life: Fill opens the shop in the past and lives through it by time order, as its tills,
// its staff and its members would have: everything goes through the services and the
// posting engine, under a clock that Fill moves. It ends at Options.Now.
//
// Laws:
//   - The same seed, number of members and Now make the same content: ids, documents,
//     amounts, balances. Nothing is drawn from elsewhere, and nothing depends on how long
//     anything took.
//   - Nobody can be reached: telephone numbers begin with 12, e-mail addresses end in
//     .example.
//   - A database that has members is refused and stays as it is.
package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/staff"
)

// DefaultMembers is how many members the shop has where nobody says otherwise.
const DefaultMembers = 2000

// MaxMembers bounds Options.Members: past it the shop would take hours to make.
const MaxMembers = 200_000

const (
	historyDays = 548 // eighteen months of sales
	joinDays    = 730 // members began to join before the books were opened
)

// The reasons for which a shop is not made.
var (
	ErrNotEmpty = errs.New(errs.Conflict, "demo.not_empty", "This database has members already. The demo fills an empty one only: choose another --data-dir.", "该数据库已有会员。演示数据只能写入空数据库，请另选 --data-dir。")
	ErrMembers  = errs.New(errs.Invalid, "demo.members", "A demo has 10 to {most} members.", "演示会员数应为 10 至 {most}。")
	errClock    = fmt.Errorf("demo: the program was not opened with a clock that stands at demo.Opening")
)

// Options say what to make.
type Options struct {
	Members  int    // 0 = DefaultMembers
	Seed     uint64 // of everything that chance decides
	Now      time.Time
	Progress func(done, total int) // days; may be nil
}

// Summary is what was made.
type Summary struct {
	Stores, Products, Members     int
	Sales, Unassigned, Returns    int
	Redemptions, TopUps, Holds    int
	Coupons                       int // purchases with vouchers
	Transfers, Adjustments        int
	From, Until                   time.Time
	Waiting                       string // approval that a second person has to decide
	Merged, Blocked, LateDocument string // public ids, and the document of the late sale
	Phone                         string // of a member to sign in to the portal as
}

// Opening is when the shop's books begin, for an end at now: the clock that the program is
// opened with stands there.
func Opening(now time.Time) time.Time { return midnight(now).AddDate(0, 0, -historyDays) }

// Fill makes the shop. The program's clock must be a clock.Manual that stands at Opening,
// and the program must not be started.
func Fill(ctx context.Context, a *app.App, o Options) (Summary, error) {
	if o.Members == 0 {
		o.Members = DefaultMembers
	}
	if o.Members < 10 || o.Members > MaxMembers {
		return Summary{}, ErrMembers.With("most", MaxMembers)
	}
	manual, ok := a.Clock.(*clock.Manual)
	if !ok || manual.Now().After(Opening(o.Now)) {
		return Summary{}, errClock
	}
	ctx = staff.AsSystem(ctx, "demo")
	there, _, err := a.Members.List(ctx, member.Search{Limit: 1})
	if err != nil {
		return Summary{}, err
	}
	if len(there) > 0 {
		return Summary{}, ErrNotEmpty
	}
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	s := &shop{
		app: a, clock: manual, options: o, random: rand.New(rand.NewPCG(o.Seed, 0x7061_7472_6f6e)),
		day0: Opening(o.Now), tills: newTills(a),
	}
	err = s.live(ctx)
	return s.made, err
}
