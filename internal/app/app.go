// Package app builds the program by hand, bottom up: the same for production, for tools
// of the command line, and for tests.
package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patron-loyalty/patron/internal/catalog"
	"github.com/patron-loyalty/patron/internal/connect"
	"github.com/patron-loyalty/patron/internal/connect/export"
	"github.com/patron-loyalty/patron/internal/connect/intake"
	"github.com/patron-loyalty/patron/internal/connect/stash"
	"github.com/patron-loyalty/patron/internal/coupon"
	"github.com/patron-loyalty/patron/internal/desk"
	"github.com/patron-loyalty/patron/internal/draw"
	"github.com/patron-loyalty/patron/internal/insight"
	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/kit/trace"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/offer"
	"github.com/patron-loyalty/patron/internal/plan"
	"github.com/patron-loyalty/patron/internal/portal"
	"github.com/patron-loyalty/patron/internal/price"
	"github.com/patron-loyalty/patron/internal/privacy"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/program/code"
	"github.com/patron-loyalty/patron/internal/quota"
	"github.com/patron-loyalty/patron/internal/reward"
	"github.com/patron-loyalty/patron/internal/rule"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/tier"
	"github.com/patron-loyalty/patron/internal/till"
	"github.com/patron-loyalty/patron/internal/track"
)

// Version is what this binary calls itself. The linker sets it at a release.
var Version = "0.1.0-dev"

// stopWithin is how long the parts get to finish what they have begun.
const stopWithin = 20 * time.Second

// The answers to keys are kept for so long at least, and for api.PurgeTurns days more at most.
const (
	purgeKind  = "requests.purge"
	purgeAfter = 30 * 24 * time.Hour
)

// Options say how an App is built.
type Options struct {
	Config config.Config
	Clock  clock.Clock       // clock.System where nil
	Log    *slog.Logger      // slog.Default where nil
	Box    *seal.Box         // keys of personal data; those of the data directory where nil
	Name   string            // of the database file or schema; "patron" where empty
	Auth   api.Authenticator // who may call; the staff of this database where nil
	// Console and Portal are the built faces; those of this binary where nil.
	Console, Portal fs.FS
	// Free says how many bytes of a folder's disk are free; that of the disk where nil.
	Free func(dir string) (int64, error)
	// Payments are the providers that paid memberships may be charged through.
	Payments []plan.Provider
}

// App is one programme with everything that serves it.
type App struct {
	DB        *db.DB
	Box       *seal.Box
	Clock     clock.Clock
	Log       *slog.Logger
	Events    *event.Dispatcher
	Jobs      *job.Queue
	Audit     *staff.Audit
	Approvals *staff.Approvals
	Program   *program.Service
	Staff     *staff.Service
	Members   *member.Service
	Privacy   *privacy.Service
	Catalog   *catalog.Service
	Ledger    *ledger.Service
	Sales     *sale.Service
	Plans     *plan.Service
	Code      *code.Service
	Rules     *rule.Service
	Tiers     *tier.Service
	Offers    *offer.Service
	Coupons   *coupon.Service
	Prices    *price.Service
	Rewards   *reward.Service
	Draws     *draw.Service
	Track     *track.Service
	Insight   *insight.Service
	Portal    *portal.Service
	Stash     *stash.Stash
	Exports   *export.Service
	Imports   *intake.Service
	Till      *till.Service
	Desk      *desk.Service
	API       *api.Router

	auth    api.Authenticator
	config  config.Config
	backups *backups
	learner *learner
	test    *testHalf
	metrics *metrics
	scrape  http.Handler
	trace   *trace.Tracer
	health  health

	dir            string // of the data
	disk           func(dir string) (free, all int64, err error)
	maxConnections int
	stopWait       time.Duration
	open           atomic.Int64 // connections
	violations     violations
	busy           busy
	stopping       atomic.Bool
	stop           context.CancelFunc
	running        sync.WaitGroup
}

