package tillsim

import (
	"slices"
	"strings"
	"time"
)

// cases are what is tried, in order. The first opens what the last but one confirms too late,
// so that nobody has to wait for it.
var cases = []kase{
	{"hold-to-be-late", Word{"A basket is held, to be confirmed too late in the end", "锁定一个购物篮，留待最后逾期确认"}, always, openLate},
	{"same-key", Word{"A sale is sent twice under one Idempotency-Key", "同一 Idempotency-Key 重发销售"}, always, sameKey},
	{"new-key", Word{"A sale is sent again under a new key: the document number tells", "换新键重发销售，凭单号识别"}, always, newKey},
	{"other-body", Word{"A key is used again for another sale", "同一键用于另一笔销售"}, always, otherBody},
	{"other-content", Word{"A document number is used again for another sale", "同一单号用于另一笔销售"}, always, otherContent},
	{"dropped-answer", Word{"The line drops after a sale is sent; it is sent again", "发送后断线，重发销售"}, always, droppedAnswer},
	{"half-sent", Word{"The line drops in the middle of a request", "请求发送一半断线"}, always, halfSent},
	{"twins", Word{"A sale is sent eight times at once", "同一销售并发发送八次"}, always, twins},
	{"return-first", Word{"A return comes before its sale", "退货先于销售到达"}, always, returnFirst},
	{"confirm-twice", Word{"A checkout is confirmed, and the answer is lost", "确认结账后应答丢失，重发确认"}, always, confirmTwice},
	{"release-twice", Word{"A checkout is let go twice, and confirmed after that", "重复取消结账，取消后再确认"}, always, releaseTwice},
	{"release-late", Word{"A checkout is let go after it was confirmed", "确认后再取消结账"}, always, releaseLate},
	{"two-tills", Word{"Two tills confirm one checkout at once", "两台收银机同时确认同一笔结账"}, always, twoTills},
	{"voucher-held", Word{"Two baskets want one voucher", "两个购物篮使用同一张券"}, always, voucherHeld},
	{"change", Word{"The basket changes after it was held", "锁定后更改购物篮"}, always, change},
	{"change-refused", Word{"A change that is refused leaves what was held", "更改被拒时原锁定不变"}, needsPoints, changeRefused},
	{"one-step", Word{"A voucher is used by a sale without a checkout, and then again", "不经结账直接用券，再次使用同一张券"}, always, oneStep},
	{"returns", Word{"One line comes back, then the rest, each twice", "部分退货、全部退货，各重复一次"}, always, returns},
	{"clock-skew", Word{"The till's clock is ahead, or far behind", "收银机时钟超前或严重落后"}, always, clockSkew},
	{"offline", Word{"Sales of an hour without a line are sent in one piece, twice", "断网期间的销售批量上传两次"}, always, offline},
	{"snapshots", Word{"Two tills without a line take one voucher, and upload twice", "两台断网收银机使用同一张券，各上传两次"}, always, snapshots},
	{"confirm-late", Word{"A checkout is confirmed after its time", "逾期确认结账"}, always, confirmLate},
	{"totals", Word{"What the server keeps is what the till meant", "服务器记录与收银机预期一致"}, always, totals},
}

func needsPoints(r *run) *Word {
	if r.pays > 0 {
		return nil
	}
	return &Word{"points pay for nothing here, or the member has too few", "此处积分不可抵现，或会员积分不足"}
}

// sell sends a sale and notes it.
func (t *trial) sell(body object, key string) answer {
	a := t.send(Word{"send a sale", "发送销售"}, "201", "POST", "/v1/sales", key, body)
	t.noteSale(body, a)
	return a
}

// noteSale notes a sale that the till meant, by its first answer.
func (t *trial) noteSale(body object, a answer) (s sold) {
	t.mend(a.into(&s))
	t.run.model.sold(text(body["document"]), 10000, t.run.earned(s.Points), 0)
	return s
}

func sameKey(t *trial) {
	body, key := t.sale(), t.run.next("K")
	first := t.sell(body, key)
	t.same(first, t.send(Word{"send it again", "重发"}, "201 replayed", "POST", "/v1/sales", key, body))
}

