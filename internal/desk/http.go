package desk

import (
	"context"
	"net/http"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Routes adds what this package serves. Whoever is signed in may save views: they show
// nothing that the lists would not.
func (s *Service) Routes(r *api.Router) {
	tags := []string{"Saved views"}
	wrong := []error{ErrName, ErrQuery, ErrPerson, ErrColumns}
	api.Get(r, "/v1/views", s.getViews, api.Doc{
		ID: "listViews", Summary: "List one's saved views, and those that colleagues share, of one feature.", Tags: tags,
		Description: "Without a feature, one's own of all features. There are no pages: at most a hundred of each sort.",
	})
	api.Post(r, "/v1/views", s.postView, api.Doc{
		ID: "addView", Summary: "Save a view of a list.", Tags: tags, Status: http.StatusCreated, Fails: append([]error{ErrMany}, wrong...),
	})
	api.Patch(r, "/v1/views/{id}", s.patchView, api.Doc{
		ID: "changeView", Summary: "Change a saved view; what is left out stays.", Tags: tags,
		Fails: append([]error{ErrUnknown, ErrNotYours, ErrEdited}, wrong...),
	})
	api.Delete(r, "/v1/views/{id}", s.deleteView, api.Doc{
		ID: "deleteView", Summary: "Remove a saved view.", Tags: tags, Status: http.StatusNoContent, Fails: []error{ErrUnknown, ErrNotYours},
	})
}

type view struct {
	ID      string    `json:"id" doc:"The view."`
	Feature string    `json:"feature" doc:"Whose list it is of."`
	Name    string    `json:"name" doc:"What its owner calls it."`
	Query   string    `json:"query" doc:"The filter, as a query string without ?."`
	Columns []string  `json:"columns" doc:"The columns that are shown, in order; empty for those of the page."`
	Shared  bool      `json:"shared" doc:"Whether all colleagues see it."`
	Own     bool      `json:"own" doc:"Whether it is the caller's."`
	Owner   string    `json:"owner" doc:"Whose it is, as staff:stf_…"`
	Version int64     `json:"version" doc:"Grows at every change."`
	Changed time.Time `json:"changed_at" doc:"When it was last changed."`
}

func show(ctx context.Context, v View) view {
	return view{v.PublicID(), v.Feature, v.Name, v.Query, v.Columns, v.Shared, v.Owner == staff.ActorOf(ctx), v.Owner, v.Version, v.Changed}
}

type viewsIn struct {
	Feature string `query:"feature" enum:"members,sales,returns,entries,products,tasks,approvals,audit,jobs" doc:"Only views of this list."`
}

type viewsOut struct{ Body api.List[view] }

func (s *Service) getViews(ctx context.Context, in *viewsIn) (*viewsOut, error) {
	list, err := s.Views(ctx, in.Feature)
	if err != nil {
		return nil, err
	}
	out := &viewsOut{}
	out.Body.Items = make([]view, 0, len(list))
	for _, v := range list {
		out.Body.Items = append(out.Body.Items, show(ctx, v))
	}
	return out, nil
}

type addIn struct {
	Body struct {
		Feature string   `json:"feature" enum:"members,sales,returns,entries,products,tasks,approvals,audit,jobs" doc:"Whose list it is of."`
		Name    string   `json:"name" minLength:"1" maxLength:"240" doc:"At most 60 characters."`
		Query   string   `json:"query" maxLength:"2000" doc:"The filter, as a query string; it names no person."`
		Columns []string `json:"columns,omitempty" maxItems:"60" doc:"The columns that are shown, in order."`
		Shared  bool     `json:"shared,omitempty" doc:"Whether all colleagues are to see it."`
	}
}

type viewOut struct{ Body view }

func (s *Service) postView(ctx context.Context, in *addIn) (*viewOut, error) {
	b := in.Body
	v, err := s.Save(ctx, View{Feature: b.Feature, Name: b.Name, Query: b.Query, Columns: b.Columns, Shared: b.Shared})
	if err != nil {
		return nil, err
	}
	return &viewOut{show(ctx, v)}, nil
}

type viewRef struct {
	ID string `path:"id" maxLength:"40" doc:"The view."`
}

func (r viewRef) number() (int64, error) {
	_, n, err := id.Decode(prefix, r.ID)
	if err != nil {
		return 0, ErrUnknown
	}
	return n, nil
}

type changeIn struct {
	ID   string `path:"id" maxLength:"40" doc:"The view."`
	Body struct {
		Version int64     `json:"version,omitempty" minimum:"1" doc:"The version that this change is made from; another one meanwhile is a conflict."`
		Name    *string   `json:"name,omitempty" minLength:"1" maxLength:"240" doc:"At most 60 characters."`
		Query   *string   `json:"query,omitempty" maxLength:"2000" doc:"The filter."`
		Columns *[]string `json:"columns,omitempty" maxItems:"60" doc:"The columns that are shown, in order."`
		Shared  *bool     `json:"shared,omitempty" doc:"Whether all colleagues are to see it."`
	}
}

func (s *Service) patchView(ctx context.Context, in *changeIn) (*viewOut, error) {
	n, err := viewRef{in.ID}.number()
	if err != nil {
		return nil, err
	}
	b := in.Body
	v, err := s.Change(ctx, n, b.Version, func(v *View) {
		set(&v.Name, b.Name)
		set(&v.Query, b.Query)
		set(&v.Columns, b.Columns)
		set(&v.Shared, b.Shared)
	})
	if err != nil {
		return nil, err
	}
	return &viewOut{show(ctx, v)}, nil
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func (s *Service) deleteView(ctx context.Context, in *viewRef) (*struct{}, error) {
	n, err := in.number()
	if err != nil {
		return nil, err
	}
	return nil, s.Remove(ctx, n)
}
