package coupon_test

import (
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// BenchmarkSend gives b.N members a voucher each. The figure that counts is members a second:
// a million in two minutes is 8,334.
func BenchmarkSend(b *testing.B) {
	w := world{apptest.Open(b, db.SQLite), b}
	id := w.coupon("all", nil)
	for range b.N {
		w.Member()
	}
	b.ResetTimer()
	got := w.send(id, J{"all": true})
	b.StopTimer()
	if got.Issued != int64(b.N) {
		b.Fatalf("%+v", got)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "members/s")
}

// BenchmarkPrint makes b.N codes. A million in a minute is 16,667 a second.
func BenchmarkPrint(b *testing.B) {
	w := world{apptest.Open(b, db.SQLite), b}
	id := w.coupon("paper", J{"bearer": true})
	b.ResetTimer()
	w.Must(202, "POST", "/v1/coupons/"+id+"/batches", J{"count": b.N, "name": "bench"})
	var got batch
	for got.Issued < int64(b.N) {
		var page struct{ Items []batch }
		if w.Get("/v1/coupons/" + id + "/batches").Into(&page); len(page.Items) > 0 {
			got = page.Items[0]
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "codes/s")
	fetched := time.Now()
	size := len(w.Get("/v1/coupon-batches/" + got.ID + "/codes").Body)
	b.ReportMetric(float64(b.N)/time.Since(fetched).Seconds(), "fetched/s")
	if size < b.N*15 {
		b.Fatal(size)
	}
}
