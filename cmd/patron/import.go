package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/connect"
	"github.com/patron-loyalty/patron/internal/connect/file"
	"github.com/patron-loyalty/patron/internal/staff"
)

type importCmd struct {
	Kind          string   `arg:"" enum:"members,sales,events,balances,products" help:"members, sales, events, balances or products."`
	Files         []string `arg:"" help:"CSV (.gz too) or Excel."`
	Map           string   `help:"Which column is which field; what is left out goes by the names of the columns." placeholder:"FIELD=COLUMN,…"`
	Source        string   `required:"" help:"Where the data comes from: part of every document number and external id."`
	CreateMembers bool     `help:"Make members who are met for the first time."`
	Currency      string   `help:"Of all amounts; the programme's where absent." placeholder:"CNY"`
	Rate          []string `help:"What one unit of a currency is worth in the programme's." placeholder:"USD=7.1"`
	History       bool     `help:"The past comes in quietly: points as of then, no messages."`
	DocumentFrom  []string `help:"Fields that make a document together, where the file has no number." placeholder:"member,at"`
	ReturnsPrefix string   `help:"Documents whose number begins with it are returns." placeholder:"C"`
	DateOrder     string   `enum:",dmy,mdy" default:"" help:"How dates such as 3/4/2026 are to be read: dmy or mdy." placeholder:"dmy|mdy"`
	Sheet         string   `help:"Of an Excel file; the first where absent."`
	DryRun        bool     `help:"Read and check everything, write nothing."`
	Errors        string   `help:"Where rows that are not taken go, with their reasons." placeholder:"FILE"`
	JSON          bool     `name:"json" help:"End with the counts as JSON."`
}

func (c *importCmd) Run(e *env) error {
	return e.withApp(func(a *app.App) error {
		options, sink, err := c.prepare(e, a)
		if err != nil {
			return err
		}
		var refused *os.File
		if c.Errors != "" {
			if refused, err = os.OpenFile(e.path(c.Errors), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600); err != nil {
				return err
			}
			options.Errors = file.NewRefused(refused, e.language())
		}
		var total connect.Report
		for _, name := range c.Files {
			var ierr error
			var done func()
			if options.Path, done, ierr = e.readable(name); ierr != nil {
				err = ierr
				break
			}
			r, ierr := connect.Import(staff.AsSystem(e.ctx, "import"), sink, options)
			done()
			total.Add(r)
			if ierr != nil {
				err = fmt.Errorf("%s: %w", name, ierr)
				break
			}
		}
		if refused != nil {
			err = errors.Join(err, refused.Close())
		}
		return errors.Join(c.say(e, total), err)
	})
}

// readable is a name under which this process can read a file of the caller's: standard
// input of a command that runs inside a server comes over the socket, and is written down
// first. Call done when it has been read.
func (e *env) readable(name string) (path string, done func(), err error) {
	if name != "-" || e.app == nil {
		return e.path(name), func() {}, nil
	}
	f, err := os.CreateTemp("", "patron-import-")
	if err != nil {
		return "", nil, err
	}
	done = func() { _ = os.Remove(f.Name()) }
	if _, err := io.Copy(f, e.stdin); err != nil {
		done()
		return "", nil, errors.Join(err, f.Close())
	}
	return f.Name(), done, f.Close()
}

func (c *importCmd) prepare(e *env, a *app.App) (connect.Options, *app.Sink, error) {
	snap := a.Program.Snapshot()
	currency := c.Currency
	if currency == "" {
		currency = snap.Settings.Currency
	}
	rates, err := c.rates()
	options := connect.Options{
		Kind: file.Kind(c.Kind), Map: c.Map, Source: c.Source, Currency: currency, Location: snap.Zone, DryRun: c.DryRun,
		Alone: e.app == nil,
		Order: file.DateOrder(c.DateOrder),
		File:  file.Options{Sheet: c.Sheet},
		Sales: file.SalesOptions{From: c.DocumentFrom, ReturnsPrefix: c.ReturnsPrefix},
		Show:  func(label string, m connect.Measure) func() { return file.ShowProgress(e.stderr, label, m).Stop },
	}
	return options, &app.Sink{App: a, Source: c.Source, CreateMembers: c.CreateMembers, History: c.History, Rates: rates}, err
}

func (c *importCmd) rates() (map[string]int64, error) {
	texts := map[string]string{}
	for _, r := range c.Rate {
		code, text, ok := strings.Cut(r, "=")
		if !ok {
			return nil, connect.ErrRate
		}
		texts[code] = text
	}
	return connect.ParseRates(texts)
}

// say prints the counts.
func (c *importCmd) say(e *env, r connect.Report) error {
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(r)
	}
	_, err := fmt.Fprintf(e.stdout, "%d lines: %d taken, %d parked, %d refused, %d repeated (%d sales, %d returns, %d members made)\n",
		r.Lines, r.Taken, r.Parked, r.Refused, r.Repeated, r.Sales, r.Returns, r.MembersCreated)
	return err
}
