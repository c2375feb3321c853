// Package replay feeds recorded histories of offers to a running server, through its public
// API alone, and compares what the server says was completed with what was recorded.
//
// Life: a command line and a test call Offers; nothing is kept.
//
// Law: of the events only receipts and purchases are fed. Completions that the file records are
// looked at at the end, and never by the server.
package replay

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Server is where to feed, with a key that may do everything.
type Server struct {
	URL, Key string
	Log      func(format string, args ...any) // of progress
}

// Result is how the server's completions compare with those that were recorded.
type Result struct {
	Predicted int `json:"predicted"` // by the server
	Recorded  int `json:"recorded"`  // in the file
	Matched   int `json:"matched"`   // on member, offer and hour
}

// Files are the three tables, as CSV with a header: offers (offer_id, offer_type: bogo completes
// on the first single purchase, discount on purchases added up; difficulty_usd, reward_usd,
// duration_days), members (member_id, became_member_on) and events in the order of time
// (member_id, hour, event, offer_id, amount_usd).
type Files struct{ Offers, Members, Events io.Reader }

// begin is hour 0 of the events: any instant in the past would do.
var begin = time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC)

const (
	batch = 200 // of members and of sales in one request
	lanes = 4   // purchases of one member go along one of these, in order
)

// completion is what is compared.
type completion struct {
	member, offer string
	hour          int
}

// run is one replay.
type run struct {
	Server
	ids    map[string]string // public id by member
	names  map[string]string // the other way
	offers map[string]string // public id by offer
}

// Offers replays and compares.
func Offers(ctx context.Context, s Server, f Files) (Result, error) {
	if s.Log == nil {
		s.Log = func(string, ...any) {}
	}
	r := &run{Server: s, ids: map[string]string{}, names: map[string]string{}, offers: map[string]string{}}
	events, err := readEvents(f.Events)
	if err != nil {
		return Result{}, err
	}
	if err := r.post(ctx, "PATCH", "/v1/program", map[string]any{"currency": "USD"}, nil); err != nil {
		return Result{}, err
	}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"members", func() error { return r.addMembers(ctx, f.Members, events) }},
		{"offers", func() error { return r.addOffers(ctx, f.Offers) }},
		{"receipts", func() error { return r.receive(ctx, events) }},
		{"purchases", func() error { return r.buy(ctx, events) }},
	} {
		since := time.Now()
		if err := step.do(); err != nil {
			return Result{}, fmt.Errorf("%s: %w", step.name, err)
		}
		s.Log("%s: %.1f s", step.name, time.Since(since).Seconds())
	}
	predicted, err := r.completed(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("completions: %w", err)
	}
	return compare(predicted, events), nil
}

// event is one line of the events.
type event struct {
	kind, member, offer string
	hour                int
	cents               int64
}

func readEvents(from io.Reader) (list []event, err error) {
	err = table(from, []string{"member_id", "hour", "event", "offer_id", "amount_usd"}, func(v []string) error {
		e := event{kind: v[2], member: v[0], offer: v[3]}
		var err error
		if e.hour, err = strconv.Atoi(v[1]); err != nil {
			return err
		}
		if v[4] != "" {
			e.cents, err = cents(v[4])
		}
		list = append(list, e)
		return err
	})
	return list, err
}

// cents reads an amount of dollars.
func cents(text string) (int64, error) {
	f, err := strconv.ParseFloat(text, 64)
	return int64(math.Round(f * 100)), err
}