// Open opens the database, brings it to this version's schema, and builds the program on
// it. Nothing runs in the background yet but the posting engine: see Start.
func Open(ctx context.Context, o Options) (*App, error) {
	a := &App{
		Clock: o.Clock, Log: o.Log, Box: o.Box, config: o.Config, stop: func() {}, metrics: newMetrics(), dir: o.Config.DataDir, disk: db.Disk,
		maxConnections: o.Config.MaxConnections, stopWait: o.Config.StopWait,
	}
	if a.Clock == nil {
		a.Clock = clock.System()
	}
	if a.Log == nil {
		a.Log = slog.Default()
	}
	if err := wholly(o.Config.DataDir); err != nil {
		return nil, err
	}
	var err error
	a.DB, err = db.Open(ctx, db.Options{URL: o.Config.DatabaseURL, Dir: o.Config.DataDir, Name: o.Name, Log: a.Log})
	if err != nil {
		return nil, err
	}
	if err := a.furnish(ctx, o); err != nil {
		a.trace.Close()
		return nil, errors.Join(err, a.DB.Close())
	}
	return a, nil
}

// furnish brings the open database up to date and builds the parts on it.
func (a *App) furnish(ctx context.Context, o Options) (err error) {
	if err := a.DB.Migrate(ctx); err != nil {
		return err
	}
	if a.Box == nil {
		if err := os.MkdirAll(o.Config.DataDir, 0o700); err != nil { // PostgreSQL has made none
			return err
		}
		if a.Box, err = a.openKeys(ctx, filepath.Join(o.Config.DataDir, "patron.keys")); err != nil {
			return err
		}
	}
	if err := a.settleClock(ctx); err != nil {
		return err
	}
	a.trace, err = trace.New(trace.Options{Endpoint: o.Config.OtelEndpoint, Share: o.Config.OtelShare, Version: Version, Log: a.Log})
	if err != nil {
		return err
	}
	if err := a.build(ctx, o); err != nil {
		return err
	}
	if _, err := a.Privacy.Replay(ctx); err != nil { // before anything is served
		a.Ledger.Close()
		return fmt.Errorf("erase again who was erased before: %w", err)
	}
	return nil
}

// tombsPath is the file that keeps tombstones beside the database.
func tombsPath(o Options) string {
	name := "erased.log"
	if o.Name != "" {
		name = o.Name + "-" + name
	}
	return filepath.Join(o.Config.DataDir, name)
}

// settleClock lets the clock go on from the newest write where the machine's is behind, so
// that no posting ever stands before one that is there.
func (a *App) settleClock(ctx context.Context) error {
	wall, ok := a.Clock.(*clock.Wall)
	if !ok {
		return nil
	}
	newest, err := event.Newest(ctx, a.DB)
	if err != nil {
		return fmt.Errorf("read the time of the newest posting: %w", err)
	}
	if behind := newest.Sub(wall.Now()); behind > 0 {
		wall.NotBefore(newest)
		if behind > time.Minute {
			a.Log.Warn("the machine's clock is behind the newest posting; time goes on from there", "by", behind)
		}
	}
	return nil
}

// openKeys opens the key file, or makes it on the first start. A database that was written
// with another one is refused before a new file stands in the place of the lost one.
func (a *App) openKeys(ctx context.Context, path string) (*seal.Box, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if marked, err := member.Marked(ctx, a.DB); err != nil || marked {
			return nil, errors.Join(err, member.ErrKeyFile)
		}
	}
	return seal.Open(path)
}

