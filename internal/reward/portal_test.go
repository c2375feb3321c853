package reward_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// seen is a reward as a member sees it.
type seen struct {
	ID, Code, State string
	Missing         int64
	Left            *int64
	MemberLeft      *int64 `json:"member_left"`
	Wished          bool
	Stores          []struct {
		ID   string
		Left *int64
	}
	Pictures []struct {
		URL   string
		Thumb string `json:"thumb_url"`
	}
}

// A member sees what is for them, wishes, orders and cancels; nobody sees another's orders.
func TestPortal(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		m, do := w.signedIn("13912345678")
		w.Give(m, 120)
		tin := w.reward("tin", 1, J{"category": "tea", "tags": []string{"spring"}})
		w.reward("pot", 0, J{"category": "ware", "prices": []J{{"currency": "points", "points": 240}}})
		w.reward("vip", 0, J{"audience": `"vip" in member.tags`})
		w.reward("later", 0, J{"visible_from": "2026-04-01"})
		w.reward("soon", 0, J{"from": "2026-04-01"})
		list := func(query string) (codes string, items []seen) {
			t.Helper()
			var page struct{ Items []seen }
			do("GET", "rewards"+query, nil).Into(&page)
			for _, v := range page.Items {
				codes += v.Code + " "
			}
			return strings.TrimSpace(codes), page.Items
		}
		codes, items := list("")
		if codes != "soon pot tin" || items[0].State != "soon" || items[1].State != "short" || items[1].Missing != 120 || items[2].State != "open" {
			t.Errorf("%s %+v", codes, items)
		}
		for query, want := range map[string]string{"?category=tea": "tin", "?tag=spring": "tin", "?affordable=true": "tin", "?sort=-points": "pot soon tin", "?q=TEA&category=ware": "pot", "?wished=true": ""} {
			if codes, _ := list(query); codes != want {
				t.Errorf("%s: %s, want %s", query, codes, want)
			}
		}
		var one seen
		do("GET", "rewards/tin", nil).Into(&one)
		if len(one.Stores) != 1 || *one.Left != 1 || one.MemberLeft != nil {
			t.Errorf("%+v", one)
		}
		do("GET", "rewards/vip", nil).Refused(404, "reward.unknown")
		do("PUT", "rewards/vip/wish", nil).Refused(404, "reward.unknown")
		for range 2 {
			if r := do("PUT", "rewards/tin/wish", nil); r.Status != 204 {
				t.Errorf("%d %s", r.Status, r.Body)
			}
		}
		if codes, _ := list("?wished=true"); codes != "tin" {
			t.Errorf("wished: %s", codes)
		}
		var o ordered
		do("POST", "reward-orders", J{"reward": tin}).Into(&o)
		var own struct {
			order
			QR string `json:"pickup_qr"`
		}
		do("GET", "reward-orders/"+o.Order.ID, nil).Into(&own)
		if own.State != "paid" || !strings.HasPrefix(own.QR, "<svg") || own.PickupCode == "" {
			t.Errorf("%+v", own)
		}
		other := w.orders(w.rich(240), "pot", nil)
		do("GET", "reward-orders/"+other.Order.ID, nil).Refused(404, "reward.no_order")
		do("POST", "reward-orders/"+other.Order.ID+"/cancel", nil).Refused(404, "reward.no_order")
		if codes, _ := list("?affordable=true"); codes != "" {
			t.Errorf("affordable: %s", codes)
		}
		do("POST", "reward-orders/"+o.Order.ID+"/cancel", nil).Into(&o)
		if o.Order.State != "cancelled" || o.Balances["points"] != 120 {
			t.Errorf("%+v", o)
		}
		do("POST", "reward-orders", J{"reward": tin}).Into(&o)
		w.do(o.Order, "ready", nil)
		do("POST", "reward-orders/"+o.Order.ID+"/cancel", nil).Refused(409, "reward.in_hand")
		do("POST", "reward-orders", J{"reward": "vip"}).Refused(409, "reward.audience")
		do("DELETE", "rewards/tin/wish", nil)
		if codes, _ := list("?wished=true"); codes != "" {
			t.Errorf("wished: %s", codes)
		}
	})
}

