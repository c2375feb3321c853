//go:build torture

package torture

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/soak"
)

// scarce is something of which there is only so much, and a request for one of it.
type scarce struct {
	name string
	most int
	ask  func(member string, n int) (path string, body j)
	got  func(answer) bool // whether a granted request got one
}

// L6: two servers share what there is only so much of. Of 64 who want it at once, through either
// and while one of them dies, as many get it as there are, and the same request asked of the
// other server has the same answer.
func TestTwoServersLimits(t *testing.T) {
	t.Parallel()
	const many = 64
	for round := range soak.Count("TORTURE_LIMITS", 1) {
		places := [2]place{newPlace(t, db.Postgres)}
		places[1] = places[0]
		places[1].dir = write(t, map[string][]byte{"patron.keys": read(t, places[0].dir)["patron.keys"]})
		servers := [2]*server{places[0].start(t)}
		w := newTill(t, servers[0].client)
		members := make([]string, many)
		for i := range members {
			var made struct{ ID string }
			w.ask(http.MethodPost, "/v1/members", fmt.Sprint("m-", i), j{"external_id": fmt.Sprint("limit/", i)}, &made)
			w.ask(http.MethodPost, "/v1/members/"+made.ID+"/earnings", fmt.Sprint("e-", i), j{"currency": "points", "amount": given, "reason": "torture", "source": "torture", "document": fmt.Sprint("l", i)}, nil)
			members[i] = made.ID
		}
		list := w.scarce(members[0])
		servers[1] = places[1].start(t)

		type sent struct {
			path, key string
			body      []byte
			answer    answer
		}
		asked := make([][]sent, len(list))
		var all sync.WaitGroup
		for k, s := range list {
			asked[k] = make([]sent, many)
			for i := range many {
				path, body := s.ask(members[i], i)
				q := &asked[k][i]
				*q = sent{path: path, key: fmt.Sprint(s.name, "-", i), body: must(body)}
				all.Go(func() { q.answer = askEither(servers, i%2, q.path, q.key, q.body) })
			}
		}
		time.Sleep(150 * time.Millisecond)
		servers[1].kill()
		all.Wait()
		servers[1] = places[1].start(t)
		for k, s := range list {
			granted := 0
			for _, q := range asked[k] {
				again, err := servers[1].ask(http.MethodPost, q.path, q.key, q.body)
				if err != nil || again.status != q.answer.status || string(again.body) != string(q.answer.body) {
					t.Errorf("%s %s: answered %d %s, by the other %v %d %s", s.name, q.key, q.answer.status, q.answer.body, err, again.status, again.body)
				}
				switch {
				case q.answer.status/100 == 2 && (s.got == nil || s.got(q.answer)):
					granted++
				case q.answer.status/100 != 2 && q.answer.status != http.StatusConflict:
					t.Errorf("%s %s: %d %s", s.name, q.key, q.answer.status, q.answer.body)
				}
			}
			if granted != s.most {
				t.Errorf("%s: %d of %d were given; one answer: %s", s.name, granted, s.most, asked[k][0].answer.body)
			}
		}
		for _, s := range servers {
			s.stop(t)
		}
		places[0].verify(t)
		t.Logf("round %d: %d requests for %d scarce things", round+1, many*len(list), len(list))
	}
}

// askEither asks one server, and the other when that does not answer.
func askEither(servers [2]*server, first int, path, key string, body []byte) (a answer) {
	for try := range 200 {
		var err error
		if a, err = servers[(first+try)%2].ask(http.MethodPost, path, key, body); err == nil && a.status != http.StatusServiceUnavailable {
			return a
		}
		time.Sleep(20 * time.Millisecond)
	}
	return a
}

// scarce makes everything of which there is only so much: somebody's for whom one member asks.
func (w *till) scarce(somebody string) []scarce {
	coupon := func(code string, limits j) {
		var made struct{ ID string }
		w.ask(http.MethodPost, "/v1/coupons", code, j{"code": code, "name_en": code, "name_zh": code, "shared_code": "CODE" + strings.ToUpper(code), "effect": j{"kind": "amount", "amount": 100}, "limits": limits}, &made)
		w.ask(http.MethodPost, "/v1/coupons/"+made.ID+"/publish", "publish-"+code, j{}, nil)
	}
	sale := func(code string, own bool) func(string, int) (string, j) {
		return func(member string, n int) (string, j) {
			if !own {
				member = somebody
			}
			return "/v1/sales", j{"member": member, "source": "till", "document": fmt.Sprint(code, "-", n), "at": time.Now().Format(time.RFC3339), "currency": "CNY", "total": 1000,
				"lines": []j{{"line": 1, "sku": "tea", "quantity": 1, "amount": 1000}}, "coupons": []string{code}}
		}
	}
	coupon("uses", j{"uses": 20})
	coupon("each", j{"uses_per_member": 3})
	coupon("budget", j{"budget": 1050})
	var voucher struct{ ID, Code string }
	w.ask(http.MethodPost, "/v1/coupons", "once", j{"code": "once", "name_en": "Once", "name_zh": "一次", "effect": j{"kind": "amount", "amount": 100}}, &voucher)
	once := voucher.ID
	w.ask(http.MethodPost, "/v1/coupons/"+once+"/publish", "publish-once", j{}, nil)
	w.ask(http.MethodPost, "/v1/coupons/"+once+"/vouchers", "voucher", j{"member": somebody}, &voucher)

	var made struct{ ID string }
	w.ask(http.MethodPost, "/v1/rewards", "reward", j{"code": "tin", "name_en": "Tin", "name_zh": "茶叶罐", "kind": "goods", "stock": "common", "prices": []j{{"currency": "points", "points": 10}}}, &made)
	w.ask(http.MethodPost, "/v1/rewards/"+made.ID+"/stock", "stock", j{"add": 10}, nil)
	w.ask(http.MethodPost, "/v1/rewards/"+made.ID+"/publish", "publish-reward", j{}, nil)
	reward := made.ID
	w.ask(http.MethodPost, "/v1/draws", "draw", j{"code": "wheel", "name_en": "Wheel", "name_zh": "转盘", "look": "wheel", "price": j{"currency": "points", "amount": 1},
		"prizes": []j{{"code": "cup", "name_en": "Cup", "name_zh": "茶杯", "kind": "thing", "worth": 100, "odds": 1_000_000, "stock": 10}}}, &made)
	w.ask(http.MethodPost, "/v1/draws/"+made.ID+"/publish", "publish-draw", j{}, nil)

	return []scarce{
		{"uses", 20, sale("CODEUSES", true), nil},
		{"each", 3, sale("CODEEACH", false), nil},
		{"budget", 10, sale("CODEBUDGET", true), nil},
		{"voucher", 1, sale(voucher.Code, false), nil},
		{"stock", 10, func(m string, _ int) (string, j) {
			return "/v1/members/" + m + "/reward-orders", j{"reward": reward}
		}, nil},
		{"prizes", 10, func(m string, _ int) (string, j) { return "/v1/members/" + m + "/plays", j{"draw": "wheel"} }, func(a answer) bool {
			var p struct{ Won bool }
			return json.Unmarshal(a.body, &p) == nil && p.Won
		}},
	}
}