// table reads a CSV file and hands on the named columns of each row.
func table(from io.Reader, names []string, row func([]string) error) error {
	in := csv.NewReader(from)
	in.ReuseRecord = true
	head, err := in.Read()
	if err != nil {
		return fmt.Errorf("read the header: %w", err)
	}
	at := make([]int, len(names))
	for i, name := range names {
		if at[i] = slices.Index(head, name); at[i] < 0 {
			return fmt.Errorf("there is no column %s", name)
		}
	}
	for line := 2; ; line++ {
		cells, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		out := make([]string, len(at))
		for i, n := range at {
			out[i] = strings.Clone(cells[n])
		}
		if err := row(out); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

// addMembers enrols all members of the file, and those whom only the events know.
func (r *run) addMembers(ctx context.Context, from io.Reader, events []event) error {
	type member struct {
		Key      string `json:"idempotency_key"`
		External string `json:"external_id"`
		Joined   string `json:"joined_at"`
	}
	var list []member
	seen := map[string]bool{}
	add := func(name, joined string) {
		if !seen[name] {
			seen[name] = true
			list = append(list, member{"member-" + name, "replay/" + name, joined})
		}
	}
	err := table(from, []string{"member_id", "became_member_on"}, func(v []string) error {
		add(v[0], v[1])
		return nil
	})
	if err != nil {
		return err
	}
	for _, e := range events {
		add(e.member, begin.Format(time.DateOnly))
	}
	for part := range slices.Chunk(list, batch) {
		var out struct {
			Items []struct {
				Status int
				Member struct{ ID string }
			}
		}
		if err := r.post(ctx, "POST", "/v1/members/batch", map[string]any{"items": part}, &out); err != nil {
			return err
		}
		for i, m := range out.Items {
			if m.Status != http.StatusCreated {
				return fmt.Errorf("member %s was answered %d", part[i].External, m.Status)
			}
			name := strings.TrimPrefix(part[i].External, "replay/")
			r.ids[name], r.names[m.Member.ID] = m.Member.ID, name
		}
	}
	return nil
}

// addOffers makes and publishes the offers that can be completed.
func (r *run) addOffers(ctx context.Context, from io.Reader) error {
	goals := map[string]string{"bogo": "purchase", "discount": "spend"}
	n := 0
	return table(from, []string{"offer_id", "offer_type", "difficulty_usd", "reward_usd", "duration_days"}, func(v []string) error {
		n++
		kind, known := goals[v[1]]
		if !known {
			return nil
		}
		difficulty, err := cents(v[2])
		if err != nil {
			return err
		}
		reward, err := cents(v[3])
		if err != nil {
			return err
		}
		days, err := strconv.Atoi(v[4])
		if err != nil {
			return err
		}
		offer := map[string]any{
			"code": fmt.Sprint(v[1], "-", n), "name_en": fmt.Sprintf("%s: %s for %s in %d days", v[1], v[3], v[2], days), "delivery": "sent", "hours": 24 * days,
			"goal": map[string]any{"kind": kind, "amount": difficulty}, "reward": map[string]any{},
		}
		if reward > 0 {
			offer["reward"] = map[string]any{"currency": "points", "amount": reward}
		}
		var out struct{ ID string }
		if err := r.post(ctx, "POST", "/v1/offers", offer, &out); err != nil {
			return err
		}
		r.offers[v[0]] = out.ID
		return r.post(ctx, "POST", "/v1/offers/"+out.ID+"/publish", nil, nil)
	})
}

// receive sends each offer to the list of those who received it, with the hour of each receipt.
func (r *run) receive(ctx context.Context, events []event) error {
	lists := map[string]*bytes.Buffer{}
	for _, e := range events {
		if e.kind != "offer received" || r.offers[e.offer] == "" {
			continue
		}
		if lists[e.offer] == nil {
			lists[e.offer] = bytes.NewBufferString("member,at\n")
		}
		fmt.Fprintf(lists[e.offer], "%s,%s\n", r.ids[e.member], at(e.hour))
	}
	for offer, list := range lists {
		var x sending
		path := "/v1/offers/" + r.offers[offer] + "/send-file?" + url.Values{"name": {"replay"}}.Encode()
		if err := r.send(ctx, "POST", path, "application/octet-stream", list.Bytes(), &x); err != nil {
			return err
		}
		if err := r.ended(ctx, x); err != nil {
			return err
		}
	}
	return nil
}

type sending struct {
	ID, State            string
	Total, Sent, Refused int
}

// ended waits for a sending.
func (r *run) ended(ctx context.Context, x sending) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for x.State != "done" {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if err := r.post(ctx, "GET", "/v1/offer-sendings/"+x.ID, nil, &x); err != nil {
			return err
		}
	}
	if x.Sent != x.Total {
		return fmt.Errorf("of %d receipts %d were made, %d refused", x.Total, x.Sent, x.Refused)
	}
	return nil
}

func at(hour int) string {
	return begin.Add(time.Duration(hour) * time.Hour).Format(time.RFC3339)
}

// buy posts the purchases, those of one member in their order.
func (r *run) buy(ctx context.Context, events []event) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var queues [lanes][]map[string]any
	for n, e := range events {
		if e.kind != "transaction" && e.kind != "purchase" {
			continue
		}
		lane := int(e.member[len(e.member)-1]) % lanes
		queues[lane] = append(queues[lane], map[string]any{
			"idempotency_key": fmt.Sprint("sale-", n), "source": "replay", "document": strconv.Itoa(n), "member": r.ids[e.member], "at": at(e.hour),
			"currency": "USD", "total": e.cents, "lines": []any{map[string]any{"line": 1, "sku": "coffee", "quantity": 1, "amount": e.cents}},
		})
	}
	var all sync.WaitGroup
	failed := make(chan error, lanes)
	for _, q := range queues {
		all.Go(func() {
			for part := range slices.Chunk(q, batch) {
				if err := r.sell(ctx, part); err != nil {
					failed <- err
					stop()
					return
				}
			}
		})
	}
	all.Wait()
	close(failed)
	return <-failed
}