// Who wishes for what ran out is told when there is some again: once each time, however it came.
func TestBackInStock(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		_, do := w.signedIn("13912345678")
		r := w.reward("tin", 1, nil)
		do("PUT", "rewards/tin/wish", nil)
		told := func() int64 {
			w.Rest()
			w.Drain()
			return w.Number("SELECT COUNT(*) FROM event WHERE kind = 'reward.back'")
		}
		other := w.rich(300)
		o := w.orders(other, r, nil)
		w.after(time.Minute)
		if n := told(); n != 0 {
			t.Fatalf("told %d times while there is none", n)
		}
		w.do(o.Order, "cancel", J{"reason": "x"})
		for range 2 {
			w.after(time.Minute)
			if n := told(); n != 1 {
				t.Fatalf("told %d times after a cancellation", n)
			}
		}
		w.orders(other, r, nil)
		w.Must(200, "POST", "/v1/rewards/"+r+"/stock", J{"add": 5})
		if n := told(); n != 2 {
			t.Errorf("told %d times after more came", n)
		}
		w.Must(200, "POST", "/v1/rewards/"+r+"/stock", J{"add": 5})
		w.after(time.Minute)
		if n := told(); n != 2 {
			t.Errorf("told %d times, as it had not run out", n)
		}
		w.Do("POST", "/v1/rewards/"+r+"/stock", J{"add": -11}).Refused(409, "reward.stock_low")
	})
}

// A picture is taken for what it is, drawn anew the right way up and small, and served for ever.
func TestPictures(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		r := w.reward("tin", 0, nil)
		src := image.NewRGBA(image.Rect(0, 0, 1600, 800))
		for y := range 800 {
			for x := range 1600 {
				c := color.RGBA{200, 0, 0, 255}
				if x >= 800 {
					c = color.RGBA{0, 0, 200, 255}
				}
				src.Set(x, y, c)
			}
		}
		var photo bytes.Buffer
		if err := jpeg.Encode(&photo, src, nil); err != nil {
			t.Fatal(err)
		}
		// A camera held upright: EXIF with orientation 6, and a place.
		exif := append([]byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"), "GPS 31.2304"...)
		head := append([]byte{0xFF, 0xD8, 0xFF, 0xE1, 0, byte(len(exif) + 2)}, exif...)
		upload := append(head, photo.Bytes()[2:]...)
		up := func(body []byte, kind string) apptest.Response {
			return w.Do("POST", "/v1/rewards/"+r+"/pictures", body, apptest.Header{Name: "Content-Type", Value: kind})
		}
		var v struct {
			Version  int64
			Pictures []struct {
				ID, URL string
				Thumb   string `json:"thumb_url"`
			}
		}
		up(upload, "image/png").Into(&v) // whatever it is called
		if len(v.Pictures) != 1 || v.Version != 1 {
			t.Fatalf("%+v", v)
		}
		for url, side := range map[string]int{v.Pictures[0].URL: 1200, v.Pictures[0].Thumb: 400} {
			res := w.Do("GET", url, nil, apptest.Header{Name: "Authorization"})
			m, kind, err := image.Decode(bytes.NewReader(res.Body))
			if err != nil || kind != "jpeg" || m.Bounds().Dx() != side/2 || m.Bounds().Dy() != side {
				t.Fatalf("%s: %s %v %v", url, kind, m.Bounds(), err)
			}
			if top, _, _, _ := m.At(side/4, side/8).RGBA(); top < 40000 {
				t.Error("it does not stand upright")
			}
			if bytes.Contains(res.Body, []byte("GPS")) || bytes.Contains(res.Body, []byte("Exif")) {
				t.Error("what the camera wrote is left")
			}
			if !strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
				t.Error(res.Header)
			}
			if again := w.Do("GET", url, nil, apptest.Header{Name: "If-None-Match", Value: res.Header.Get("ETag")}); again.Status != 304 || len(again.Body) != 0 {
				t.Errorf("%d", again.Status)
			}
		}
		for name, body := range map[string][]byte{"svg": []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "cut": upload[:500], "text": []byte("picture")} {
			if p := up(body, "image/jpeg").Problem(); p.Code != "reward.picture" {
				t.Errorf("%s: %s", name, p.Code)
			}
		}
		huge := bytes.Clone(tiny(t))
		copy(huge[16:], []byte{0, 0, 0x80, 0, 0, 0, 0x80, 0}) // says it has 32768 × 32768 pixels
		if p := up(huge, "image/png").Problem(); p.Code != "reward.picture" {
			t.Errorf("a bomb: %s", p.Code)
		}
		up(tiny(t), "image/png").Into(&v)
		ids := []string{v.Pictures[1].ID, v.Pictures[0].ID}
		w.Must(200, "PUT", "/v1/rewards/"+r+"/pictures", J{"pictures": ids}).Into(&v)
		if v.Pictures[0].ID != ids[0] {
			t.Errorf("%+v", v)
		}
		w.Must(200, "PUT", "/v1/rewards/"+r+"/pictures", J{"pictures": ids[:1]})
		w.Do("PUT", "/v1/rewards/"+r+"/pictures", J{"pictures": []string{"x"}}).Refused(404, "reward.no_picture")
		w.Do("GET", "/portal/v1/reward-pictures/"+ids[1], nil).Refused(404, "reward.no_picture")
		if n := w.Number("SELECT COUNT(*) FROM reward_picture"); n != 1 {
			t.Errorf("%d pictures are kept", n)
		}
	})
}

