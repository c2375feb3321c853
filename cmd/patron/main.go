// Command patron is the whole program: server, tools, load generator.
//
// Tools work on the database directly, or, where a server of the embedded database has it,
// inside that server: see remote.go. Exit status 1 is a failure said in one line, 2 wrong
// usage.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
)

// commands are what the first word may be.
type commands struct {
	Config      string `help:"YAML file with settings of this page." placeholder:"FILE"`
	DataDir     string `help:"Folder of the embedded database, the keys and the socket. Default ./patron-data." placeholder:"DIR"`
	DatabaseURL string `help:"PostgreSQL instead of the embedded database: postgres://…" placeholder:"URL"`
	LogLevel    string `help:"debug, info, warn or error." placeholder:"LEVEL"`

	Serve   serveCmd     `cmd:"" help:"Serve the API."`
	Demo    demoCmd      `cmd:"" help:"Fill an empty database with a believable shop, in both languages."`
	Import  importCmd    `cmd:"" help:"Import members, sales, events, balances or products from CSV or Excel files."`
	Export  exportCmd    `cmd:"" help:"Export members, sales or entries to standard output."`
	Key     keyCmd       `cmd:"" help:"API keys."`
	Staff   staffCmd     `cmd:"" help:"Accounts of staff."`
	Program programmeCmd `cmd:"" name:"programme" help:"The programme as one YAML file."`
	Verify  verifyCmd    `cmd:"" help:"Recompute every invariant of the ledger."`
	Draw    drawCmd      `cmd:"" help:"Draws whose outcomes anybody can work out again."`
	Report  reportCmd    `cmd:"" help:"Print a report of the console."`
	Bench   benchCmd     `cmd:"" help:"Measure a running server with durable requests."`
	TillSim tillSimCmd   `cmd:"" name:"till-sim" help:"Drive a till against a running server through all that goes wrong, and say which promises it keeps."`
	Backup  backupCmd    `cmd:"" help:"Write an encrypted backup to a new file, and verify it, while everything goes on."`
	Restore restoreCmd   `cmd:"" help:"Check a backup, and put it in the place of the database."`
	Migrate migrateCmd   `cmd:"" help:"Bring the database to this version's schema."`
	OpenAPI openapiCmd   `cmd:"" name:"openapi" help:"Print the OpenAPI file."`
	TLS     tlsCmd       `cmd:"" name:"tls" help:"The local authority that --tls-local uses."`
	Health  healthCmd    `cmd:"" help:"Ask a running server whether it is ready."`
	Version versionCmd   `cmd:"" help:"Print the version."`
}

func main() {
	ctx := untilSignal()
	here := &env{ctx: ctx, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, vars: os.Environ(), exit: os.Exit}
	here.dir, _ = os.Getwd() // "" leaves relative paths as they are
	os.Exit(run(here, os.Args[1:]))
}

// untilSignal returns a context that ends at the first signal to stop. The second ends the
// process at once, with the status that shells know it by.
func untilSignal() context.Context {
	ctx, stop := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() { // lives as long as the process
		<-signals
		stop()
		if s, ok := (<-signals).(syscall.Signal); ok {
			os.Exit(128 + int(s))
		}
	}()
	return ctx
}

// env is what a command has around it: its own process, or that of a client whose command
// runs inside a server.
type env struct {
	ctx            context.Context
	stdin          io.Reader
	stdout, stderr io.Writer
	vars           []string
	dir            string // where relative paths begin
	exit           func(int)
	app            *app.App // of the server that the command runs in; nil in a process of its own
	args           []string
	config         config.Config
}

// run parses the words of a command and does it.
func run(e *env, args []string) int {
	var c commands
	e.args = args
	parser, err := kong.New(&c, kong.Name("patron"), kong.Description("Customer loyalty for your own machine. 常客：自行部署的会员忠诚度系统。"),
		kong.Writers(e.stdout, e.stderr), kong.Exit(e.exit), kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		panic(err) // the table above is wrong
	}
	k, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(e.stderr, "patron: %v\n", err)
		return 2
	}
	if e.config, err = config.Load(e.path(c.Config), e.vars, c.flags(e)); err != nil {
		return e.fail(err)
	}
	if e.app == nil {
		e.log()
	}
	if err := k.Run(e); err != nil {
		return e.fail(err)
	}
	return 0
}