// build makes the parts, lower nouns first.
func (a *App) build(ctx context.Context, o Options) (err error) {
	a.Events = event.New(a.DB, a.Clock, a.Log)
	a.Events.Traced(a.trace)
	a.Jobs = job.NewQueue(a.DB, a.Clock, job.Options{Log: a.Log, Trace: a.trace})
	a.Audit = staff.NewAudit(a.DB, a.Clock)
	if a.Program, err = program.New(ctx, a.DB, a.Clock, a.Audit); err != nil {
		return fmt.Errorf("open the programme: %w", err)
	}
	a.Staff = staff.New(a.DB, a.Clock, a.Log, a.Program, a.Audit)
	a.Approvals = staff.NewApprovals(a.DB, a.Clock, a.Log, a.Program, a.Audit, a.Box)
	a.Approvals.RegisterJobs(a.Jobs)
	a.Members = member.New(a.DB, a.Box, a.Clock, a.Log)
	if err := a.Members.Guard(ctx); err != nil {
		return err
	}
	a.Privacy = privacy.New(privacy.Options{
		DB: a.DB, Box: a.Box, Clock: a.Clock, Log: a.Log, Program: a.Program, Members: a.Members, Audit: a.Audit, Jobs: a.Jobs,
		Tombs: tombsPath(o), Borrowed: o.Name != "",
	})
	if a.Catalog, err = catalog.New(ctx, a.DB, a.Clock, a.Audit, a.Events.Nudge); err != nil {
		return fmt.Errorf("open the catalogue: %w", err)
	}
	workers := o.Config.PostingWorkers
	if workers == 0 {
		workers = (runtime.NumCPU() + 1) / 2 // the other half reads requests, and more workers only make smaller batches
	}
	a.Ledger, err = ledger.New(ctx, ledger.Options{
		DB: a.DB, Clock: a.Clock, Log: a.Log, Program: a.Program, Members: a.Members, Audit: a.Audit,
		Jobs: a.Jobs, Events: a.Events, Approvals: a.Approvals, Workers: workers, MaxBatch: o.Config.MaxBatch, Watch: a.metrics, Trace: a.trace,
	})
	if err != nil {
		return fmt.Errorf("open the ledger: %w", err)
	}
	hooks := member.Hooks{Programme: a.Program.Snapshot, QR: a.resolveQR, Merger: a.Ledger, Switches: a.Ledger, Audit: a.Audit, Colleague: a.Staff.Colleague, Consents: a.Privacy}
	a.Members.Use(hooks)
	a.Members.Register(a.Ledger)
	a.Members.Register(a.Ledger.BlockedCard())
	a.Members.RegisterJobs(a.Jobs)
	a.learner = newLearner(a)
	a.Tiers, err = tier.New(ctx, tier.Options{
		DB: a.DB, Clock: a.Clock, Log: a.Log, Program: a.Program, Members: a.Members, Ledger: a.Ledger, Audit: a.Audit, Jobs: a.Jobs, Events: a.Events,
	})
	if err != nil {
		return fmt.Errorf("open the tiers: %w", err)
	}
	a.Members.Register(a.Tiers)
	hooks.Standings = a.Tiers
	a.Members.Use(hooks)
	if a.Rules, err = rule.New(ctx, rule.Options{
		DB: a.DB, Clock: a.Clock, Log: a.Log, Program: a.Program, Members: a.Members, Ledger: a.Ledger, Audit: a.Audit, Under: a.learner.Under,
	}); err != nil {
		return err
	}
	a.Rules.UseTiers(a.Tiers)
	a.Ledger.Accompany(a.Rules)
	a.Plans, err = plan.New(ctx, plan.Options{
		DB: a.DB, Clock: a.Clock, Log: a.Log, Program: a.Program, Members: a.Members, Ledger: a.Ledger, Audit: a.Audit, Jobs: a.Jobs, Providers: o.Payments,
	})
	if err != nil {
		return fmt.Errorf("open the plans: %w", err)
	}
	a.Members.Register(a.Plans)
	a.Ledger.Accompany(a.Plans)
	a.Offers, err = offer.New(ctx, offer.Options{
		DB: a.DB, Clock: a.Clock, Log: a.Log, Program: a.Program, Members: a.Members, Ledger: a.Ledger, Audit: a.Audit, Approvals: a.Approvals,
		Events: a.Events, Jobs: a.Jobs,
	})
	if err != nil {
		return fmt.Errorf("open the offers: %w", err)
	}
	a.Ledger.Accompany(a.Offers.Companion())
	a.Ledger.Accompany(quota.Companion())
	a.Coupons, err = coupon.New(ctx, coupon.Options{
		DB: a.DB, Clock: a.Clock, Log: a.Log, Program: a.Program, Members: a.Members, Ledger: a.Ledger, Audit: a.Audit, Events: a.Events, Jobs: a.Jobs,
	})
	if err != nil {
		return fmt.Errorf("open the coupons: %w", err)
	}
	a.Prices, err = price.New(ctx, price.Options{
		DB: a.DB, Clock: a.Clock, Log: a.Log, Program: a.Program, Ledger: a.Ledger, Catalog: a.Catalog, Tiers: a.Tiers, Plans: a.Plans, Audit: a.Audit,
	})
	if err != nil {
		return fmt.Errorf("open the prices: %w", err)
	}
	a.Rewards, err = reward.New(ctx, reward.Options{
		DB: a.DB, Box: a.Box, Clock: a.Clock, Log: a.Log, Program: a.Program, Members: a.Members, Ledger: a.Ledger, Audit: a.Audit, Jobs: a.Jobs, Vouchers: rewardVouchers{a.Coupons},
	})
	if err != nil {
		return fmt.Errorf("open the rewards: %w", err)
	}
	if a.Draws, err = draw.New(ctx, draw.Options{
		DB: a.DB, Box: a.Box, Clock: a.Clock, Log: a.Log, Program: a.Program, Members: a.Members, Ledger: a.Ledger, Audit: a.Audit,
		Vouchers: vouchers{a.Coupons},
	}); err != nil {
		return fmt.Errorf("open the draws: %w", err)
	}
	a.Ledger.Accompany(a.Draws.Companion())
	a.Sales = sale.NewService(sale.Options{
		DB: a.DB, Clock: a.Clock, Log: a.Log, Program: a.Program, Members: a.Members, Engine: a.Ledger.Engine(), Audit: a.Audit, Catalog: a.learner,
		Steps: []sale.Step{till.Pricing(a.Prices, a.Coupons), a.Rules, a.Tiers.Benefit(), a.Plans.Step(), a.Offers.Step(), a.Coupons.Step(), a.Tiers.Step()},
	})
	a.Rules.Use(a.Sales)
	a.Coupons.Use(a.Sales)
	a.Prices.Use(a.Sales)
	a.Rules.Register(a.Jobs, a.Events)
	a.Track = track.New(track.Options{
		Program: a.Program, Members: a.Members, Engine: a.Ledger.Engine(), Clock: a.Clock, Givers: []track.Giver{rulesOnEvents{a.Rules}}, Told: a.Offers.Told,
	})
	if err := a.openPortal(o); err != nil {
		return err
	}
	a.Stash = stash.New(a.DB, a.Box, a.Clock)
	a.Stash.RegisterJobs(a.Jobs)
	a.Exports = export.New(export.Options{
		DB: a.DB, Clock: a.Clock, Log: a.Log, Program: a.Program, Members: a.Members, Ledger: a.Ledger, Catalog: a.Catalog,
		Sales: a.Sales, Audit: a.Audit, Jobs: a.Jobs, Stash: a.Stash,
	})
	a.Imports = intake.New(intake.Options{
		DB: a.DB, Clock: a.Clock, Log: a.Log, Program: a.Program, Audit: a.Audit, Jobs: a.Jobs, Stash: a.Stash, Dir: o.Config.DataDir,
		Sink: func(t intake.Target) connect.Sink {
			return &Sink{App: a, Source: t.Source, CreateMembers: t.CreateMembers, History: t.History, Rates: t.Rates}
		},
	})
	a.Till = till.New(till.Options{DB: a.DB, Clock: a.Clock, Program: a.Program, Sales: a.Sales, Ledger: a.Ledger, Prices: a.Prices, Coupons: a.Coupons, Members: a.Members, Audit: a.Audit, Box: a.Box})
	a.Till.Register(a.Jobs)
	a.Desk = desk.New(a.DB, a.Clock, a.Audit)
	a.backups = newBackups(a, o)
	a.Insight = insight.New(insight.Options{
		DB: a.DB, Clock: a.Clock, Log: a.Log, Program: a.Program, Approvals: a.Approvals, Members: a.Members, Ledger: a.Ledger,
		Catalog: a.Catalog, Sales: a.Sales, Events: a.Events, Jobs: a.Jobs, LastBackup: a.backups.newest,
	})
	// What others name comes first.
	groups, rules := a.Rules.InCode()
	badges, offers := a.Offers.InCode()
	a.Code = code.New(a.DB, a.Audit, a.Ledger.Part(), code.Earning(a.Program), a.Tiers.InCode(), groups, rules, badges, offers, a.Coupons.InCode(), a.Rewards.InCode(), a.Plans.Part(), a.Prices.InCode())
	if err := a.route(o); err != nil {
		return err
	}
	for _, p := range []privacy.Part{privacy.Kept{DB: a.DB, API: a.API}, a.Ledger, a.Sales, a.Tiers.Part(), a.Plans, a.Offers, a.Coupons, a.Rewards, a.Draws, a.Portal} {
		a.Privacy.Register(p)
	}
	a.Privacy.Seals(a.API)
	a.Privacy.Seals(a.Stash)
	a.Privacy.Seals(a.Rewards)
	a.Privacy.Seals(a.Draws)
	a.Privacy.Seals(a.Till)
	if o.Name == "" {
		a.test = &testHalf{live: a, config: o.Config}
		a.Privacy.Seals(a.test)
	}
	a.Jobs.Register(purgeKind, func(ctx context.Context, _ *job.Run) error {
		now := a.Clock.Now() // a day's turn is its number: the job has nothing to remember
		_, err := a.API.Purge(ctx, now.Add(-purgeAfter), int(now.Unix()/(24*60*60)))
		return err
	})
	zone := func() *time.Location { return a.Program.Snapshot().Zone }
	a.Jobs.Every(job.Daily(4, 0, zone), job.New{Kind: purgeKind})
	a.watchStorage()
	return nil
}