func tiny(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What cannot be is refused where it is wrong, and nothing is changed.
func TestRefusals(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		good := J{"code": "x", "name_en": "X", "kind": "goods", "prices": []J{{"currency": "points", "points": 100}}}
		price := func(p J) J { return J{"prices": []J{apptest.With(J{"currency": "points", "points": 100}, p)}} }
		for name, tt := range map[string]struct {
			edits J
			code  string
			at    string
		}{
			"no name":                  {J{"name_en": " "}, "reward.names", "body.name_en"},
			"a code with a space":      {J{"code": "a b"}, "reward.code", "body.code"},
			"a coupon without one":     {J{"kind": "coupon"}, "reward.kind", "body.coupon"},
			"a coupon of goods":        {J{"coupon": "c"}, "reward.kind", "body.coupon"},
			"stock by store, shipped":  {J{"stock": "stores", "ways": []string{"ship", "pickup"}}, "reward.kind", "body.stock"},
			"ends before it begins":    {J{"from": "2026-05-01", "until": "2026-04-01"}, "reward.window", "body.until"},
			"no such currency":         {price(J{"currency": "nuts"}), "reward.prices", "body.prices[0].currency"},
			"a slider to nowhere":      {price(J{"least": 100, "step": 1, "worth": 1}), "reward.slider", "body.prices[0]"},
			"steps that do not fit":    {price(J{"least": 30, "step": 40, "worth": 1}), "reward.slider", "body.prices[0]"},
			"a worthless point":        {price(J{"least": 50, "step": 10}), "reward.slider", "body.prices[0]"},
			"a step without slider":    {price(J{"step": 10}), "reward.slider", "body.prices[0]"},
			"a condition that is none": {price(J{"condition": "member.nose > 1"}), "cond.field", "body.prices[0].condition"},
			"no such store":            {J{"stores": []string{"moon"}}, "program.no_store", "body.stores[0]"},
			"a tag twice":              {J{"tags": []string{"a", "a"}}, "reward.category", "body.tags[1]"},
		} {
			p := w.Do("POST", "/v1/rewards", apptest.With(good, tt.edits)).Problem()
			if p.Code != tt.code {
				t.Errorf("%s: %s %s", name, p.Code, p.Detail)
			}
			if len(p.Errors) == 0 || p.Errors[0].Location != tt.at {
				t.Errorf("%s: at %+v, want %s", name, p.Errors, tt.at)
			}
		}
		if n := w.Number("SELECT COUNT(*) FROM reward"); n != 0 {
			t.Errorf("%d rewards were made", n)
		}
		r := w.reward("tin", 0, nil)
		w.Do("POST", "/v1/rewards", apptest.With(good, J{"code": "tin"})).Refused(409, "reward.code_taken")
		w.Do("PUT", "/v1/rewards/"+r, apptest.With(J{"name_en": "X", "kind": "service", "prices": good["prices"]}, nil)).Refused(409, "reward.fixed")
		w.Do("DELETE", "/v1/rewards/"+r, nil).Refused(409, "reward.started")
		w.Do("POST", "/v1/rewards/"+r+"/stock", J{"add": 1}).Refused(409, "reward.stock_kind")
		w.Must(200, "POST", "/v1/rewards/"+r+"/pause", nil)
		w.refused(409, "reward.not_live", w.rich(100), r, nil)
		w.Must(200, "POST", "/v1/rewards/"+r+"/resume", nil)
		w.Must(200, "POST", "/v1/rewards/"+r+"/end", nil)
		w.Do("POST", "/v1/rewards/"+r+"/resume", nil).Refused(409, "reward.state")
		coupon := apptest.With(good, J{"code": "c", "kind": "coupon", "coupon": "ten"})
		w.Post("/v1/rewards", coupon)
		w.Do("POST", "/v1/rewards/c/publish", nil).Refused(422, "reward.coupon")
		w.Must(204, "DELETE", "/v1/rewards/c", nil)
	})
}