func newKey(t *trial) {
	body := t.sale()
	first := t.sell(body, t.run.next("K"))
	t.same(first, t.send(Word{"send it under a new key", "换新键重发"}, "201 replayed", "POST", "/v1/sales", t.run.next("K"), body))
}

func otherBody(t *trial) {
	key := t.run.next("K")
	t.sell(t.sale(), key)
	t.send(Word{"send another sale under its key", "用同一键发送另一笔"}, "422 request.key_reused", "POST", "/v1/sales", key, t.sale())
}

func otherContent(t *trial) {
	body := t.sale()
	t.sell(body, t.run.next("K"))
	other := t.sale()
	other["document"] = body["document"]
	other["total"], other["lines"] = int64(9900), t.run.basket(9900)["lines"]
	t.send(Word{"send another sale under its number", "用同一单号发送另一笔"}, "409 sale.document_taken", "POST", "/v1/sales", t.run.next("K"), other)
}

// droppedAnswer does not know whether the first request arrived whole: the server may have seen
// that nobody waits. What it says the second time must be true of both.
func droppedAnswer(t *trial) {
	for _, answered := range []bool{false, true} {
		body, key := t.sale(), t.run.next("K")
		what, want := Word{"send a sale and hang up", "发送后立即断线"}, []string{"201", "201 replayed"}
		if answered {
			what, want = Word{"send a sale and hang up when the answer begins", "应答到达时断线"}, []string{"201 replayed"}
		}
		t.broke(what, "POST", "/v1/sales", key, body, t.run.line.drop(t.ctx, "POST", "/v1/sales", key, body, answered))
		a := t.run.line.send(t.ctx, "POST", "/v1/sales", key, body)
		if a.short() == want[0] {
			want = want[:1]
		}
		t.got(Word{"send it again", "重发"}, want[len(want)-1], a)
		t.noteSale(body, a)
		t.same(a, t.send(Word{"and again", "再次重发"}, "201 replayed", "POST", "/v1/sales", key, body))
	}
}

func halfSent(t *trial) {
	body, key := t.sale(), t.run.next("K")
	t.broke(Word{"send the first half of a sale", "只发送前半部分"}, "POST", "/v1/sales", key, body, t.run.line.half(t.ctx, "POST", "/v1/sales", key, body))
	var page struct{ Items []listed }
	a := t.send(Word{"look for it", "查询该单据"}, "200", "GET", "/v1/sales?source="+source+"&document="+text(body["document"]), "", nil)
	t.mend(a.into(&page))
	t.equal(Word{"sales of this number", "该单号的销售"}, int64(0), int64(len(page.Items)))
	t.sell(body, key)
}

func twins(t *trial) {
	body, key := t.sale(), t.run.next("K")
	list := t.atOnce(8, func(int) (string, string, string, any) { return "POST", "/v1/sales", key, body })
	first := 0
	for i, a := range list {
		want := "201 replayed"
		if !a.replay && first == 0 {
			first, want = i+1, "201"
		}
		t.got(Word{"send it, " + text(int64(i+1)), "第 " + text(int64(i+1)) + " 次发送"}, want, a)
		t.same(list[0], a)
	}
	t.equal(Word{"answers that were the first", "首次应答次数"}, true, first > 0)
	t.noteSale(body, list[max(0, first-1)])
}

func returnFirst(t *trial) {
	body := t.sale()
	doc := t.run.next("R")
	ret := object{"source": source, "document": doc, "of": object{"source": source, "document": body["document"]}, "at": body["at"]}
	key := t.run.next("K")
	first := t.send(Word{"send the return of a sale to come", "先发送退货"}, "202", "POST", "/v1/returns", key, ret)
	t.same(first, t.send(Word{"send it again", "重发"}, "202 replayed", "POST", "/v1/returns", key, ret))
	a := t.sell(body, t.run.next("K"))
	var s sold
	t.mend(a.into(&s))
	var page struct {
		Items []struct {
			State string
			Total int64
		}
	}
	got := t.send(Word{"read the return", "查询退货"}, "200", "GET", "/v1/sales?source="+source+"&document="+doc, "", nil)
	t.mend(got.into(&page))
	if len(page.Items) == 1 {
		t.equal(Word{"the return", "退货状态"}, "posted 10000", page.Items[0].State+" "+text(page.Items[0].Total))
	} else {
		t.equal(Word{"returns of this number", "该单号的退货"}, int64(1), int64(len(page.Items)))
	}
	t.run.model.returned(doc, 10000, t.run.earned(s.Points), 0)
}

