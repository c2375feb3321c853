package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/api"
)

// gcPercent lets the heap of a server grow to four times what is in use before it is
// cleaned: what a sale leaves behind is small, and cleaning after every few megabytes was
// an eighth of the work.
const gcPercent = 300

// drainWithin is how long requests that have begun get to finish.
const drainWithin = 15 * time.Second

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
	a.Start(e.ctx)
	return errors.Join(c.serve(e, a), a.Close())
}

func (c *serveCmd) serve(e *env, a *app.App) error {
	listener, err := net.Listen("tcp", e.config.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", e.config.Listen, err)
	}
	origin := "http://" + listener.Addr().String()
	if err := greet(e, a, origin); err != nil {
		return errors.Join(err, listener.Close())
	}
	tools, err := serveTools(e, a)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer tools()
	sandbox := app.NewSandbox(a)
	defer sandbox.Close()
	server := api.Server("", sandbox.Handler())
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case <-e.ctx.Done():
		slog.Info("stopping: no new requests, the begun ones finish")
	case <-a.DB.Failed():
		err = fmt.Errorf("the storage failed; start again to go on: %w", a.DB.Failure())
	case err = <-failed:
	}
	drain, cancel := context.WithTimeout(context.Background(), drainWithin)
	defer cancel()
	if serr := server.Shutdown(drain); serr != nil && !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
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
	fmt.Fprintf(e.stdout, "  An API key, from another window 在另一窗口创建 API 密钥\n    patron key create --name me --scopes all --data-dir %s\n", e.config.DataDir)
	return nil
}