// flags are the settings that were given as flags.
func (c *commands) flags(e *env) map[string]string {
	out := map[string]string{}
	local := ""
	if c.Serve.TLSLocal {
		local = "true"
	}
	for name, value := range map[string]string{
		"data_dir": e.path(c.DataDir), "database_url": c.DatabaseURL, "log_level": c.LogLevel, "listen": c.Serve.Listen,
		"tls_cert": e.path(c.Serve.TLSCert), "tls_key": e.path(c.Serve.TLSKey), "acme_domain": c.Serve.ACMEDomain, "acme_email": c.Serve.ACMEEmail,
		"acme_ca": c.Serve.ACMECA, "acme_root": c.Serve.ACMERoot, "tls_local": local, "tls_names": c.Serve.TLSNames,
		"http_listen": c.Serve.HTTPListen, "trusted_proxy": c.Serve.TrustedProxy,
	} {
		if value != "" {
			out[name] = value
		}
	}
	return out
}

// log sends the program's log to standard error.
func (e *env) log() {
	var level slog.Level
	_ = level.UnmarshalText([]byte(e.config.LogLevel)) // the configuration has checked it
	o := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(e.stderr, o)
	if e.config.LogFormat == "json" {
		h = slog.NewJSONHandler(e.stderr, o)
	}
	slog.SetDefault(slog.New(h))
}

// errQuiet ends a command that has said what is wrong already.
var errQuiet = errors.New("said already")

// fail says in one line, in the language of the terminal, why a command failed.
func (e *env) fail(err error) int {
	if errors.Is(err, errQuiet) {
		return 1
	}
	if refused := errs.As(plain(err)); refused != nil {
		fmt.Fprintln(e.stderr, "patron: "+refused.Text(e.language()))
		for _, f := range refused.Fields {
			fmt.Fprintln(e.stderr, "  "+f.Location+": "+i18n.Pick(e.language(), f.EN, f.ZH))
		}
		if refused.Kind == errs.Internal {
			fmt.Fprintln(e.stderr, "  "+err.Error())
		}
		return 1
	}
	fmt.Fprintln(e.stderr, "patron: "+err.Error())
	return 1
}

// What callers of the API are told of a database that fails says nothing to whoever starts
// a command.
var (
	errDisk = errs.New(errs.Unavailable, "tool.disk",
		"The disk of the data directory is full or fails ({cause}). Make room or mend it and start again: nothing that was confirmed is lost.",
		"数据目录所在磁盘已满或发生故障（{cause}）。请释放空间或修复后重新启动；已确认的数据不会丢失。")
	errReach = errs.New(errs.Unavailable, "tool.database",
		"The database does not answer ({cause}).", "数据库没有应答（{cause}）。")
)

// plain says of a database that fails what an operator can do about it.
func plain(err error) error {
	out := errDisk
	switch {
	case errors.Is(err, db.ErrStorage):
	case errors.Is(err, db.ErrBusy):
		out = errReach
	default:
		return err
	}
	cause := errs.As(err).Unwrap()
	if cause == nil {
		return err
	}
	return out.With("cause", strings.Join(strings.Fields(cause.Error()), " ")).Because(err)
}

// language is that of the terminal: LC_ALL, LC_MESSAGES or LANG.
func (e *env) language() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		for _, v := range e.vars {
			if len(v) > len(name)+1 && v[:len(name)+1] == name+"=" {
				return i18n.Negotiate(v[len(name)+1:], "en")
			}
		}
	}
	return "en"
}

// path is a file name of the caller's. No field of commands has type:"path": that would
// begin where this process is, which may be the server.
func (e *env) path(name string) string {
	if name == "" || name == "-" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(e.dir, name)
}

// withApp does something with the program on the database. Where a server holds the
// embedded database, the whole command runs there instead.
func (e *env) withApp(do func(*app.App) error) error {
	if e.app != nil {
		return do(e.app)
	}
	a, err := app.Open(e.ctx, app.Options{Config: e.config})
	if errors.Is(err, db.ErrLocked) {
		return e.remote()
	}
	if err != nil {
		return err
	}
	return errors.Join(do(a), a.Close())
}
