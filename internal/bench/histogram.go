package bench

import (
	"math/bits"
	"time"
)

// histogram counts durations in buckets whose width grows with the duration: each power of
// two of microseconds is cut into 64, so that a quantile is off by 1.6 % at most. The idea
// is that of Gil Tene's HdrHistogram.
type histogram struct {
	n       int64
	buckets [buckets]int64
}

const (
	fine    = 6 // bits of a value that a bucket keeps
	span    = 1 << fine
	most    = 32 // bits: over an hour
	buckets = (most - fine + 1) * span
)

// note counts one duration.
func (h *histogram) note(d time.Duration) {
	h.n++
	h.buckets[bucketOf(uint64(max(d.Microseconds(), 0)))]++
}

// bucketOf is exact below 2 × span, and keeps the leading bits above.
func bucketOf(us uint64) int {
	shift := max(bits.Len64(us)-fine-1, 0)
	return min(shift<<fine+int(us>>shift), buckets-1)
}

// top is the largest value of a bucket.
func top(bucket int) uint64 {
	shift := max(bucket>>fine-1, 0)
	return uint64(bucket-shift<<fine+1)<<shift - 1
}

// add takes over the counts of another.
func (h *histogram) add(o *histogram) {
	h.n += o.n
	for i, n := range o.buckets {
		h.buckets[i] += n
	}
}

// ms is the duration that a share of all did not exceed, in milliseconds; 0 where nothing
// was counted.
func (h *histogram) ms(share float64) float64 {
	if h.n == 0 {
		return 0
	}
	rank := max(int64(share*float64(h.n)+0.5), 1)
	for i, n := range h.buckets {
		if rank -= n; rank <= 0 {
			return float64(top(i)) / 1000
		}
	}
	return float64(top(buckets-1)) / 1000
}
