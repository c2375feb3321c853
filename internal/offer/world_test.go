package offer_test

import (
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

type J = apptest.J

// headerFile says that a body is a file.
var headerFile = apptest.Header{Name: "Content-Type", Value: "application/octet-stream"}

// offered is what a member has of an offer, as the API tells.
type offered struct {
	ID, Code, State string
	OfferID         string `json:"offer_id"`
	MemberID        string `json:"member_id"`
	Waits           bool
	Progress        struct {
		Done, All, Percent int64
		Unit               string
	}
	CompletedAt *time.Time `json:"completed_at"`
	CountsUntil *time.Time `json:"counts_until"`
	ReceivedAt  *time.Time `json:"received_at"`
}

type world struct {
	*apptest.App
	t testing.TB
}

// offer makes and publishes an offer: spend 100 yuan within three days of receipt for 50
// points, unless edits say otherwise.
func (w world) offer(code string, edits J) string {
	w.t.Helper()
	body := apptest.With(J{
		"code": code, "name_en": "Spend", "name_zh": "消费", "delivery": "sent", "hours": 72,
		"goal": J{"kind": "spend", "amount": 10000}, "reward": J{"currency": "points", "amount": 50},
	}, edits)
	var o struct{ ID, State string }
	w.Post("/v1/offers", body).Into(&o)
	w.Must(200, "POST", "/v1/offers/"+o.ID+"/publish", nil).Into(&o)
	return o.ID
}

// sending is a job for many, as the API tells.
type sending struct {
	ID, State            string
	Approval             string `json:"approval_id"`
	Total, Sent, Refused int64
	Looked               int64 `json:"looked_at"`
	Passed               int64 `json:"passed_over"`
}

// send sends an offer to members and waits until they have it.
func (w world) send(offer string, body J) sending {
	w.t.Helper()
	var s sending
	w.Must(202, "POST", "/v1/offers/"+offer+"/send", body).Into(&s)
	return w.ended("/v1/offer-sendings/" + s.ID)
}

// ended waits until a job for many is over.
func (w world) ended(path string) (s sending) {
	w.t.Helper()
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(2 * time.Millisecond) {
		if w.Get(path).Into(&s); s.State != "filling" && s.State != "running" {
			return s
		}
	}
	w.t.Fatalf("the job does not end: %+v", s)
	return s
}

// has lists what a member has, the first received first.
func (w world) has(member string) (list []offered) {
	w.t.Helper()
	var page struct{ Items []offered }
	w.Get("/v1/members/" + member + "/offers").Into(&page)
	for i := len(page.Items) - 1; i >= 0; i-- {
		list = append(list, page.Items[i])
	}
	return list
}

// points is what a member can use.
func (w world) points(member string) int64 { return w.Wallet(member).Available }

// buys posts a sale of a member of so much money, and returns its document.
func (w world) buys(member string, amount int64, edits J) string {
	w.t.Helper()
	sale := w.Sale(apptest.With(J{"member": member, "total": amount, "lines": []J{apptest.Line(1, 1, amount)}}, edits))
	w.Post("/v1/sales", sale)
	return sale["document"].(string)
}
