package member

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/staff"
)

func (s *Service) batchRoute(r *api.Router) {
	api.Post(r, "/v1/members/batch", func(ctx context.Context, in *batchIn) (*batchOut, error) { return s.postBatch(ctx, r, in) }, api.Doc{
		ID: "createMembers", Summary: "Enrol up to 200 members, each with a key of its own.", Tags: routeTags, Needs: staff.ServeMembers, Status: 200, OwnKey: true,
		Description: "Each item stands or falls alone: the answer has one result for each, in the same order, and locations in its problem begin at the item. Only a body that is malformed, or breaks this schema, is refused as a whole, and then nobody of it is enrolled.",
	})
}

type batchIn struct {
	Body struct {
		Items []batchItem `json:"items" minItems:"1" maxItems:"200" doc:"The members."`
	}
}

type batchItem struct {
	Key string `json:"idempotency_key" minLength:"1" maxLength:"255" doc:"As the header Idempotency-Key of a single member."`
	NewMember
}

type batchOut struct {
	Body struct {
		Items []batchResult `json:"items" doc:"One result for each member, in order."`
	}
}

type batchResult struct {
	Status   int             `json:"status" doc:"What the member alone would have been answered."`
	Replayed bool            `json:"replayed,omitempty" doc:"The answer is that of an earlier request."`
	Member   *madeView       `json:"member,omitempty" doc:"Who was enrolled."`
	Problem  json.RawMessage `json:"problem,omitempty" doc:"The problem, where they were refused."`
}

// madeView is all that is told, and kept, of a member of a batch: nothing personal, and
// short enough to be kept a million times.
type madeView struct {
	ID     ID     `json:"id" doc:"The member."`
	Number string `json:"number" doc:"The member's number for people." example:"8000123"`
}

// maxTwins bounds how often a batch is tried anew whose keys another process took.
const maxTwins = 3

func (s *Service) postBatch(ctx context.Context, r *api.Router, in *batchIn) (*batchOut, error) {
	b := &batch{s: s, items: in.Body.Items, results: make([]batchResult, len(in.Body.Items)), keys: make([]api.Key, len(in.Body.Items))}
	for i, item := range b.items {
		text, err := json.Marshal(item.NewMember)
		if err != nil {
			return nil, fmt.Errorf("read item %d of a batch: %w", i, err)
		}
		b.keys[i], err = api.MakeKey(ctx, "POST /v1/members/batch item", item.Key, text)
		if refusal := errs.As(err); refusal != nil {
			b.results[i] = problemIn(ctx, refusal.At("body.idempotency_key"))
		}
	}
	var err error
	for range maxTwins {
		if err = b.run(ctx, r); !errors.Is(err, api.ErrInFlight) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	out := &batchOut{}
	out.Body.Items = b.results
	return out, nil
}

// batch is one request on its way.
type batch struct {
	s       *Service
	items   []batchItem
	keys    []api.Key
	results []batchResult
}

// run enrols those who are new, in one transaction with their answers.
func (b *batch) run(ctx context.Context, r *api.Router) error {
	known, err := r.BeginItems(ctx, b.keys)
	if err != nil {
		return err
	}
	defer known.End()
	var list []Enrolment
	var places []int            // in items, of those in list
	first := map[[16]byte]int{} // place of a key, by its hash
	twins := map[int]int{}      // place of an item that has the key of an earlier one
	results := map[int]batchResult{}
	for i, k := range b.keys {
		if !k.Set {
			continue
		}
		if j, seen := first[k.Hash]; seen {
			twins[i] = j
			continue
		}
		first[k.Hash] = i
		raw, err := known.First(i)
		if raw.Status == 0 && err == nil {
			var n Enrolment
			if b.items[i].Advisor != "" { // given in a transaction of its own, which a batch has not
				err = ErrAdvisorAlone.At("body.advisor")
			} else if n, err = b.items[i].enrolment(b.s); err == nil {
				list, places = append(list, n), append(places, i)
				continue
			}
		}
		if err != nil {
			results[i] = problemIn(ctx, err)
		} else if results[i], err = replayed(raw); err != nil {
			return err
		}
	}
	if len(list) > 0 {
		if err := b.enrol(ctx, known, list, places, results); err != nil {
			return err
		}
	}
	for i, j := range twins {
		if results[i] = again(results[j]); b.keys[i].Body != b.keys[j].Body {
			results[i] = problemIn(ctx, api.ErrKeyReused.At("body.idempotency_key"))
		}
	}
	for i, result := range results {
		b.results[i] = result
	}
	return nil
}

// enrol writes members, the trail of who made them, and their answers.
func (b *batch) enrol(ctx context.Context, known *api.Items, list []Enrolment, places []int, to map[int]batchResult) error {
	made, err := b.s.createBatch(ctx, list, func(ctx context.Context, tx *db.Tx, made []Result) error {
		var ids []string
		answers := make([]api.Kept, len(made))
		for i, m := range made {
			result, body := enrolledIn(ctx, m)
			answers[i] = api.Kept{Item: places[i], Status: result.Status, Body: body, Member: int64(m.ID)}
			if m.Err == nil {
				ids = append(ids, m.ID.String())
			}
		}
		if b.s.hooks.Audit != nil {
			if err := b.s.hooks.Audit.RecordEach(ctx, tx, "member.created", ids); err != nil {
				return err
			}
		}
		return known.Keep(ctx, tx, answers)
	})
	for i, m := range made {
		to[places[i]], _ = enrolledIn(ctx, m)
	}
	return err
}

// enrolledIn is the result of an item, and its answer as it is kept.
func enrolledIn(ctx context.Context, m Result) (batchResult, []byte) {
	if m.Err != nil {
		p := problemIn(ctx, m.Err)
		return p, p.Problem
	}
	v := &madeView{m.ID, m.ID.Number()}
	return batchResult{Status: 201, Member: v}, mustJSON(v)
}

// replayed is the result of an item that was answered before.
func replayed(raw api.Raw) (batchResult, error) {
	b := batchResult{Status: raw.Status, Replayed: true}
	if raw.Status >= 400 {
		b.Problem = raw.Body
		return b, nil
	}
	b.Member = new(madeView)
	if err := json.Unmarshal(raw.Body, b.Member); err != nil {
		return b, fmt.Errorf("read a kept answer: %w", err)
	}
	return b, nil
}

// again is the result of a twin in the same batch.
func again(b batchResult) batchResult {
	b.Replayed = b.Status < 400 || b.Status == 409
	return b
}

func problemIn(ctx context.Context, err error) batchResult {
	p := api.ProblemOf(ctx, err)
	return batchResult{Status: p.Status, Problem: mustJSON(p)}
}

// mustJSON writes what cannot fail to be written: texts and numbers.
func mustJSON(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}
