package program

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// placeRoutes adds merchants, stores and tills. Lists come from memory, in the order in
// which the places were made.
func (s *Service) placeRoutes(r *api.Router) {
	tags := []string{"Places"}
	api.Get(r, "/v1/merchants", s.listMerchants, api.Doc{ID: "listMerchants", Summary: "List merchants.", Tags: tags})
	api.Post(r, "/v1/merchants", s.postMerchant, api.Doc{ID: "addMerchant", Summary: "Add a merchant.", Tags: tags,
		Needs: Manage, Status: 201, Fails: []error{ErrCodeTaken, ErrCode, ErrName, ErrTooMany, ErrLimited}})
	api.Get(r, "/v1/merchants/{id}", s.getMerchant, api.Doc{ID: "getMerchant", Summary: "Read a merchant.", Tags: tags, Fails: []error{ErrNoMerchant}})
	api.Patch(r, "/v1/merchants/{id}", s.patchMerchant, api.Doc{ID: "changeMerchant", Summary: "Rename, close or open a merchant.", Tags: tags,
		Needs: Manage, Fails: []error{ErrNoMerchant, ErrName, ErrDefault, ErrLimited}})

	api.Get(r, "/v1/stores", s.listStores, api.Doc{ID: "listStores", Summary: "List stores.", Tags: tags, Fails: []error{ErrNoMerchant}})
	api.Post(r, "/v1/stores", s.postStore, api.Doc{ID: "addStore", Summary: "Add a store to a merchant.", Tags: tags,
		Needs: Manage, Status: 201, Fails: []error{ErrNoMerchant, ErrClosed, ErrCodeTaken, ErrCode, ErrName, ErrZone, ErrAddress, ErrTooMany, ErrLimited}})
	api.Get(r, "/v1/stores/{id}", s.getStore, api.Doc{ID: "getStore", Summary: "Read a store.", Tags: tags, Fails: []error{ErrNoStore}})
	api.Patch(r, "/v1/stores/{id}", s.patchStore, api.Doc{ID: "changeStore", Summary: "Change, close or open a store.", Tags: tags,
		Needs: Manage, Fails: []error{ErrNoStore, ErrName, ErrZone, ErrAddress, ErrDefault, ErrClosed}})

	api.Get(r, "/v1/tills", s.listTills, api.Doc{ID: "listTills", Summary: "List tills.", Tags: tags, Fails: []error{ErrNoStore}})
	api.Post(r, "/v1/tills", s.postTill, api.Doc{ID: "addTill", Summary: "Add a till to a store.", Tags: tags,
		Needs: Manage, Status: 201, Fails: []error{ErrNoStore, ErrClosed, ErrCodeTaken, ErrCode, ErrTooMany}})
	api.Get(r, "/v1/tills/{id}", s.getTill, api.Doc{ID: "getTill", Summary: "Read a till.", Tags: tags, Fails: []error{ErrNoTill}})
	api.Patch(r, "/v1/tills/{id}", s.patchTill, api.Doc{ID: "changeTill", Summary: "Close or open a till.", Tags: tags,
		Needs: Manage, Fails: []error{ErrNoTill}})
}

// PlaceFilter narrows a list of places. It is exported so that the router finds its fields.
type PlaceFilter struct {
	Q     string `query:"q" maxLength:"100" doc:"Words of the code, a name or the address; all of them have to be there."`
	State string `query:"state" enum:"open,closed" doc:"Only those that are open, or closed."`
}