// route makes the API: every noun adds its own.
func (a *App) route(o Options) error {
	if a.auth = o.Auth; a.auth == nil {
		a.auth = liveAuth{a.Staff}
	}
	a.API = api.New(api.Config{
		DB: a.DB, Clock: a.Clock, Auth: a.auth, Members: a.Portal, Log: a.Log, Title: "Patron", Version: Version,
		DefaultLanguage: o.Config.DefaultLanguage, Vault: a.Box, Whose: member.Mentioned, Observe: a.metrics.observe, Trace: a.trace, Rooms: rooms(a.DB),
		Proxies: o.Config.TrustedProxy,
	})
	for _, noun := range []interface{ Routes(*api.Router) }{
		a.Program, a.Staff, a.Approvals, a.Members, a.Privacy, a.Ledger, a.Catalog, a.Sales, a.Plans, a.Code, a.Rules, a.Tiers, a.Offers, a.Coupons, a.Prices, a.Rewards, a.Draws, a.Track, a.Insight, a.Portal, a.Exports, a.Imports, a.Till, a.Desk, a.Events, a.Jobs,
	} {
		noun.Routes(a.API)
	}
	a.systemRoutes()
	a.verifyRoutes()
	a.backups.routes()
	a.probes()
	a.expose()
	return a.faces(o)
}