func confirmTwice(t *trial) {
	code := t.run.voucher()
	c := t.open(code, nil)
	t.held(t.run.pays)
	body := object{"source": source, "document": t.run.next("C"), "payments": []object{{"kind": "cash", "amount": c.ToPay}}}
	key, path := t.run.next("confirm"), "/v1/checkouts/"+c.ID+"/confirm"
	t.broke(Word{"confirm it and hang up when the answer begins", "确认，应答到达时断线"}, "POST", path, key, body, t.run.line.drop(t.ctx, "POST", path, key, body, true))
	a := t.send(Word{"confirm it again", "重发确认"}, "201 replayed", "POST", path, key, body)
	var s sold
	t.mend(a.into(&s))
	t.run.model.sold(text(body["document"]), c.Total-c.Off, t.run.earned(s.Points), t.run.pays, code)
	t.same(a, t.send(Word{"confirm it under a new key", "换新键重发确认"}, "201 replayed", "POST", path, t.run.next("confirm"), body))
	other := object{"source": source, "document": t.run.next("C")}
	t.send(Word{"confirm it under another number", "换单号确认"}, "409 checkout.over", "POST", path, t.run.next("confirm"), other)
	var now checkout
	t.mend(t.send(Word{"read it", "查询结账"}, "200", "GET", "/v1/checkouts/"+c.ID, "", nil).into(&now))
	t.equal(Word{"its state and sale", "状态与销售"}, "confirmed "+s.ID, now.State+" "+now.SaleID)
	t.held(0)
	t.state(code, "redeemed")
}

func releaseTwice(t *trial) {
	code := t.run.voucher()
	c := t.open(code, nil)
	path := "/v1/checkouts/" + c.ID
	for _, what := range []Word{{"let it go", "取消"}, {"let it go again", "再次取消"}} {
		var now checkout
		t.mend(t.send(what, "200", "POST", path+"/release", t.run.next("release"), nil).into(&now))
		t.equal(Word{"its state", "状态"}, "released", now.State)
	}
	t.held(0)
	t.state(code, "claimed")
	t.send(Word{"confirm it all the same", "取消后确认"}, "409 checkout.over", "POST", path+"/confirm", t.run.next("confirm"), object{"source": source, "document": t.run.next("C")})
	t.send(Word{"change it all the same", "取消后更改"}, "409 checkout.over", "POST", path+"/change", t.run.next("change"), t.run.wish(code, t.run.pays))
}

func releaseLate(t *trial) {
	code := t.run.voucher()
	c := t.open(code, nil)
	t.confirmed(c, code)
	t.send(Word{"let it go", "取消"}, "409 checkout.over", "POST", "/v1/checkouts/"+c.ID+"/release", t.run.next("release"), nil)
	t.state(code, "redeemed")
}

func twoTills(t *trial) {
	r := t.run
	code := r.voucher()
	c := t.open(code, nil)
	docs := []string{r.next("C"), r.next("C"), r.next("C"), r.next("C")}
	list := t.atOnce(len(docs), func(i int) (string, string, string, any) {
		return "POST", "/v1/checkouts/" + c.ID + "/confirm", r.next("confirm"), object{"source": source, "document": docs[i]}
	})
	won := -1
	for i, a := range list {
		want := "409 checkout.over"
		if a.status == 201 && won < 0 {
			won, want = i, "201"
			var s sold
			t.mend(a.into(&s))
			r.model.sold(docs[i], c.Total-c.Off, r.earned(s.Points), r.pays, code)
		}
		t.got(Word{"confirm at till " + text(int64(i+1)), "收银机 " + text(int64(i+1)) + " 确认"}, want, a)
	}
	t.equal(Word{"a till has made the sale", "有一台完成销售"}, true, won >= 0)
}

