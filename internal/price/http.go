package price

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Routes adds what this package serves.
func (s *Service) Routes(r *api.Router) {
	tags := []string{"Prices"}
	wrong := []error{
		ErrName, ErrTier, ErrPlan, ErrWindow, ErrFacts, program.ErrNoStore, program.ErrTime,
		cond.ErrEmpty, cond.ErrLong, cond.ErrSyntax, cond.ErrName, cond.ErrField, cond.ErrType, cond.ErrResult, cond.ErrMoney, cond.ErrValue, cond.ErrConstant, cond.ErrDivisor, cond.ErrDeep, cond.ErrCost,
	}
	api.Get(r, "/v1/prices", s.getPrices, api.Doc{
		ID: "listPrices", Summary: "Look up what products cost a member.", Tags: tags, Needs: staff.ReadSales, Fails: []error{member.ErrRef, member.ErrNotFound, member.ErrQR, program.ErrNoStore},
		Description: "For a shop window: one unit of each product by itself, at the price of the catalogue, with member prices and the discounts of tier and plan, and without coupons. The basket is what counts: see openCheckout.",
	})
	api.Get(r, "/v1/price-lists", s.getLists, api.Doc{ID: "listPriceLists", Summary: "List price lists, the newest first.", Tags: tags, Needs: staff.ReadRules, Fails: []error{api.ErrCursor}})
	api.Post(r, "/v1/price-lists", s.postList, api.Doc{
		ID: "addPriceList", Summary: "Make a price list, as a draft.", Tags: tags, Needs: staff.WriteRules, Status: http.StatusCreated, Fails: append([]error{ErrCode, ErrTaken, ErrMany}, wrong...),
	})
	api.Get(r, "/v1/price-lists/{id}", s.getList, api.Doc{ID: "getPriceList", Summary: "Show a price list.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrUnknown}})
	api.Put(r, "/v1/price-lists/{id}", s.putList, api.Doc{
		ID: "changePriceList", Summary: "Write anew for whom, where and when a price list is.", Tags: tags, Needs: staff.WriteRules, Fails: append([]error{ErrUnknown, ErrEdited}, wrong...),
	})
	api.Delete(r, "/v1/price-lists/{id}", s.deleteList, api.Doc{
		ID: "removePriceList", Summary: "Remove a price list that is not live, with all of its prices.", Tags: tags, Needs: staff.WriteRules, Status: http.StatusNoContent, Fails: []error{ErrUnknown, ErrLive, ErrEdited},
	})
	for _, m := range []struct {
		path, id, summary string
		to                State
	}{
		{"publish", "publishPriceList", "Publish a draft, or go on with a paused list: it holds from its time on.", Live},
		{"pause", "pausePriceList", "Pause a live list.", Paused},
	} {
		api.Post(r, "/v1/price-lists/{id}/"+m.path, s.mover(m.to), api.Doc{ID: m.id, Summary: m.summary, Tags: tags, Needs: staff.WriteRules, Fails: []error{ErrUnknown, ErrState, ErrEdited}})
	}
	api.Get(r, "/v1/price-lists/{id}/items", s.getItems, api.Doc{ID: "listPriceItems", Summary: "List the prices of a list, the newest first.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrUnknown, api.ErrCursor}})
	api.Put(r, "/v1/price-lists/{id}/items", s.putItems, api.Doc{
		ID: "putPriceItems", Summary: "Write prices of a list: up to 1,000 in one request.", Tags: tags, Needs: staff.WriteRules, Fails: []error{ErrUnknown, ErrItem, ErrItems},
		Description: "What is named is written anew; what is not named stays. All are written, or none.",
	})
	api.Post(r, "/v1/price-lists/{id}/items/remove", s.dropItems, api.Doc{ID: "removePriceItems", Summary: "Take prices off a list.", Tags: tags, Needs: staff.WriteRules, Fails: []error{ErrUnknown}})
}

// Ref names the list that a path is about.
type Ref struct {
	ID string `path:"id" minLength:"1" maxLength:"40" doc:"The list: prl_…, or its code."`
}

type listView struct {
	ID      string `json:"id" doc:"The list."`
	Code    string `json:"code" doc:"Unique and fixed." example:"gold-tea"`
	State   State  `json:"state" enum:"draft,scheduled,live,paused,ended" doc:"Where it stands now; scheduled until its time begins, ended when it is over."`
	Version int64  `json:"version" doc:"Of what it says of whom, where and when."`
	Terms
	Currency string    `json:"money_currency" doc:"The currency of all prices: the programme's."`
	Items    int       `json:"items" doc:"How many prices it has."`
	Made     time.Time `json:"made_at" doc:"When it was made."`
	Changed  time.Time `json:"changed_at" doc:"When its terms or its state changed last."`
}

func (s *Service) view(l *List) listView {
	snap := s.o.Program.Snapshot()
	return listView{l.PublicID(), l.Code, l.Standing(s.o.Clock.Now(), snap.Zone), l.Version, l.Terms, snap.Settings.Currency, l.Items, l.Made, l.Changed}
}

type listOut struct{ Body listView }

func (s *Service) answer(l *List, err error) (*listOut, error) {
	if err != nil {
		return nil, err
	}
	return &listOut{s.view(l)}, nil
}

type listsIn struct {
	api.Page
	State State  `query:"state" enum:"draft,scheduled,live,paused,ended" doc:"Only those that stand there."`
	Q     string `query:"q" maxLength:"100" doc:"Only those whose code or name has this in it."`
}

type listsOut struct{ Body api.List[listView] }

func (s *Service) getLists(_ context.Context, in *listsIn) (*listsOut, error) {
	after, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return nil, err
	}
	out := &listsOut{api.List[listView]{Items: []listView{}}}
	for _, l := range s.Lists(in.State, in.Q) {
		switch {
		case after != nil && l.ID >= after[0]:
			continue
		case len(out.Body.Items) == in.Limit:
			last, _ := s.Find(out.Body.Items[in.Limit-1].Code)
			out.Body.NextCursor = api.EncodeCursor(last.ID)
			return out, nil
		}
		out.Body.Items = append(out.Body.Items, s.view(l))
	}
	return out, nil
}

type newListIn struct {
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"40" doc:"Unique, and fixed from now on: lower-case letters, digits, dashes and underscores." example:"gold-tea"`
		Terms
	}
}

func (s *Service) postList(ctx context.Context, in *newListIn) (*listOut, error) {
	return s.answer(s.Add(ctx, in.Body.Code, in.Body.Terms))
}

func (s *Service) getList(_ context.Context, in *Ref) (*listOut, error) {
	return s.answer(s.Find(in.ID))
}

type putListIn struct {
	Ref
	Body struct {
		Version int64 `json:"version,omitempty" minimum:"1" doc:"The version that this change is made from; another one meanwhile is a conflict."`
		Terms
	}
}

func (s *Service) putList(ctx context.Context, in *putListIn) (*listOut, error) {
	return s.answer(s.Change(ctx, in.ID, in.Body.Version, in.Body.Terms))
}

func (s *Service) deleteList(ctx context.Context, in *Ref) (*struct{}, error) {
	return nil, s.Remove(ctx, in.ID)
}

func (s *Service) mover(to State) func(context.Context, *Ref) (*listOut, error) {
	return func(ctx context.Context, in *Ref) (*listOut, error) { return s.answer(s.Move(ctx, in.ID, to)) }
}

type itemsIn struct {
	Ref
	api.Page
	Q string `query:"q" maxLength:"100" doc:"Only those whose product, brand or category has this in its code."`
}

type itemsOut struct{ Body api.List[Item] }

func (s *Service) getItems(ctx context.Context, in *itemsIn) (*itemsOut, error) {
	l, err := s.Find(in.ID)
	if err != nil {
		return nil, err
	}
	after, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return nil, err
	}
	before := int64(math.MaxInt64)
	if after != nil {
		before = after[0]
	}
	list, err := s.items(ctx, l, before, in.Q, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &itemsOut{api.List[Item]{Items: []Item{}}}
	for i, x := range list {
		if i == in.Limit {
			out.Body.NextCursor = api.EncodeCursor(list[i-1].n)
			break
		}
		out.Body.Items = append(out.Body.Items, x.item)
	}
	return out, nil
}

type putItemsIn struct {
	Ref
	Body struct {
		Items []Item `json:"items" minItems:"1" maxItems:"1000" doc:"What the list says from now on."`
	}
}

func (s *Service) putItems(ctx context.Context, in *putItemsIn) (*listOut, error) {
	return s.answer(s.Put(ctx, in.ID, in.Body.Items))
}

// Key names an item.
type Key struct {
	SKU      string `json:"sku,omitempty" maxLength:"64" doc:"The product; or"`
	Brand    string `json:"brand,omitempty" maxLength:"100" doc:"the brand; or"`
	Category string `json:"category,omitempty" maxLength:"200" doc:"the category."`
}

type dropItemsIn struct {
	Ref
	Body struct {
		Items []Key `json:"items" minItems:"1" maxItems:"1000" doc:"Which prices to take off the list; one that is not there is none."`
	}
}

func (s *Service) dropItems(ctx context.Context, in *dropItemsIn) (*listOut, error) {
	keys := make([]Item, len(in.Body.Items))
	for i, k := range in.Body.Items {
		keys[i] = Item{SKU: k.SKU, Brand: k.Brand, Category: k.Category}
	}
	return s.answer(s.Drop(ctx, in.ID, keys))
}
