package money

import (
	"errors"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// MulDiv equals the same sum done in big rationals.
func TestMulDiv(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int64Range(0, Max).Draw(t, "a")
		b := rapid.Int64Range(0, Max).Draw(t, "b")
		c := rapid.Int64Range(1, Max).Draw(t, "c")
		if rapid.Bool().Draw(t, "half") { // land on the half exactly: where modes differ
			b, c = rapid.Int64Range(0, 1000).Draw(t, "b2"), 2
		}
		for _, mode := range []Rounding{Floor, HalfUp, HalfEven, Ceil} {
			want := exact(a, b, c, mode)
			got, ok := MulDiv(a, b, c, mode)
			if wantOK := want.Cmp(big.NewInt(Max)) <= 0; ok != wantOK || ok && got != want.Int64() {
				t.Fatalf("MulDiv(%d, %d, %d, %s) = %d, %v; want %s", a, b, c, mode, got, ok, want)
			}
		}
	})
}

func exact(a, b, c int64, mode Rounding) *big.Int {
	num := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
	q, rem := new(big.Int).QuoRem(num, big.NewInt(c), new(big.Int))
	twice := new(big.Int).Lsh(rem, 1).Cmp(big.NewInt(c))
	up := false
	switch mode {
	case Ceil:
		up = rem.Sign() > 0
	case HalfUp:
		up = twice >= 0
	case HalfEven:
		up = twice > 0 || twice == 0 && q.Bit(0) == 1
	}
	if up {
		q.Add(q, big.NewInt(1))
	}
	return q
}

// Shares add up, and none is a whole unit away from its exact part.
func TestSplit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(0, Max).Draw(t, "total")
		weights := rapid.SliceOfN(rapid.Int64Range(0, Max), 1, 12).Draw(t, "weights")
		var sum, got int64
		for _, w := range weights {
			sum += w
		}
		for i, share := range Split(total, weights) {
			got += share
			if sum == 0 {
				continue
			}
			// |share×sum − total×weight| < sum
			d := new(big.Int).Sub(
				new(big.Int).Mul(big.NewInt(share), big.NewInt(sum)),
				new(big.Int).Mul(big.NewInt(total), big.NewInt(weights[i])))
			if d.CmpAbs(big.NewInt(sum)) >= 0 {
				t.Fatalf("share %d of %d by %v is %d", i, total, weights, share)
			}
		}
		if got != total {
			t.Fatalf("shares of %d add up to %d", total, got)
		}
	})
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text     string
		decimals int
		want     int64
		err      error
	}{
		{"11.77", 2, 1177, nil},
		{"12", 2, 1200, nil},
		{"-4.65", 2, -465, nil},
		{".5", 2, 50, nil},
		{"12.500", 2, 1250, nil},
		{"12.505", 2, 0, ErrNumber},
		{"100", 0, 100, nil},
		{"1.", 2, 0, ErrNumber},
		{"", 2, 0, ErrNumber},
		{"-", 2, 0, ErrNumber},
		{"1,000", 2, 0, ErrNumber},
		{"1e3", 2, 0, ErrNumber},
		{"--1", 2, 0, ErrNumber},
		{"10000000000.00", 2, Max, nil},
		{"10000000000.01", 2, 0, ErrTooBig},
		{"99999999999999999999999999", 2, 0, ErrTooBig},
	} {
		got, err := Parse(tt.text, tt.decimals)
		if got != tt.want || !errors.Is(err, tt.err) && err != tt.err {
			t.Errorf("Parse(%q, %d) = %d, %v; want %d, %v", tt.text, tt.decimals, got, err, tt.want, tt.err)
		}
	}
}
