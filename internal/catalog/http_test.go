package catalog

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/staff"
)

// with signs in somebody who has these rights.
type with []api.Permission

func (w with) Authenticate(context.Context, *http.Request) (api.Caller, error) {
	c := api.Caller{Kind: "key", ID: "key_test", Can: map[api.Permission]bool{}}
	for _, p := range w {
		c.Can[p] = true
	}
	return c, nil
}

func TestRoutes(t *testing.T) {
	each(t, func(r rig) {
		ask := func(who with, method, path, body string) (int, string) {
			t.Helper()
			router := api.New(api.Config{DB: r.db, Clock: r.clock, Auth: who})
			r.Routes(router)
			req := httptest.NewRequest(method, path, strings.NewReader(body))
			req.Header.Set("Authorization", "Bearer x")
			req.Header.Set("Accept-Language", "en")
			if body != "" {
				req.Header.Set("Content-Type", "application/json")
			}
			rec := httptest.NewRecorder()
			router.Handler().ServeHTTP(rec, req)
			return rec.Code, rec.Body.String()
		}
		reader, writer := with{staff.ReadCatalog}, with{staff.ReadCatalog, staff.WriteCatalog}
		for _, tt := range []struct {
			method, path, body string
			status             int
			says               string
		}{
			{"POST", "/v1/categories", `{"slug":"tea","name_en":"Tea","name_zh":"茶"}`, 201, `"path":"tea"`},
			{"POST", "/v1/categories", `{"slug":"green","parent":"tea","name_zh":"绿茶"}`, 201, `"path":"tea/green"`},
			{"POST", "/v1/categories", `{"slug":"green","parent":"tea","name_zh":"绿茶"}`, 409, "catalog.path_taken"},
			{"POST", "/v1/categories", `{"slug":"Green","name_zh":"绿茶"}`, 422, "catalog.slug"},
			{"GET", "/v1/categories/tea%2Fgreen", "", 200, `"name_zh":"绿茶"`},
			{"GET", "/v1/categories?under=tea&limit=1", "", 200, `"next_cursor"`},
			{"GET", "/v1/categories?under=no", "", 404, "catalog.unknown_category"},
			{"PUT", "/v1/products/A%2F1", `{"name_en":"Long Jing","category":"tea/green","price":{"amount":1200,"currency":"CNY"}}`, 200, `"price":{"amount":1200,"currency":"CNY"}`},
			{"GET", "/v1/products/A%2F1", "", 200, `"sku":"A/1"`},
			{"PATCH", "/v1/products/A%2F1", `{"cost":{"amount":700,"currency":"CNY"},"active":false}`, 200, `"active":false`},
			{"PATCH", "/v1/products/A%2F1", `{"cost":{"amount":700,"currency":"USD"}}`, 422, "catalog.currencies"},
			{"PATCH", "/v1/products/A%2F1", `{"cost":{"amount":-1,"currency":"CNY"}}`, 422, "catalog.amount"},
			{"PATCH", "/v1/products/A%2F1", `{"name_en":""}`, 422, "catalog.name"},
			{"PATCH", "/v1/products/A%2F1", `{"category":""}`, 200, `"category":""`},
			{"PATCH", "/v1/products/none", `{"brand":"B"}`, 404, "catalog.unknown_product"},
			{"PUT", "/v1/products/B", `{"name_en":"B","cost":{"amount":1,"currency":"CNY"},"price":{"amount":1,"currency":"USD"}}`, 422, "catalog.currencies"},
			{"PUT", "/v1/products/B", `{"name_en":"B","price":{"amount":1,"currency":"ZZZ"}}`, 422, "money.currency"},
			{"PUT", "/v1/products/B", `{"name_en":"B","category":"no"}`, 404, "catalog.unknown_category"},
			{"PUT", "/v1/products/B", `{"name_en":"B","colour":"red"}`, 400, ""},
			{"PUT", "/v1/products/B", `{"name_en":"B"}`, 200, `"active":true`},
			{"GET", "/v1/products?limit=1", "", 200, `"next_cursor"`},
			{"GET", "/v1/products?q=LONG", "", 200, `"sku":"A/1"`},
			{"GET", "/v1/products?brand=none", "", 200, `"items":[]`},
			{"DELETE", "/v1/categories/tea", "", 409, "catalog.in_use"},
			{"DELETE", "/v1/categories/tea%2Fgreen", "", 204, ""},
		} {
			if tt.method != "GET" {
				if status, body := ask(reader, tt.method, tt.path, tt.body); status != 403 {
					t.Errorf("%s %s by a reader = %d %s", tt.method, tt.path, status, body)
				}
			}
			if status, body := ask(writer, tt.method, tt.path, tt.body); status != tt.status || !strings.Contains(body, tt.says) {
				t.Errorf("%s %s %s = %d %s, want %d with %s", tt.method, tt.path, tt.body, status, body, tt.status, tt.says)
			}
		}
		if status, _ := ask(with{}, "GET", "/v1/products", ""); status != 403 {
			t.Errorf("without a right = %d", status)
		}
	})
}