// rooms are the bounds of classes that differ from those of the API. PostgreSQL reads on
// more connections than the embedded database; half of them are left to the others.
func rooms(d *db.DB) map[api.Class]api.Room {
	if d.Engine() != db.Postgres {
		return nil
	}
	lists := 2 * runtime.GOMAXPROCS(0)
	return map[api.Class]api.Room{api.Browsing: {Places: lists, Waiting: 128, Patience: 5 * time.Second}}
}

// Start runs what works in the background: handing on events, jobs, keeping what is held
// in memory fresh, and reading the database through once, so that the first sales do not
// wait for the disk. Close ends it.
func (a *App) Start(ctx context.Context) {
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.stop = stop
	a.running.Go(func() { a.Events.Run(run) })
	a.running.Go(func() { a.Program.Run(run, a.Log) })
	a.running.Go(func() { a.Staff.Run(run) })
	a.running.Go(func() { a.Audit.Run(run, a.Log) })
	a.running.Go(func() { a.Members.Run(run, a.Log) })
	a.running.Go(func() { a.Catalog.Run(run, a.Log) })
	a.running.Go(func() { a.Plans.Run(run) })
	a.running.Go(func() { a.Rules.Run(run) })
	a.running.Go(func() { a.Tiers.Run(run, a.Log) })
	a.running.Go(func() { a.Offers.Run(run) })
	a.running.Go(func() { a.Coupons.Run(run) })
	a.running.Go(func() { a.Prices.Run(run) })
	a.running.Go(func() { a.Rewards.Run(run) })
	a.running.Go(func() { a.Draws.Run(run) })
	a.running.Go(func() { a.learner.run(run) })
	a.running.Go(func() { a.watchClock(run) })
	a.running.Go(func() { a.rest(run) })
	a.running.Go(func() {
		if err := a.DB.Warm(run); err != nil && run.Err() == nil {
			a.Log.Warn("the database could not be read through; the first sales may be slow", "error", err)
		}
	})
	a.backups.ready()
	a.Jobs.Start()
}

// Handler is the API.
func (a *App) Handler() http.Handler { return a.API.Handler() }

// Close lets what has begun finish and closes the database.
func (a *App) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	err := a.Jobs.Stop(ctx)
	if a.test != nil {
		err = errors.Join(err, a.test.close())
	}
	a.Ledger.Close()
	a.stop()
	a.running.Wait()
	a.trace.Close()
	if a.DB.Failure() == nil { // a tool has no Run, and what this process wrote last should not wait for the next
		err = errors.Join(err, a.Audit.Chain(ctx))
	}
	return errors.Join(err, a.DB.Close())
}
