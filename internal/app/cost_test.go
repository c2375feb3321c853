package app

import (
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// What is counted for each request and each posting makes no object.
func TestMetricsCost(t *testing.T) { // alone, since it counts allocations
	m := newMetrics()
	m.serve([]api.Route{{Name: "POST /v1/sales", Class: api.Posting}})
	var c ledger.Command = ledger.EarnCommand{}
	n := testing.AllocsPerRun(100, func() {
		m.observe("POST /v1/sales", api.Posting, 201, time.Millisecond)
		m.Posted(3, time.Millisecond)
		m.Answered(c, nil)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkMetrics(b *testing.B) {
	m := newMetrics()
	m.serve([]api.Route{{Name: "POST /v1/sales", Class: api.Posting}})
	var c ledger.Command = ledger.EarnCommand{}
	b.ReportAllocs()
	for b.Loop() {
		m.observe("POST /v1/sales", api.Posting, 201, time.Millisecond)
		m.Answered(c, nil)
	}
}
