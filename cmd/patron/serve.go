package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"

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
	Listen       string `help:"Address to listen on. Default 127.0.0.1:8080." placeholder:"HOST:PORT"`
	TLSCert      string `help:"Certificate with its chain, as PEM; read again when it changes." placeholder:"FILE" type:"path"`
	TLSKey       string `help:"Key of that certificate." placeholder:"FILE" type:"path"`
	ACMEDomain   string `help:"Names to fetch certificates for, from Let's Encrypt or --acme-ca." placeholder:"NAME,…"`
	ACMEEmail    string `help:"Where that authority writes to." placeholder:"E-MAIL"`
	ACMECA       string `name:"acme-ca" help:"Directory of another authority that speaks ACME." placeholder:"URL"`
	ACMERoot     string `help:"Root certificate that this authority is known by." placeholder:"FILE" type:"path"`
	TLSLocal     bool   `help:"Certificates of an authority of its own, for a shop's network: see patron tls show."`
	TLSNames     string `help:"Names and addresses in them besides the machine's." placeholder:"NAME,…"`
	HTTPListen   string `help:"Address of plain HTTP beside TLS, which leads there; off for none." placeholder:"HOST:PORT"`
	TrustedProxy string `help:"Networks of proxies whose X-Forwarded-For and -Proto are believed." placeholder:"NETWORK,…"`
}

// Run serves until it is told to stop, or until the storage fails: then nothing is certain
// but what was confirmed, and a restart finds out the rest.
func (c *serveCmd) Run(e *env) error {
	if e.app != nil {
		return errors.New("a server runs already")
	}
	if err := app.CheckFront(e.config); err != nil {
		return err
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
	front, err := app.NewFront(e.config, a.Clock, a.Log)
	if err != nil {
		return err
	}
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
	beside, err := serveFront(e, a, front)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer beside()
	if err := greet(e, a, front, front.Origin(listener.Addr())); err != nil { // last: who reads it may call
		return errors.Join(err, listener.Close())
	}
	sandbox := app.NewSandbox(a)
	defer sandbox.Close()
	return a.Serve(e.ctx, listener, front.TLS(), front.Wrap(sandbox.Handler()))
}

// serveFront runs what goes on beside the server: plain HTTP that leads to TLS, and the
// watch over certificates, which SIGHUP has read again. The returned function ends both.
func serveFront(e *env, a *app.App, front *app.Front) (stop func(), err error) {
	ctx, cancel := context.WithCancel(e.ctx)
	var running sync.WaitGroup
	if address := front.HTTPListen(); address != "" {
		plain, err := net.Listen("tcp", address)
		if err != nil {
			cancel()
			return nil, fmt.Errorf("listen on %s for plain HTTP: %w", address, err)
		}
		running.Go(func() {
			if err := front.ServePlain(ctx, plain); err != nil {
				a.Log.Error("plain HTTP ended", "error", err)
			}
		})
	}
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP) // also where nothing is read anew: it must not end the server
	running.Go(func() {
		if err := front.Run(ctx, again); err != nil {
			a.Log.Error("certificates are not renewed", "error", err)
		}
	})
	return func() { signal.Stop(again); cancel(); running.Wait() }, nil
}

// greet says where to look, and how the first owner signs in.
func greet(e *env, a *app.App, front *app.Front, origin string) error {
	fmt.Fprintf(e.stdout, "Patron 常客 %s\n  API reference 接口文档  %s/docs\n", app.Version, origin)
	if url := front.TrustURL(); url != "" {
		fmt.Fprintf(e.stdout, "  Let tablets trust it: scan the code of `patron tls show` 让设备信任本机\n    %s\n", url)
	}
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