// fits reports whether a place with these texts is asked for. Case does not matter.
func (f PlaceFilter) fits(open bool, texts ...string) bool {
	if f.State != "" && open != (f.State == "open") {
		return false
	}
	text := strings.ToLower(strings.Join(texts, " "))
	for _, word := range strings.Fields(strings.ToLower(f.Q)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

type placeRef struct {
	ID string `path:"id" minLength:"1" maxLength:"64" doc:"Id; a merchant or a store may be named by its code too."`
}

type merchantView struct {
	ID     string `json:"id" doc:"Id of the merchant."`
	Code   string `json:"code" doc:"Code, unique in the programme."`
	NameEN string `json:"name_en" doc:"English name."`
	NameZH string `json:"name_zh" doc:"Chinese name."`
	Open   bool   `json:"open" doc:"Whether it takes part now."`
}

func viewMerchant(m Merchant) merchantView {
	return merchantView{MerchantID(m.ID), m.Code, m.NameEN, m.NameZH, m.Open}
}

type merchantOut struct{ Body merchantView }

type merchantsIn struct {
	api.Page
	PlaceFilter
}

type merchantsOut struct{ Body api.List[merchantView] }

func (s *Service) listMerchants(ctx context.Context, in *merchantsIn) (*merchantsOut, error) {
	now, who := s.Snapshot(), api.CallerOf(ctx)
	list, err := page(now.merchants, in.Page, func(m Merchant) int64 { return m.ID },
		func(m Merchant) bool {
			return now.SeesMerchant(who, m.ID) && in.fits(m.Open, m.Code, m.NameEN, m.NameZH)
		}, viewMerchant)
	return &merchantsOut{list}, err
}

func (s *Service) getMerchant(ctx context.Context, in *placeRef) (*merchantOut, error) {
	now := s.Snapshot()
	m, err := now.FindMerchant(in.ID)
	if err != nil || !now.SeesMerchant(api.CallerOf(ctx), m.ID) {
		return nil, ErrNoMerchant
	}
	return &merchantOut{viewMerchant(m)}, nil
}

type newMerchantIn struct {
	Body struct {
		Code   string `json:"code" minLength:"1" maxLength:"40" doc:"Unique, and fixed from now on." example:"bund-1"`
		NameEN string `json:"name_en,omitempty" maxLength:"200" doc:"English name; the Chinese one where absent."`
		NameZH string `json:"name_zh,omitempty" maxLength:"200" doc:"Chinese name; the English one where absent."`
	}
}

func (s *Service) postMerchant(ctx context.Context, in *newMerchantIn) (*merchantOut, error) {
	m, err := s.AddMerchant(ctx, Merchant{Code: in.Body.Code, NameEN: in.Body.NameEN, NameZH: in.Body.NameZH})
	if err != nil {
		return nil, err
	}
	return &merchantOut{viewMerchant(m)}, nil
}

type changeMerchantIn struct {
	ID   string `path:"id" minLength:"1" maxLength:"64" doc:"Id; a merchant or a store may be named by its code too."`
	Body struct {
		NameEN *string `json:"name_en,omitempty" minLength:"1" maxLength:"200" doc:"English name."`
		NameZH *string `json:"name_zh,omitempty" minLength:"1" maxLength:"200" doc:"Chinese name."`
		Open   *bool   `json:"open,omitempty" doc:"False closes, true opens again."`
	}
}

func (s *Service) patchMerchant(ctx context.Context, in *changeMerchantIn) (*merchantOut, error) {
	m, err := s.ChangeMerchant(ctx, in.ID, PlaceChange{NameEN: in.Body.NameEN, NameZH: in.Body.NameZH, Open: in.Body.Open})
	if err != nil {
		return nil, err
	}
	return &merchantOut{viewMerchant(m)}, nil
}

type storeView struct {
	ID       string `json:"id" doc:"Id of the store."`
	Merchant string `json:"merchant" doc:"Id of the merchant that owns it."`
	Code     string `json:"code" doc:"Code, unique in the programme."`
	NameEN   string `json:"name_en" doc:"English name."`
	NameZH   string `json:"name_zh" doc:"Chinese name."`
	Zone     string `json:"zone,omitempty" doc:"Its own time zone; absent: the programme's."`
	Address  string `json:"address,omitempty" doc:"Where it is."`
	Open     bool   `json:"open" doc:"Whether it sells now."`
}

func viewStore(s Store) storeView {
	return storeView{StoreID(s.ID), MerchantID(s.Merchant), s.Code, s.NameEN, s.NameZH, s.Zone, s.Address, s.Open}
}

type storeOut struct{ Body storeView }

type storesIn struct {
	api.Page
	PlaceFilter
	Merchant string `query:"merchant" maxLength:"64" doc:"Only stores of this merchant (id or code)."`
}

type storesOut struct{ Body api.List[storeView] }

func (s *Service) listStores(ctx context.Context, in *storesIn) (*storesOut, error) {
	now, who := s.Snapshot(), api.CallerOf(ctx)
	var of int64
	if in.Merchant != "" {
		m, err := now.FindMerchant(in.Merchant)
		if err != nil {
			return nil, errs.As(err).At("query.merchant")
		}
		of = m.ID
	}
	list, err := page(now.stores, in.Page, func(st Store) int64 { return st.ID },
		func(st Store) bool {
			return (of == 0 || of == st.Merchant) && now.SeesStore(who, st.ID) && in.fits(st.Open, st.Code, st.NameEN, st.NameZH, st.Address)
		}, viewStore)
	return &storesOut{list}, err
}

func (s *Service) getStore(ctx context.Context, in *placeRef) (*storeOut, error) {
	now := s.Snapshot()
	st, err := now.FindStore(in.ID)
	if err != nil || !now.SeesStore(api.CallerOf(ctx), st.ID) {
		return nil, ErrNoStore
	}
	return &storeOut{viewStore(st)}, nil
}

type newStoreIn struct {
	Body struct {
		Code     string `json:"code" minLength:"1" maxLength:"40" doc:"Unique, and fixed from now on." example:"bund-1"`
		NameEN   string `json:"name_en,omitempty" maxLength:"200" doc:"English name; the Chinese one where absent."`
		NameZH   string `json:"name_zh,omitempty" maxLength:"200" doc:"Chinese name; the English one where absent."`
		Merchant string `json:"merchant" minLength:"1" maxLength:"64" doc:"Id or code of the merchant that owns it."`
		Zone     string `json:"zone,omitempty" maxLength:"60" doc:"Its own time zone (IANA); absent: the programme's."`
		Address  string `json:"address,omitempty" maxLength:"500" doc:"Where it is."`
	}
}

func (s *Service) postStore(ctx context.Context, in *newStoreIn) (*storeOut, error) {
	b := in.Body
	m, err := s.Snapshot().FindMerchant(b.Merchant)
	if err != nil {
		return nil, errs.As(err).At("body.merchant")
	}
	st, err := s.AddStore(ctx, Store{Merchant: m.ID, Code: b.Code, NameEN: b.NameEN, NameZH: b.NameZH, Zone: b.Zone, Address: b.Address})
	if err != nil {
		return nil, err
	}
	return &storeOut{viewStore(st)}, nil
}

type changeStoreIn struct {
	ID   string `path:"id" minLength:"1" maxLength:"64" doc:"Id; a merchant or a store may be named by its code too."`
	Body struct {
		NameEN  *string `json:"name_en,omitempty" minLength:"1" maxLength:"200" doc:"English name."`
		NameZH  *string `json:"name_zh,omitempty" minLength:"1" maxLength:"200" doc:"Chinese name."`
		Zone    *string `json:"zone,omitempty" maxLength:"60" doc:"Time zone (IANA); empty for the programme's."`
		Address *string `json:"address,omitempty" maxLength:"500" doc:"Where it is."`
		Open    *bool   `json:"open,omitempty" doc:"False closes, true opens again."`
	}
}

func (s *Service) patchStore(ctx context.Context, in *changeStoreIn) (*storeOut, error) {
	b := in.Body
	st, err := s.ChangeStore(ctx, in.ID, PlaceChange{NameEN: b.NameEN, NameZH: b.NameZH, Zone: b.Zone, Address: b.Address, Open: b.Open})
	if err != nil {
		return nil, err
	}
	return &storeOut{viewStore(st)}, nil
}

type tillView struct {
	ID    string `json:"id" doc:"Id of the till."`
	Store string `json:"store" doc:"Id of the store that it stands in."`
	Code  string `json:"code" doc:"Code, unique in its store."`
	Open  bool   `json:"open" doc:"Whether it is in use."`
}

func viewTill(t Till) tillView { return tillView{TillID(t.ID), StoreID(t.Store), t.Code, t.Open} }

type tillOut struct{ Body tillView }

type tillsIn struct {
	api.Page
	PlaceFilter
	Store string `query:"store" maxLength:"64" doc:"Only tills of this store (id or code)."`
}

type tillsOut struct{ Body api.List[tillView] }

func (s *Service) listTills(ctx context.Context, in *tillsIn) (*tillsOut, error) {
	now, who := s.Snapshot(), api.CallerOf(ctx)
	var of int64
	if in.Store != "" {
		st, err := now.FindStore(in.Store)
		if err != nil {
			return nil, errs.As(err).At("query.store")
		}
		of = st.ID
	}
	list, err := page(now.tills, in.Page, func(t Till) int64 { return t.ID },
		func(t Till) bool {
			return (of == 0 || of == t.Store) && now.SeesStore(who, t.Store) && in.fits(t.Open, t.Code)
		}, viewTill)
	return &tillsOut{list}, err
}

func (s *Service) getTill(ctx context.Context, in *placeRef) (*tillOut, error) {
	now := s.Snapshot()
	t, ok := now.Till(numberOf(tillPrefix, in.ID))
	if !ok || !now.SeesStore(api.CallerOf(ctx), t.Store) {
		return nil, ErrNoTill
	}
	return &tillOut{viewTill(t)}, nil
}

type newTillIn struct {
	Body struct {
		Store string `json:"store" minLength:"1" maxLength:"64" doc:"Id or code of the store that it stands in."`
		Code  string `json:"code" minLength:"1" maxLength:"40" doc:"Unique in its store, and fixed from now on."`
	}
}

func (s *Service) postTill(ctx context.Context, in *newTillIn) (*tillOut, error) {
	st, err := s.Snapshot().FindStore(in.Body.Store)
	if err != nil {
		return nil, errs.As(err).At("body.store")
	}
	t, err := s.AddTill(ctx, Till{Store: st.ID, Code: in.Body.Code})
	if err != nil {
		return nil, err
	}
	return &tillOut{viewTill(t)}, nil
}

type changeTillIn struct {
	ID   string `path:"id" minLength:"1" maxLength:"64" doc:"Id; a merchant or a store may be named by its code too."`
	Body struct {
		Open bool `json:"open" doc:"False closes, true opens again."`
	}
}

func (s *Service) patchTill(ctx context.Context, in *changeTillIn) (*tillOut, error) {
	t, err := s.ChangeTill(ctx, in.ID, PlaceChange{Open: &in.Body.Open})
	if err != nil {
		return nil, err
	}
	return &tillOut{viewTill(t)}, nil
}

// page takes the rows after the cursor that the caller may see. rows lie in the order of
// their numbers.
func page[R, V any](rows []R, p api.Page, number func(R) int64, sees func(R) bool, view func(R) V) (api.List[V], error) {
	out := api.List[V]{Items: []V{}}
	after, err := api.DecodeCursor(p.Cursor, 1)
	if err != nil {
		return out, err
	}
	at := 0
	if after != nil {
		at, _ = slices.BinarySearchFunc(rows, after[0]+1, func(r R, n int64) int { return cmp.Compare(number(r), n) })
	}
	last := int64(0)
	for _, r := range rows[at:] {
		if !sees(r) {
			continue
		}
		if len(out.Items) == p.Limit {
			out.NextCursor = api.EncodeCursor(last)
			break
		}
		out.Items, last = append(out.Items, view(r)), number(r)
	}
	return out, nil
}