// Stock by store is each store's own, and is handed over there.
func TestStores(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		a, b := w.store("east"), w.store("west")
		r := w.reward("tin", 0, J{"stock": "stores", "stores": []string{"east", "west"}})
		w.Must(200, "POST", "/v1/rewards/"+r+"/stock", J{"store": "east", "add": 1})
		w.Do("POST", "/v1/rewards/"+r+"/stock", J{"add": 1}).Refused(409, "reward.stock_kind")
		m := w.rich(300)
		w.refused(422, "reward.store", m, r, nil)
		w.refused(409, "reward.sold_out", m, r, J{"store": b})
		o := w.orders(m, r, J{"store": "east"})
		w.refused(409, "reward.sold_out", m, r, J{"store": a})
		w.Do("POST", "/v1/reward-orders/pickup", J{"code": o.Order.PickupCode, "store": "west"}).Refused(409, "reward.elsewhere")
		var queue struct{ Items []order }
		w.Get("/v1/reward-orders?state=paid&store=east").Into(&queue)
		if len(queue.Items) != 1 || queue.Items[0].ID != o.Order.ID {
			t.Errorf("%+v", queue)
		}
		w.Get("/v1/reward-orders?state=paid&store=west").Into(&queue)
		if len(queue.Items) != 0 {
			t.Errorf("%+v", queue)
		}
		other := w.KeyAt(nil, []string{b}, "all")
		if res := other.Do("GET", "/v1/reward-orders/"+o.Order.ID, nil); res.Status != 404 {
			t.Errorf("a key of another store reads it: %d", res.Status)
		}
		other.Do("POST", "/v1/reward-orders/pickup", J{"code": o.Order.PickupCode}).Refused(404, "reward.no_order")
		w.Must(200, "POST", "/v1/reward-orders/pickup", J{"code": o.Order.PickupCode, "store": "east"})
	})
}

// Pages of lists leave nothing out and show nothing twice.
func TestPages(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		r := w.reward("cup", 0, J{"prices": []J{{"currency": "points", "points": 1}}})
		m := w.rich(100)
		var want []string
		for range 7 {
			want = append(want, w.orders(m, r, nil).Order.ID)
			w.Pass(time.Second)
		}
		for _, path := range []string{"/v1/members/" + m + "/reward-orders?limit=3", "/v1/reward-orders?limit=3", "/v1/reward-orders?state=paid&limit=3"} {
			var got []string
			for cursor := ""; ; {
				var page struct {
					Items []order
					Next  string `json:"next_cursor"`
				}
				w.Get(path + "&cursor=" + cursor).Into(&page)
				for _, o := range page.Items {
					got = append(got, o.ID)
				}
				if cursor = page.Next; cursor == "" {
					break
				}
			}
			if !strings.Contains(path, "state=") {
				slices.Reverse(got)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", path, got, want)
			}
		}
	})
}
