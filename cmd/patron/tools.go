package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/staff"
)

type keyCmd struct {
	Create     keyCreateCmd `cmd:"" help:"Make a key and print it, and nothing else, on standard output."`
	Backup     keyBackupCmd `cmd:"" help:"Print the secret that opens backups. Keep it on another machine."`
	RotateSeal rotateCmd    `cmd:"" help:"Make a new key for sealing personal data, and bring all of them under it in the background."`
}

type rotateCmd struct{}

// Run asks for the rotation. The jobs of a server do it: of the one that this command runs
// in, or of the next that starts.
func (c *rotateCmd) Run(e *env) error {
	return e.withApp(func(a *app.App) error {
		id, err := a.Privacy.Rotate(staff.AsSystem(e.ctx, "command line"))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "%s\nA server does the rest: GET /v1/jobs shows how far it is. 由服务器后台完成，进度见 GET /v1/jobs。\n", id)
		return err
	})
}

type keyCreateCmd struct {
	Name      string   `required:"" help:"What it is for."`
	Scopes    []string `required:"" help:"Permissions, or all." placeholder:"A,B|all"`
	Merchants []string `help:"Merchants it is limited to." placeholder:"CODE"`
	Stores    []string `help:"Stores it is limited to." placeholder:"CODE"`
	Networks  []string `help:"Addresses or networks it may be used from." placeholder:"NETWORK"`
	Test      bool     `help:"A key of the sandbox programme."`
}

func (c *keyCreateCmd) Run(e *env) error {
	return e.withApp(func(a *app.App) error {
		_, secret, err := a.Staff.CreateKey(staff.AsSystem(e.ctx, "command line"), staff.NewKey{
			Name: c.Name, Scopes: c.Scopes, Merchants: c.Merchants, Stores: c.Stores, Networks: c.Networks, Test: c.Test,
		})
		if err == nil {
			_, err = fmt.Fprintln(e.stdout, secret)
		}
		return err
	})
}

type staffCmd struct {
	Create staffCreateCmd `cmd:"" help:"Add an account. Asks for the password, or reads --password-file."`
}

type staffCreateCmd struct {
	Email        string `required:"" help:"What they sign in with."`
	Role         string `required:"" help:"owner, manager, cashier, agent, analyst, auditor or integrator."`
	Name         string `help:"Their name; the e-mail where absent."`
	PasswordFile string `help:"File with the password on its first line." placeholder:"FILE"`
}

func (c *staffCreateCmd) Run(e *env) error {
	return e.withApp(func(a *app.App) error {
		password, err := c.password(e)
		if err != nil {
			return err
		}
		name := c.Name
		if name == "" {
			name = c.Email
		}
		made, err := a.Staff.CreateStaff(staff.AsSystem(e.ctx, "command line"), staff.NewAccount{
			Email: c.Email, Name: name, Role: staff.Role(c.Role), Password: password,
		})
		if err == nil {
			_, err = fmt.Fprintln(e.stdout, made.PublicID())
		}
		return err
	})
}

// password reads the password: from the file, from the terminal without showing it, or
// from the first line of standard input.
func (c *staffCreateCmd) password(e *env) (string, error) {
	if c.PasswordFile != "" {
		b, err := os.ReadFile(e.path(c.PasswordFile))
		line, _, _ := strings.Cut(string(b), "\n")
		return strings.TrimSuffix(line, "\r"), err
	}
	if f, ok := e.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(e.stderr, "Password 密码: ")
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(e.stderr)
		return string(b), err
	}
	fmt.Fprintln(e.stderr, "Password 密码:")
	line, err := bufio.NewReader(e.stdin).ReadString('\n')
	if err != nil && line == "" {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

type verifyCmd struct {
	JSON      bool   `name:"json" help:"Print the findings as JSON."`
	AuditHead string `help:"Head of the audit trail's chain from an earlier verify: the trail up to there has to be the same." placeholder:"NUMBER:HASH"`
}

// errUnbalanced ends a verification that found something.
var errUnbalanced = errs.New(errs.Conflict, "verify.failed", "{n} invariants are broken; they are listed above. Nothing was changed.", "{n} 处账目不平，详见上文。数据没有改动。")

func (c *verifyCmd) Run(e *env) error {
	var kept *staff.Head
	if c.AuditHead != "" {
		head, err := staff.ParseHead(c.AuditHead)
		if err != nil {
			return err
		}
		kept = &head
	}
	return e.withApp(func(a *app.App) error {
		r, err := a.Verify(e.ctx, kept)
		if err != nil {
			return err
		}
		if c.JSON {
			out := json.NewEncoder(e.stdout)
			out.SetIndent("", "  ")
			err = out.Encode(r)
		} else {
			for _, f := range r.Findings {
				fmt.Fprintf(e.stdout, "%s %s: %s\n", f.Invariant, f.Where, i18n.Pick(e.language(), f.EN, f.ZH))
			}
			fmt.Fprintf(e.stdout, "audit head %s\n", r.AuditHead)
			_, err = fmt.Fprintf(e.stdout, "%d members, %d entries: %d findings\n", r.Members, r.Entries, len(r.Findings))
		}
		if len(r.Findings) > 0 {
			err = errors.Join(err, errUnbalanced.With("n", len(r.Findings)))
		}
		return err
	})
}

type reportCmd struct {
	Name  string   `arg:"" help:"Which report: dashboard or liability; or rebuild, which mends the sums by day that reports are made of."`
	Param []string `help:"A parameter of it." placeholder:"K=V"`
	JSON  bool     `name:"json" help:"Print JSON instead of a table."`
}

func (c *reportCmd) Run(e *env) error {
	return e.withApp(func(a *app.App) error {
		return a.Report(staff.AsSystem(e.ctx, "command line"), c.Name, c.Param, c.JSON, e.language(), e.stdout)
	})
}

type migrateCmd struct{}

func (c *migrateCmd) Run(e *env) error {
	return e.withApp(func(a *app.App) error { // opening it has done it
		_, err := fmt.Fprintln(e.stdout, "The database has this version's schema. 数据库结构已是当前版本。")
		return err
	})
}

type versionCmd struct{}

func (c *versionCmd) Run(e *env) error {
	_, err := fmt.Fprintln(e.stdout, "patron "+app.Version)
	return err
}

type openapiCmd struct{}

// Run prints what the routes say.
func (c *openapiCmd) Run(e *env) error {
	return e.withNone(func(a *app.App) ([]byte, error) { return a.API.OpenAPI(), nil })
}

// withNone prints what the program says of itself, built on a database that is thrown away.
func (e *env) withNone(text func(*app.App) ([]byte, error)) error {
	dir, err := os.MkdirTemp("", "patron-openapi-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	own := config.Defaults()
	own.DataDir = dir
	a, err := app.Open(context.WithoutCancel(e.ctx), app.Options{Config: own})
	if err != nil {
		return err
	}
	body, err := text(a)
	if err == nil {
		_, err = e.stdout.Write(body)
	}
	return errors.Join(err, a.Close())
}