func voucherHeld(t *trial) {
	r := t.run
	code := r.voucher()
	c := t.open(code, nil)
	var second checkout
	body := r.wish(code, 0)
	t.mend(t.send(Word{"hold another basket with the same voucher", "另一购物篮使用同一张券"}, "201", "POST", "/v1/checkouts", r.next("open"), body).into(&second))
	why := ""
	for _, l := range second.LeftOut {
		if l.Code == code {
			why = l.Why
		}
	}
	t.equal(Word{"off the second basket, and why", "第二个购物篮的优惠与原因"}, "0 coupon.held", text(second.Off)+" "+why)
	sale := t.sale()
	sale["coupons"] = []string{code}
	t.send(Word{"use it in a sale", "直接用于销售"}, "409 coupon.held", "POST", "/v1/sales", r.next("K"), sale)
	for _, id := range []string{c.ID, second.ID} {
		t.send(Word{"let go", "取消"}, "200", "POST", "/v1/checkouts/"+id+"/release", r.next("release"), nil)
	}
	t.state(code, "claimed")
}

func change(t *trial) {
	r := t.run
	code := r.voucher()
	c := t.open(code, nil)
	body := r.wish(code, r.pays)
	body["lines"] = r.basket(12000, 6000, 2000, 5000)["lines"]
	var next checkout
	t.mend(t.send(Word{"add a line", "加一行"}, "200", "POST", "/v1/checkouts/"+c.ID+"/change", r.next("change"), body).into(&next))
	t.adds(next)
	t.equal(Word{"the checkout", "结账"}, c.ID, next.ID)
	t.equal(Word{"its total", "总额"}, c.Total+5000, next.Total)
	t.held(r.pays)
	t.confirmed(next, code)
}

func changeRefused(t *trial) {
	r := t.run
	code := r.voucher()
	c := t.open(code, nil)
	w, err := r.wallet(t.ctx)
	t.mend(err)
	a := r.line.send(t.ctx, "POST", "/v1/checkouts/"+c.ID+"/change", r.next("change"), r.wish(code, (w.Available+w.Held)*2+r.pays))
	want := "409 ledger.insufficient"
	if a.problem.Code == "checkout.spend" { // where a rule of the currency bounds it before the wallet does
		want = "409 checkout.spend"
	}
	t.got(Word{"pay with more points than there are", "使用超过余额的积分"}, want, a)
	t.held(r.pays)
	t.state(code, "held")
	t.send(Word{"let go", "取消"}, "200", "POST", "/v1/checkouts/"+c.ID+"/release", r.next("release"), nil)
}

func oneStep(t *trial) {
	r := t.run
	code := r.voucher()
	body := r.basket(amounts...)
	body["source"], body["document"], body["at"], body["total"], body["coupons"] = source, r.next("S"), r.now(), int64(20000), []string{code}
	a := t.send(Word{"send a sale with a voucher", "发送带券销售"}, "201", "POST", "/v1/sales", r.next("K"), body)
	var s sold
	t.mend(a.into(&s))
	r.model.sold(text(body["document"]), 20000-r.off, r.earned(s.Points), 0, code)
	t.equal(Word{"what the sale comes to", "销售金额"}, 20000-r.off, s.Total)
	t.same(a, t.send(Word{"send it again under a new key", "换新键重发"}, "201 replayed", "POST", "/v1/sales", r.next("K"), body))
	other := t.sale()
	other["coupons"] = []string{code}
	t.send(Word{"use the voucher again", "再次用券"}, "409 coupon.used", "POST", "/v1/sales", r.next("K"), other)
}

