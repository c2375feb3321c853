package offer

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// What is packed is unpacked as it was, whatever it is.
func TestPack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(1, 2e12)
		some := func(name string) int64 { return rapid.Int64Range(0, 1e12).Draw(t, name) }
		b := &Book{Next: some("next")}
		for range rapid.IntRange(0, 5).Draw(t, "instances") {
			i := &Instance{Member: some("member"), Seq: some("seq"), Offer: some("offer"), Version: some("version"), Step: Step(rapid.Int64Range(1, 5).Draw(t, "step")), Cycle: some("cycle")}
			i.Received, i.From = ms.Draw(t, "received"), rapid.Int64Range(minMS/4, 2e12).Draw(t, "from")
			i.Until, i.Keep = rapid.Int64Range(i.From, never).Draw(t, "until"), never
			if rapid.Bool().Draw(t, "viewed") {
				i.Viewed, i.Accepted = i.Received+some("viewed"), i.Received+some("accepted")
			}
			if rapid.Bool().Draw(t, "done") {
				i.Done = rapid.Int64Range(max(1, i.From), max(1, i.From)+1e9).Draw(t, "done at")
			}
			i.Waits, i.Quiet, i.Badge = rapid.Bool().Draw(t, "waits"), rapid.Bool().Draw(t, "quiet"), some("badge")
			i.Progress = Progress{Sum: some("sum"), N: some("n"), Units: rapid.MapOfN(rapid.Int32(), rapid.Int64Range(1, 9), 1, 3).Draw(t, "units"), Milli: rapid.SliceOfN(rapid.Int64(), 1, 3).Draw(t, "milli")}
			i.Given = []Given{{some("currency"), some("owner"), some("lot"), some("amount")}}
			b.Open = append(b.Open, i)
		}
		if b.Open == nil {
			b.Open = []*Instance{}
		}
		b.Tally = map[int64]Tally{some("of"): {some("r"), some("d"), some("y")}}
		b.Badges = map[int64]Has{some("badge"): {some("n"), some("f"), some("l")}}
		b.Moved = []int64{some("moved")}
		if got := unpackBook(b.pack()); !reflect.DeepEqual(got, b) {
			t.Fatalf("unpacked %+v, was %+v", got, b)
		}
	})
}
