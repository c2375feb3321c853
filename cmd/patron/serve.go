package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"strings"

	"github.com/patron-loyalty/patron/internal/app"
)

// How the heap of a server is cleaned. What a sale leaves behind is small and short-lived,
// and cleaning after every few megabytes was an eighth of the work; so the heap may grow to
// nine times what is in use, and from heapLimit on it is kept as small as can be. A server
// that rests stays small: it grows with what it is given to do.
const (
	gcPercent = 800
	heapLimit = 512 << 20
)

type serveCmd struct {
	Listen string `help:"Address to listen on. Default 127.0.0.1:8080." placeholder:"HOST:PORT"`
}

// Run serves until it is told to stop, or until the storage fails: then nothing is certain
// but what was confirmed, and a restart finds out the rest.
func (c *serveCmd) Run(e *env) error {
	if e.app != nil {
		return errors.New("a server runs already")
	}
	a, err := app.Open(e.ctx, app.Options{Config: e.config})
	if err != nil {
		return err
	}
	debug.SetGCPercent(gcPercent)
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(heapLimit)
	}
	a.Start(e.ctx)
	return errors.Join(c.serve(e, a), a.Close())
}

func (c *serveCmd) serve(e *env, a *app.App) error {
	listener, err := net.Listen("tcp", e.config.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", e.config.Listen, err)
	}
	tools, err := serveTools(e, a)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer tools()
	if e.config.DebugListen != "" {
		stop, err := app.Debug(e.config.DebugListen)
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		defer stop()
	}
	if err := greet(e, a, "http://"+listener.Addr().String()); err != nil { // last: who reads it may call
		return errors.Join(err, listener.Close())
	}
	sandbox := app.NewSandbox(a)
	defer sandbox.Close()
	return a.Serve(e.ctx, listener, sandbox.Handler())
}

// greet says where to look, and how the first owner signs in.
func greet(e *env, a *app.App, origin string) error {
	fmt.Fprintf(e.stdout, "Patron 常客 %s\n  API reference 接口文档  %s/docs\n", app.Version, origin)
	link, err := a.Staff.OwnerLink(e.ctx, origin)
	if err != nil {
		return err
	}
	if link != "" {
		fmt.Fprintf(e.stdout, "  First owner, once, within 24 h 首位所有者（一次性，24 小时内有效）\n    %s\n", link)
	}
	if phone, ok := strings.CutPrefix(a.Program.Snapshot().Settings.Demo, "phone:"); ok {
		fmt.Fprintf(e.stdout, "  Demonstration: member portal 演示会员门户  %s/portal, phone 手机号 %s, code 验证码 %s/portal/inbox\n", origin, phone, origin)
	}
	fmt.Fprintf(e.stdout, "  An API key, from another window 在另一窗口创建 API 密钥\n    patron key create --name me --scopes all --data-dir %s\n", e.config.DataDir)
	return nil
}