// returns takes back the last line and then the rest. By the model, a line's money is what was
// paid for it, and points that paid come back in its proportion, to a point.
func returns(t *trial) {
	r := t.run
	code := r.voucher()
	c := t.open(code, nil)
	_, _, s := t.confirmed(c, code)
	last := c.Lines[len(c.Lines)-1]
	left, points := c.Total-c.Off, r.pays
	for _, part := range []struct {
		what  Word
		total int64
		body  object
	}{
		{Word{"take back one line", "退一行"}, last.Pay, object{"lines": []object{{"line": last.Line, "quantity": 1}}}},
		{Word{"take back the rest", "退其余"}, left - last.Pay, object{}},
	} {
		doc := r.next("R")
		part.body["document"], part.body["at"] = doc, r.now()
		path := "/v1/sales/" + s.ID + "/returns"
		a := t.send(part.what, "201", "POST", path, r.next("K"), part.body)
		var b back
		t.mend(a.into(&b))
		restored := r.moved(b.Restored)
		r.model.returned(doc, part.total, r.moved(b.ClawedBack), restored)
		t.equal(Word{"money back", "退款"}, part.total, b.Total)
		share := points * part.total / left
		if d := restored - share; d < -1 || d > 1 {
			t.equal(Word{"points back", "退回积分"}, share, restored)
		}
		left, points = left-part.total, points-restored
		t.same(a, t.send(Word{"send the return again under a new key", "换新键重发退货"}, "201 replayed", "POST", path, r.next("K"), part.body))
	}
	t.equal(Word{"points that paid and did not come back", "未退回的抵现积分"}, int64(0), points)
	a := r.line.send(t.ctx, "POST", "/v1/sales/"+s.ID+"/returns", r.next("K"), object{"document": r.next("R"), "at": r.now()})
	t.got(Word{"take it back once more, under another number", "换单号再退一次"}, "409 sale.nothing_left", a)
	if r.made { // its terms give it back with the whole purchase
		t.state(code, "claimed")
		r.model.vouchers[code] = "claimed"
		return
	}
	state, err := r.voucherState(t.ctx, code)
	t.mend(err)
	r.model.vouchers[code] = state
}

func clockSkew(t *trial) {
	r := t.run
	at := func(d time.Duration) object {
		s := t.sale()
		s["at"] = r.Now().Add(d).UTC().Format(time.RFC3339)
		return s
	}
	t.sell(at(4*time.Minute), r.next("K"))
	t.send(Word{"a sale of ten minutes from now", "十分钟以后的销售"}, "422 sale.future", "POST", "/v1/sales", r.next("K"), at(10*time.Minute))
	a := t.sell(at(-8*24*time.Hour), r.next("K"))
	var s sold
	t.mend(a.into(&s))
	t.equal(Word{"flags of a sale of eight days ago", "八天前销售的标记"}, "late", strings.Join(s.Flags, " "))
}

// offline sends what was sold without a line, twice: the second time under new keys, in another
// order. The first answer is lost.
func offline(t *trial) {
	r := t.run
	var bodies []object
	for i := range 3 {
		s := t.sale()
		s["at"] = r.Now().Add(time.Duration(i-60) * time.Minute).UTC().Format(time.RFC3339)
		bodies = append(bodies, s)
	}
	items := func(order ...int) object {
		var list []object
		for _, i := range order {
			item := object{"idempotency_key": r.next("item")}
			for k, v := range bodies[i] {
				item[k] = v
			}
			list = append(list, item)
		}
		return object{"items": list}
	}
	type results struct {
		Items []struct {
			Status   int
			Replayed bool
			Sale     sold
		}
	}
	first := items(0, 1, 2)
	t.broke(Word{"send all and hang up when the answer begins", "批量上传，应答到达时断线"}, "POST", "/v1/sales/batch", "", first, r.line.drop(t.ctx, "POST", "/v1/sales/batch", "", first, true))
	for _, order := range [][]int{{0, 1, 2}, {2, 0, 1}} {
		body := first
		if order[0] != 0 {
			body = items(order...)
		}
		var res results
		t.mend(t.send(Word{"send all again", "再次批量上传"}, "200", "POST", "/v1/sales/batch", "", body).into(&res))
		for at, i := range order {
			if at >= len(res.Items) {
				t.equal(Word{"results", "结果数"}, int64(len(order)), int64(len(res.Items)))
				return
			}
			got := res.Items[at]
			came := text(int64(got.Status))
			if got.Replayed {
				came += " replayed"
			}
			t.equal(Word{"sale " + text(int64(i+1)), "第 " + text(int64(i+1)) + " 笔"}, "201 replayed", came)
			r.model.bills[text(bodies[i]["document"])] = &bill{"sale", 10000}
			if order[0] == 0 {
				r.model.points += r.earned(got.Sale.Points)
			}
		}
	}
}

