package offer

import (
	"encoding/binary"
	"maps"
	"slices"
)

// A Book lies packed in its row, as numbers of as many bytes as they need: each purchase of the
// member reads and writes it. Instants are counted from the receipt. Fields are only ever added
// at the end of what they belong to, under a new first number.

const packing = 1 // how it is packed

type packer []byte

func (p *packer) put(n ...int64) {
	for _, v := range n {
		*p = binary.AppendVarint(*p, v)
	}
}

// since is an instant counted from another; 0 stays what did not happen.
func since(ms, from int64) int64 {
	if ms == 0 {
		return -1
	}
	return ms - from
}

func (b *Book) pack() []byte {
	p := make(packer, 0, 16+48*len(b.Open)+8*len(b.Tally))
	p.put(packing, b.Next, int64(len(b.Open)))
	for _, i := range b.Open {
		p.instance(i)
	}
	p.put(int64(len(b.Tally)))
	for _, offer := range slices.Sorted(maps.Keys(b.Tally)) {
		t := b.Tally[offer]
		p.put(offer, t.Received, t.Done, t.Cycle)
	}
	p.put(int64(len(b.Badges)))
	for _, badge := range slices.Sorted(maps.Keys(b.Badges)) {
		h := b.Badges[badge]
		p.put(badge, h.N, h.First, h.Last)
	}
	p.put(int64(len(b.Moved)))
	p.put(b.Moved...)
	return p
}

func (p *packer) instance(i *Instance) {
	flags := int64(0)
	if i.Waits {
		flags |= 1
	}
	if i.Quiet {
		flags |= 2
	}
	r := i.Received
	p.put(i.Member, i.Seq, i.Offer, i.Version, int64(i.Step), i.Cycle, r, since(i.Viewed, r), since(i.Accepted, r), since(i.Done, i.From), i.From-r, i.Until-r, i.Keep-i.Until, flags, i.Badge)
	g := &i.Progress
	p.put(g.Sum, g.N, int64(len(g.Units)))
	for _, u := range slices.Sorted(maps.Keys(g.Units)) {
		p.put(int64(u), g.Units[u])
	}
	p.put(int64(len(g.Milli)))
	p.put(g.Milli...)
	p.put(int64(len(i.Given)))
	for _, x := range i.Given {
		p.put(x.Currency, x.Member, x.Lot, x.Amount)
	}
}

// unpacker reads what packer wrote. What it cannot read was not written by this program: it
// panics, and the command that asked is refused as a defect.
type unpacker []byte

func (u *unpacker) get() int64 {
	v, n := binary.Varint(*u)
	if n <= 0 {
		panic("offer: a row cannot be read")
	}
	*u = (*u)[n:]
	return v
}

// length is how many follow, each of at least one byte.
func (u *unpacker) length() int {
	n := u.get()
	if n < 0 || n > int64(len(*u)) {
		panic("offer: a row cannot be read")
	}
	return int(n)
}

func unpackBook(body []byte) *Book {
	u := unpacker(body)
	if u.get() != packing {
		panic("offer: a row is packed in a way that this version does not know")
	}
	b := &Book{Next: u.get()}
	list := make([]Instance, u.length())
	b.Open = make([]*Instance, len(list))
	for n := range list {
		u.instance(&list[n])
		b.Open[n] = &list[n]
	}
	if n := u.length(); n > 0 {
		b.Tally = make(map[int64]Tally, n)
		for range n {
			offer := u.get()
			b.Tally[offer] = Tally{u.get(), u.get(), u.get()}
		}
	}
	if n := u.length(); n > 0 {
		b.Badges = make(map[int64]Has, n)
		for range n {
			badge := u.get()
			b.Badges[badge] = Has{u.get(), u.get(), u.get()}
		}
	}
	for range u.length() {
		b.Moved = append(b.Moved, u.get())
	}
	return b
}

func at0(n, from int64) int64 {
	if n < 0 {
		return 0
	}
	return from + n
}

func (u *unpacker) instance(i *Instance) {
	i.Member, i.Seq, i.Offer, i.Version = u.get(), u.get(), u.get(), u.get()
	i.Step, i.Cycle, i.Received = Step(u.get()), u.get(), u.get()
	viewed, accepted, done := u.get(), u.get(), u.get()
	i.From = i.Received + u.get()
	i.Until = i.Received + u.get()
	i.Keep = i.Until + u.get()
	i.Viewed, i.Accepted, i.Done = at0(viewed, i.Received), at0(accepted, i.Received), at0(done, i.From)
	flags := u.get()
	i.Waits, i.Quiet, i.Badge = flags&1 != 0, flags&2 != 0, u.get()
	g := &i.Progress
	g.Sum, g.N = u.get(), u.get()
	if n := u.length(); n > 0 {
		g.Units = make(map[int32]int64, n)
		for range n {
			unit := int32(u.get())
			g.Units[unit] = u.get()
		}
	}
	if n := u.length(); n > 0 {
		g.Milli = make([]int64, n)
		for k := range g.Milli {
			g.Milli[k] = u.get()
		}
	}
	for range u.length() {
		i.Given = append(i.Given, Given{u.get(), u.get(), u.get(), u.get()})
	}
}
