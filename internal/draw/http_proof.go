package draw

import (
	"context"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
)

func (s *Service) proofRoutes(r *api.Router) {
	api.Get(r, "/portal/v1/draws/{id}/epochs", s.getEpochs, api.Doc{ID: "portalDrawEpochs", Summary: "List the epochs of a draw with the hashes of their seeds, the newest first.", Tags: portalTags, Public: true, Fails: []error{ErrNotFound, api.ErrCursor}})
	api.Get(r, "/portal/v1/draws/{id}/proof", s.getProof, api.Doc{ID: "portalDrawProof", Summary: "Read what is published of an epoch: hash and tables of odds and, once it is over, the seed.", Tags: portalTags, Public: true, Fails: []error{ErrNotFound, ErrEpochGone}})
	api.Get(r, "/portal/v1/draws/{id}/lines", s.getLines, api.Doc{ID: "portalDrawLines", Summary: "List the plays of an epoch that is over, the first first; they name nobody.", Tags: portalTags, Public: true, Fails: []error{ErrNotFound, ErrEpochGone, ErrSealed, api.ErrCursor}})
}

// published finds a draw that everybody may know of.
func (s *Service) published(ref string) (*Game, error) {
	g, err := s.Find(ref)
	if err != nil || g.State == Draft {
		return nil, ErrNotFound
	}
	return g, nil
}

type epochView struct {
	Epoch  int64      `json:"epoch" doc:"Its number, from 1."`
	From   time.Time  `json:"from" doc:"When it begins."`
	Until  *time.Time `json:"until,omitempty" doc:"The first instant after it; absent where it ends with the draw."`
	Hash   string     `json:"hash" doc:"SHA-256 of its seed."`
	Closed *time.Time `json:"closed_at,omitempty" doc:"When it ended and its seed was revealed; absent before."`
	Plays  int64      `json:"plays" doc:"How many plays it has, once it is over."`
}

func viewEpoch(e Epoch) epochView {
	return epochView{e.N, timeOf(e.FromMS), moment(min(never, e.UntilMS+1)), e.Hash, moment(e.ClosedMS), e.Plays}
}

type epochsIn struct {
	Ref
	api.Page
}

type epochsOut struct{ Body api.List[epochView] }

func (s *Service) getEpochs(ctx context.Context, in *epochsIn) (*epochsOut, error) {
	g, err := s.published(in.ID)
	if err != nil {
		return nil, err
	}
	list, next, err := s.Epochs(ctx, g, in.Page)
	if err != nil {
		return nil, err
	}
	out := &epochsOut{api.List[epochView]{Items: []epochView{}, NextCursor: next}}
	for _, e := range list {
		out.Body.Items = append(out.Body.Items, viewEpoch(e))
	}
	return out, nil
}

type proofIn struct {
	Ref
	Epoch int64 `query:"epoch" minimum:"0" doc:"Which epoch; that of now, or the last, where absent."`
}

type proofOut struct {
	Body struct {
		Proof
		Code   string            `json:"code" doc:"Code of the draw."`
		Name   string            `json:"name" doc:"Name of the draw, in the language of the caller."`
		From   time.Time         `json:"from" doc:"When the epoch begins."`
		Until  *time.Time        `json:"until,omitempty" doc:"The first instant after it; absent where it ends with the draw."`
		Closed *time.Time        `json:"closed_at,omitempty" doc:"When it ended; absent before."`
		Names  map[string]string `json:"names" doc:"Names of the prizes that the draw has now, by code, in the language of the caller."`
	}
}

func (s *Service) getProof(ctx context.Context, in *proofIn) (*proofOut, error) {
	g, err := s.published(in.ID)
	if err != nil {
		return nil, err
	}
	p, e, err := s.Proof(ctx, g, in.Epoch)
	if err != nil {
		return nil, err
	}
	out, v, lang := &proofOut{}, viewEpoch(e), api.Language(ctx)
	b := &out.Body
	b.Proof, b.Code, b.Name, b.From, b.Until, b.Closed = p, g.Code, i18n.Pick(lang, g.Terms.NameEN, g.Terms.NameZH), v.From, v.Until, v.Closed
	b.Names = map[string]string{}
	for _, x := range g.Terms.Prizes {
		b.Names[x.Code] = i18n.Pick(lang, x.NameEN, x.NameZH)
	}
	return out, nil
}

type linesIn struct {
	Ref
	api.Page
	Epoch int64 `query:"epoch" minimum:"1" required:"true" doc:"Which epoch."`
}

type linesOut struct{ Body api.List[Line] }

func (s *Service) getLines(ctx context.Context, in *linesIn) (*linesOut, error) {
	g, err := s.published(in.ID)
	if err != nil {
		return nil, err
	}
	list, next, err := s.Lines(ctx, g, in.Epoch, in.Page)
	if err != nil {
		return nil, err
	}
	return &linesOut{api.List[Line]{Items: list, NextCursor: next}}, nil
}
