package app_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// A test key writes to the sandbox and never to the live programme, however its scheme is
// spelt and even where a request reaches the live half directly.
func TestSandbox(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			o := dbtest.Options(t, e)
			c := config.Defaults()
			if c.DataDir, c.DatabaseURL = o.Dir, o.URL; c.DataDir == "" {
				c.DataDir = t.TempDir()
			}
			live, err := app.Open(t.Context(), app.Options{Config: c, Box: seal.Test()})
			if err != nil {
				t.Fatal(err)
			}
			pair := app.NewSandbox(live)
			t.Cleanup(func() {
				if err := pair.Close(); err != nil {
					t.Error(err)
				}
				if err := live.Close(); err != nil {
					t.Error(err)
				}
			})
			ctx := staff.AsSystem(t.Context(), "test")
			_, secret, err := live.Staff.CreateKey(ctx, staff.NewKey{Name: "till", Scopes: []string{"all"}, Test: true})
			if err != nil {
				t.Fatal(err)
			}
			join := func(h http.Handler, authorization string) int {
				r := httptest.NewRequest(http.MethodPost, "/v1/members", strings.NewReader(`{"phone": "13800138000"}`))
				r.Header.Set("Authorization", authorization)
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				return w.Code
			}
			if got := join(pair.Handler(), "Bearer "+secret); got != http.StatusCreated {
				t.Errorf("a test key gets %d", got)
			}
			if got := join(pair.Handler(), "bearer "+secret); got != http.StatusConflict && got != http.StatusUnauthorized {
				t.Errorf("with its scheme in small letters it gets %d; the sandbox has the member", got)
			}
			if got := join(live.Handler(), "Bearer "+secret); got != http.StatusUnauthorized {
				t.Errorf("the live half answers it %d", got)
			}
			if got := join(pair.Handler(), "Bearer pk_test_nobody"); got != http.StatusUnauthorized {
				t.Errorf("a stranger's test key gets %d", got)
			}
			ref, err := member.RefTo(member.KindPhone, "13800138000")
			if err != nil {
				t.Fatal(err)
			}
			if found, err := live.Members.FindMany(ctx, []member.Ref{ref}); err != nil || found[0] != 0 {
				t.Errorf("the live programme has the member: %v, %v", found, err)
			}
		})
	}
}
