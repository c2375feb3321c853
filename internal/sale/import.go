package sale

import (
	"context"

	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
)

// Item is one document of an import: a sale, or a return. Its member is known already.
type Item struct {
	Sale   *New
	Return *NewReturn // by its document Of, or, where that is nil, by member and sku
	Owner  member.ID  // 0 for nobody
}

// ImportMany posts documents together, in their order: those of one member take effect as
// they stand. rates replace the settings' where they name a currency, in millionths.
func (s *Service) ImportMany(ctx context.Context, items []Item, rates map[string]int64, ask Ask) []Result {
	ask.rates = rates
	out := make([]Result, len(items))
	var owners []member.ID
	for _, item := range items {
		if item.Sale != nil {
			owners = append(owners, item.Owner)
		}
	}
	ask.crowd = s.together(owners)
	var todo []posting
	for i, item := range items {
		p := posting{at: i, owner: item.Owner, ask: ask}
		if item.Sale != nil {
			p.build = s.recording(*item.Sale, ask)
		} else if p.owner, p.build, out[i].Err = s.returning(ctx, *item.Return, item.Owner, ask); out[i].Err != nil {
			continue
		}
		if p.command, out[i].Err = p.build(ctx, p.owner); out[i].Err == nil {
			todo = append(todo, p)
		}
	}
	s.post(ctx, todo, out)
	for i, item := range items {
		if item.Sale != nil && out[i].Err == nil {
			s.learn(item.Sale.Lines)
		}
	}
	return out
}

// returning checks a return and gives what makes its command, and the account with which
// it begins.
func (s *Service) returning(ctx context.Context, n NewReturn, owner member.ID, ask Ask) (member.ID, func(context.Context, member.ID) (ledger.Command, error), error) {
	d, err := s.draftReturn(ctx, n, ask)
	if err != nil {
		return 0, nil, err
	}
	snap, reach, claim := s.program.Snapshot(), reachOf(ctx), owner
	if n.Of == nil && n.Sale.Seq == 0 {
		return owner, func(_ context.Context, owner member.ID) (ledger.Command, error) {
			c := *d
			c.own(owner)
			return &unnamed{doc: &c, lines: n.Lines, steps: s.steps, snap: snap, reach: reach}, nil
		}, nil
	}
	home := member.ID(n.Sale.Member)
	if n.Of != nil {
		h := ledger.ContentHash([]string{n.Of.Source, n.Of.Document})
		home = member.ID(standIn(d.Store, h[0]))
	}
	return home, func(_ context.Context, at member.ID) (ledger.Command, error) {
		c := *d
		c.Member = int64(at)
		return &giveBack{doc: &c, sale: n.Sale, of: n.Of, lines: n.Lines, claim: int64(claim), steps: s.steps, snap: snap, reach: reach}, nil
	}, nil
}