// snapshots takes one voucher at two tills that have no line. Both sales stand as their customers
// were told; the voucher is used once.
func snapshots(t *trial) {
	r := t.run
	store := r.Store
	if store == "" {
		var places struct {
			Items []struct{ ID string }
		}
		t.mend(r.setUp(t.ctx, "GET", "/v1/stores?limit=1", nil, &places))
		if len(places.Items) == 0 {
			t.left = &Word{"there is no store", "没有门店"}
			return
		}
		store = places.Items[0].ID
	}
	code := r.voucher()
	var tokens, docs []string
	for _, till := range []string{"till-sim-1", "till-sim-2"} {
		a := r.line.send(t.ctx, "POST", "/v1/offline/snapshots", r.next("K"), object{"store": store, "till": till, "members": []string{r.model.member}})
		if a.problem.Code == "offline.off" {
			t.left = &Word{"this programme takes nothing without a line", "本计划未开启离线用券"}
			return
		}
		t.got(Word{"take a snapshot along", "下载离线快照"}, "200", a)
		var out struct {
			Items []struct {
				Snapshot string
				Claims   struct{ Vouchers []struct{ Code string } }
			}
		}
		t.mend(a.into(&out))
		if len(out.Items) != 1 || !slices.ContainsFunc(out.Items[0].Claims.Vouchers, func(v struct{ Code string }) bool { return v.Code == code }) {
			t.left = &Word{"the coupon is none that tills can price by themselves", "该券无法由收银机自行计价"}
			return
		}
		tokens, docs = append(tokens, out.Items[0].Snapshot), append(docs, r.next("S"))
	}
	conflicts, at := 0, r.now() // of both turns: another time is another sale
	for turn := range 2 {
		for i, token := range tokens {
			basket := r.basket(amounts...)
			body := object{"snapshot": token, "source": source, "document": docs[i], "at": at, "lines": basket["lines"], "coupons": []object{{"code": code, "off": r.off}}}
			want := []string{"201", "201 replayed"}[turn]
			a := t.send(Word{"upload the sale of till " + text(int64(i+1)), "上传收银机 " + text(int64(i+1)) + " 的销售"}, want, "POST", "/v1/offline/sales", r.next("K"), body)
			if turn > 0 {
				continue
			}
			var s struct {
				sold
				Notices []struct{ Code string }
			}
			t.mend(a.into(&s))
			t.equal(Word{"what the sale comes to", "销售金额"}, 20000-r.off, s.Total)
			r.model.sold(docs[i], 20000-r.off, r.earned(s.Points), 0, code)
			for _, n := range s.Notices {
				if n.Code == "offline.voucher_conflict" {
					conflicts++
				}
			}
		}
	}
	t.equal(Word{"sales that say that the voucher was gone", "提示券已不可用的销售"}, int64(1), int64(conflicts))
	t.state(code, "redeemed")
}

// pending is the checkout that is confirmed too late.
type pending struct {
	checkout checkout
	code     string
}

func openLate(t *trial) {
	t.run.late.code = t.run.voucher()
	t.run.late.checkout = t.open(t.run.late.code, object{"ttl_seconds": 10})
	t.state(t.run.late.code, "held")
}

func confirmLate(t *trial) {
	r, l := t.run, &t.run.late
	if l.checkout.ID == "" {
		t.equal(Word{"a basket that was held", "已锁定的购物篮"}, "one", "none")
		return
	}
	t.mend(r.Wait(t.ctx, l.checkout.ExpiresAt.Add(edge)))
	body, path := object{"source": source, "document": r.next("C")}, "/v1/checkouts/"+l.checkout.ID+"/confirm"
	key := r.next("confirm")
	first := t.send(Word{"confirm it", "确认"}, "409 checkout.over", "POST", path, key, body)
	again := r.line.send(t.ctx, "POST", path, key, body)
	t.equal(Word{"confirm it again", "重发确认"}, first.problem.Code, again.problem.Code)
	t.held(0)
	t.state(l.code, "claimed")
	var now checkout
	t.mend(t.send(Word{"read it", "查询结账"}, "200", "GET", "/v1/checkouts/"+l.checkout.ID, "", nil).into(&now))
	t.equal(Word{"its state", "状态"}, "expired", now.State)
	t.confirmed(t.open(l.code, nil), l.code) // all that it held is free
}
