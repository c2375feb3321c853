//go:build torture

package torture

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// answerWithin is how long a server may take until it knows what became of a request.
const answerWithin = 30 * time.Second

// check compares a server that was started again with what the shop knows, and lists what
// is not as it was said. recent is how many of the latest answers are asked for again: all
// that a moment of violence can have touched.
func (s *shop) check(c client, recent int) []string {
	faults := append(s.faults, s.resolve(c)...)
	s.faults = nil
	faults = append(faults, s.replay(c, recent)...)
	return append(faults, s.wallets(c)...)
}

// resolve asks again, with the same key, for everything that got no answer.
func (s *shop) resolve(c client) (faults []string) {
	until := time.Now().Add(answerWithin)
	for _, n := range s.notes {
		for n.outcome == unknown {
			a, err := c.ask(http.MethodPost, n.path, n.key, n.body)
			if err == nil && n.settle(a) && n.outcome != unknown {
				break
			}
			if time.Now().After(until) || err == nil && a.status != http.StatusServiceUnavailable {
				faults = append(faults, fmt.Sprintf("no answer to be had for %v: %v, %d %s", n, err, a.status, a.body))
				break
			}
			time.Sleep(20 * time.Millisecond) // the server finds its database again
		}
	}
	return faults
}

// replay asks again for the latest answers and as many earlier ones.
func (s *shop) replay(c client, recent int) (faults []string) {
	latest := s.notes[max(0, len(s.notes)-recent):]
	list := append([]*note{}, latest...)
	for range min(recent, len(s.notes)-len(latest)) {
		list = append(list, s.notes[rand.IntN(len(s.notes))])
	}
	for _, n := range list {
		if n.outcome == unknown {
			continue // resolve has said it
		}
		a, err := c.ask(http.MethodPost, n.path, n.key, n.body)
		switch {
		case err != nil:
			faults = append(faults, fmt.Sprintf("ask again for %v: %v", n, err))
		case !a.replayed:
			faults = append(faults, fmt.Sprintf("lost: %v was answered %d %s and is done anew: %d %s", n, n.answer.status, n.answer.body, a.status, a.body))
		case a.status != n.answer.status || !bytes.Equal(a.body, n.answer.body):
			faults = append(faults, fmt.Sprintf("%v was answered %d %s, now %d %s", n, n.answer.status, n.answer.body, a.status, a.body))
		}
	}
	return faults
}

// wallets compares what every member has.
func (s *shop) wallets(c client) (faults []string) {
	net, held := make([]int64, len(s.members)), make([]int64, len(s.members))
	for _, n := range s.notes {
		if n.outcome == granted {
			for _, m := range n.moves {
				net[m.member] += m.net
				held[m.member] += m.held
			}
		}
	}
	for i := range s.members {
		var list []struct{ Available, Pending, Held, Debt int64 }
		if err := c.get(s.at(i, "/wallets"), &list); err != nil || len(list) == 0 {
			faults = append(faults, fmt.Sprintf("wallet of %s: %v, %v", s.members[i], list, err))
			continue
		}
		w := list[0]
		if got := w.Available + w.Pending + w.Held - w.Debt; got != net[i] || w.Held != held[i] {
			faults = append(faults, fmt.Sprintf("%s has %d, of which %d held: answers say %d and %d", s.members[i], got, w.Held, net[i], held[i]))
		}
	}
	return faults
}

// entry is what a list of entries says of one.
type entry struct {
	ID, Kind, Cause, Document, Reason string
	Amount, Number, After             int64
}

// origin names whose work an entry is: as note.origin does.
func (e entry) origin() string {
	switch {
	case strings.HasPrefix(e.Kind, "transfer"):
		return e.Reason
	case e.Document != "":
		return e.Document
	}
	return e.Cause
}

// origin is what the entries of a request bear: its key where a caller can name it, and
// else the number of what was made. A hold and its end have the same.
func (n *note) origin() string {
	switch n.kind {
	case "earning", "spending", "transfer":
		return n.key
	}
	return n.id
}

// entries reads the whole ledger of a member, newest first.
func (s *shop) entries(c client, member int) (all []entry, err error) {
	for cursor := ""; ; {
		var page struct {
			Items      []entry
			NextCursor string `json:"next_cursor"`
		}
		if err := c.get(s.at(member, "/entries?limit=200&cursor="+url.QueryEscape(cursor)), &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if cursor = page.NextCursor; cursor == "" {
			return all, nil
		}
	}
}

// audit reads everything that is stored: all that moved points has moved as much as it
// said, and nothing is there that nobody sent.
func (s *shop) audit(c client) (faults []string) {
	want := make([]map[string]int64, len(s.members))
	for i := range want {
		want[i] = map[string]int64{}
	}
	for _, n := range s.notes {
		if n.outcome == granted {
			for _, m := range n.moves {
				want[m.member][n.origin()] += m.net
			}
		}
	}
	for i := range s.members {
		list, err := s.entries(c, i)
		if err != nil {
			faults = append(faults, err.Error())
			continue
		}
		got := map[string]int64{}
		for k, e := range list {
			if e.Number != int64(len(list)-k) {
				faults = append(faults, fmt.Sprintf("%s: entry %d stands at place %d", s.members[i], e.Number, len(list)-k))
			}
			if e.Kind != "repay" { // of a debt, by whatever came in
				got[e.origin()] += e.Amount
			}
		}
		for origin, n := range got {
			if w, sent := want[i][origin]; !sent || n != w {
				faults = append(faults, fmt.Sprintf("%s has %d of %s, sent: %v, %d", s.members[i], n, origin, sent, w))
			}
		}
		for origin, n := range want[i] {
			if _, stored := got[origin]; !stored {
				faults = append(faults, fmt.Sprintf("lost: %s has nothing of %s, which moved %d", s.members[i], origin, n))
			}
		}
	}
	return faults
}
