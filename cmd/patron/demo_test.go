package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// The demo lives through the past, which a server that shows the present cannot.
func TestDemoBesideServer(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		var stdout, stderr bytes.Buffer
		e := &env{ctx: a.Context(), stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, exit: func(int) {}, app: a.App}
		if code := run(e, []string{"demo"}); code != 1 || !strings.Contains(stderr.String(), errServing.Text("en")) {
			t.Errorf("exit %d: %s", code, stderr.String())
		}
		if stdout.Len() > 0 {
			t.Errorf("it printed %q", stdout.String())
		}
	})
}