func (r *run) sell(ctx context.Context, part []map[string]any) error {
	var out struct {
		Items []struct {
			Status  int
			Problem json.RawMessage
		}
	}
	if err := r.post(ctx, "POST", "/v1/sales/batch", map[string]any{"items": part}, &out); err != nil {
		return err
	}
	for i, x := range out.Items {
		if x.Status != http.StatusCreated {
			return fmt.Errorf("sale %v was answered %d %s", part[i]["document"], x.Status, x.Problem)
		}
	}
	return nil
}

// completed asks the server what was completed.
func (r *run) completed(ctx context.Context) (list []completion, err error) {
	for _, offer := range slices.Sorted(mapKeys(r.offers)) {
		for _, state := range []string{"completed", "rewarded"} {
			for cursor := ""; ; {
				var page struct {
					Items []struct {
						Member    string    `json:"member_id"`
						Completed time.Time `json:"completed_at"`
					}
					Next string `json:"next_cursor"`
				}
				q := url.Values{"state": {state}, "limit": {"200"}}
				if cursor != "" {
					q.Set("cursor", cursor)
				}
				if err := r.post(ctx, "GET", "/v1/offers/"+r.offers[offer]+"/instances?"+q.Encode(), nil, &page); err != nil {
					return nil, err
				}
				for _, i := range page.Items {
					list = append(list, completion{r.names[i.Member], offer, int(i.Completed.Sub(begin) / time.Hour)})
				}
				if cursor = page.Next; cursor == "" {
					break
				}
			}
		}
	}
	return list, nil
}

func mapKeys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// compare counts what the two sides have in common, each as often as both have it.
func compare(predicted []completion, events []event) Result {
	out := Result{Predicted: len(predicted)}
	left := map[completion]int{}
	for _, c := range predicted {
		left[c]++
	}
	for _, e := range events {
		if e.kind != "offer completed" {
			continue
		}
		out.Recorded++
		if c := (completion{e.member, e.offer, e.hour}); left[c] > 0 {
			left[c]--
			out.Matched++
		}
	}
	return out
}

// post sends JSON and reads JSON.
func (r *run) post(ctx context.Context, method, path string, body, into any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	return r.send(ctx, method, path, "application/json", text, into)
}

func (r *run) send(ctx context.Context, method, path, kind string, body []byte, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, r.URL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if body == nil {
		req.Body, req.ContentLength = nil, 0
	} else {
		req.Header.Set("Content-Type", kind)
	}
	req.Header.Set("Authorization", "Bearer "+r.Key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(res.Body)
	if err := cmp.Or(err, res.Body.Close()); err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d %s", method, path, res.StatusCode, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}
