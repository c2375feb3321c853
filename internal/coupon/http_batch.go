package coupon

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/staff"
)

func (s *Service) batchRoutes(r *api.Router) {
	begins := []error{ErrNotFound, ErrNotLive, ErrPaused, ErrNoUse, ErrNameTaken}
	api.Post(r, "/v1/coupons/{id}/batches", s.postBatch, api.Doc{ID: "printVouchers", Summary: "Make a batch of codes that nobody holds yet, in the background.", Tags: tags, Needs: staff.WriteRules, Status: http.StatusAccepted,
		Description: "Whoever has a code of a bearer coupon may use it; of others the member who adds it, or uses it first. A batch that is sent again under the same name is not made twice.",
		Fails:       slices.Concat(begins, []error{ErrHowMany, ErrPattern})})
	api.Get(r, "/v1/coupons/{id}/batches", s.getBatches(Printing), api.Doc{ID: "listVoucherBatches", Summary: "List the batches of a coupon, the newest first.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrNotFound, api.ErrCursor}})
	api.Get(r, "/v1/coupon-batches/{id}", s.getBatch, api.Doc{ID: "getVoucherBatch", Summary: "Show a batch and how far it is.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrNoBatch}})
	api.Get(r, "/v1/coupon-batches/{id}/codes", s.getCodes, api.Doc{ID: "fetchVoucherCodes", Summary: "Fetch the codes of a batch as CSV.", Tags: tags, Needs: staff.WriteRules, Stream: true,
		Description: "Columns: code, shown (in groups), state, valid_from, valid_until. The trail has who fetched it.", Fails: []error{ErrNoBatch}})
	api.Post(r, "/v1/coupon-batches/{id}/cancel", s.postCancel, api.Doc{ID: "cancelVoucherBatch", Summary: "Stop a batch; what was made stays.", Tags: tags, Needs: staff.WriteRules, Fails: []error{ErrNoBatch, ErrEnded}})
	api.Post(r, "/v1/coupons/{id}/send", s.postSend, api.Doc{ID: "sendCoupon", Summary: "Give many members a voucher each, in the background.", Tags: tags, Needs: staff.WriteRules, Status: http.StatusAccepted,
		Description: "To members that are named, to all for whom a condition holds, or to all; of the last two, only those of the coupon's audience. No member gets two of one sending, also where it is sent again under the same name.",
		Fails:       slices.Concat(begins, wrong[10:], []error{ErrWhom, ErrMany, member.ErrRef, member.ErrNotFound, member.ErrQR})})
	api.Get(r, "/v1/coupons/{id}/sendings", s.getBatches(Sending), api.Doc{ID: "listCouponSendings", Summary: "List the sendings of a coupon, the newest first.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrNotFound, api.ErrCursor}})
	api.Get(r, "/v1/coupon-sendings/{id}", s.getBatch, api.Doc{ID: "getCouponSending", Summary: "Show a sending and how far it is.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrNoBatch}})
	api.Post(r, "/v1/coupon-sendings/{id}/cancel", s.postCancel, api.Doc{ID: "cancelCouponSending", Summary: "Stop a sending; what was given stays.", Tags: tags, Needs: staff.WriteRules, Fails: []error{ErrNoBatch, ErrEnded}})
}

// batchView is a job for many and how far it is.
type batchView struct {
	ID        string     `json:"id" doc:"The batch or sending."`
	Coupon    string     `json:"coupon_id" doc:"The coupon."`
	Name      string     `json:"name" doc:"What it is called."`
	State     string     `json:"state" enum:"filling,running,done,cancelled" doc:"Whether it goes on."`
	Job       string     `json:"job_id,omitempty" doc:"The job that does it."`
	Pattern   string     `json:"pattern,omitempty" doc:"Of a batch: how its codes look."`
	Condition string     `json:"condition,omitempty" doc:"Of a sending: to whom."`
	All       bool       `json:"all,omitempty" doc:"Of a sending: to everybody."`
	Total     int64      `json:"total" doc:"How many codes or members it is for; 0 where a condition says."`
	Looked    int64      `json:"looked_at" doc:"Of a sending: how many members were looked at so far."`
	Issued    int64      `json:"issued" doc:"Vouchers made so far."`
	Passed    int64      `json:"passed_over" doc:"Members for whom the condition does not hold, or who are not of the audience."`
	Refused   int64      `json:"refused" doc:"Members who are gone or blocked, and whatever limits left no voucher for."`
	Maker     string     `json:"maker" doc:"Who asked for it, as staff:stf_…"`
	Made      time.Time  `json:"made_at" doc:"When."`
	Done      *time.Time `json:"done_at,omitempty" doc:"When it ended."`
}

func (s *Service) viewBatch(b *Batch) batchView {
	v := batchView{
		ID: b.PublicID(), Name: b.Name, State: b.State, Pattern: string(b.Plan.Pattern), Condition: b.Plan.Condition, All: b.Plan.All,
		Total: b.Total, Looked: b.Looked, Issued: b.Issued, Passed: b.Passed, Refused: b.Refused, Maker: b.Maker, Made: b.Made,
	}
	if c := s.now.Load().coupons[b.Coupon]; c != nil {
		v.Coupon = c.PublicID()
	}
	if b.Job != 0 {
		v.Job = b.Job.String()
	}
	if !b.Done.IsZero() {
		v.Done = &b.Done
	}
	return v
}

type batchOut struct{ Body batchView }

func (s *Service) answerBatch(b *Batch, err error) (*batchOut, error) {
	if err != nil {
		return nil, err
	}
	return &batchOut{s.viewBatch(b)}, nil
}

type printIn struct {
	CouponRef
	Body struct {
		Count   int64  `json:"count" minimum:"1" maximum:"1000000" doc:"How many codes."`
		Pattern string `json:"pattern,omitempty" maxLength:"60" doc:"How they look: # is a random character, digits and capitals (without I, L, O and U) stand as they are; a check character is added. Thirteen random characters where absent." example:"TEA-####-####-####"`
		Name    string `json:"name,omitempty" maxLength:"100" doc:"What it is called; the same again under one name does nothing twice."`
	}
}

func (s *Service) postBatch(ctx context.Context, in *printIn) (*batchOut, error) {
	return s.answerBatch(s.Print(ctx, in.ID, in.Body.Name, in.Body.Count, Pattern(in.Body.Pattern)))
}

type sendIn struct {
	CouponRef
	Body struct {
		Members   []string `json:"members,omitempty" maxItems:"1000" doc:"These members, by any identifier, each as often as they stand here."`
		Condition string   `json:"condition,omitempty" maxLength:"8000" doc:"Or all for whom this holds: a condition of kind member."`
		All       bool     `json:"all,omitempty" doc:"Or everybody."`
		Name      string   `json:"name,omitempty" maxLength:"100" doc:"What it is called; the same again under one name does nothing twice."`
	}
}

func (s *Service) postSend(ctx context.Context, in *sendIn) (*batchOut, error) {
	members, err := s.listed(ctx, in.Body.Members)
	if err != nil {
		return nil, err
	}
	return s.answerBatch(s.Send(ctx, in.ID, in.Body.Name, Plan{Condition: in.Body.Condition, All: in.Body.All}, members))
}

type batchesIn struct {
	CouponRef
	api.Page
}

type batchesOut struct{ Body api.List[batchView] }

func (s *Service) getBatches(kind BatchKind) func(context.Context, *batchesIn) (*batchesOut, error) {
	return func(ctx context.Context, in *batchesIn) (*batchesOut, error) {
		c, err := s.Find(in.ID)
		if err != nil {
			return nil, err
		}
		list, next, err := s.Batches(ctx, c, kind, in.Page)
		if err != nil {
			return nil, err
		}
		out := &batchesOut{api.List[batchView]{Items: []batchView{}, NextCursor: next}}
		for _, b := range list {
			out.Body.Items = append(out.Body.Items, s.viewBatch(b))
		}
		return out, nil
	}
}

type batchRef struct {
	ID string `path:"id" minLength:"1" maxLength:"40" doc:"The batch (cpb_…) or sending (cps_…)."`
}

func (s *Service) getBatch(ctx context.Context, in *batchRef) (*batchOut, error) {
	return s.answerBatch(s.Batch(ctx, in.ID))
}

func (s *Service) postCancel(ctx context.Context, in *batchRef) (*batchOut, error) {
	return s.answerBatch(s.Cancel(ctx, in.ID))
}

// codePage is how many codes are read at a time: no reading is open while they are written to
// whoever is slow.
const codePage = 2_000

// eachOfBatch reads the vouchers of a batch, page by page.
func (s *Service) eachOfBatch(ctx context.Context, b *Batch, fn func(*Voucher) error) error {
	shard, code := int64(-1), ""
	for {
		var list []*Voucher
		err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			list = nil
			return scanVouchers(&list)(tx.Query(ctx, ofBatchSQL, b.ID, shard, code, codePage))
		})
		if err != nil {
			return err
		}
		for _, v := range list {
			if err := fn(v); err != nil {
				return err
			}
			shard, code = shardOfCode(v.Code), v.Code
		}
		if len(list) < codePage {
			return nil
		}
	}
}

// getCodes streams. What goes wrong once it has begun can only cut it.
func (s *Service) getCodes(ctx context.Context, in *batchRef) (*huma.StreamResponse, error) {
	b, err := s.Batch(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return s.recordBatch(ctx, tx, "fetch", b) }); err != nil {
		return nil, err
	}
	zone, nowMS := s.zone(), s.nowMS()
	when := func(ms int64) string {
		if t := moment(ms); t != nil {
			return t.In(zone).Format(time.RFC3339)
		}
		return ""
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", "text/csv; charset=utf-8")
		hc.SetHeader("Content-Disposition", fmt.Sprintf(`attachment; filename="codes-%s.csv"`, b.PublicID()))
		hc.SetHeader("Cache-Control", "no-store")
		hc.SetStatus(http.StatusOK)
		out := csv.NewWriter(api.Patiently(hc))
		_ = out.Write([]string{"code", "shown", "state", "valid_from", "valid_until"}) // an error stays until Flush
		err := s.eachOfBatch(ctx, b, func(v *Voucher) error {
			return out.Write([]string{v.Code, shown(v.Code), v.Standing(nowMS), when(v.From), when(v.Until)})
		})
		if out.Flush(); err == nil {
			err = out.Error()
		}
		if err != nil {
			s.o.Log.Error("a list of codes was cut short", "batch", b.PublicID(), "error", err)
			panic(http.ErrAbortHandler)
		}
	}}, nil
}
