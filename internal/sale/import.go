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
	var todo []posting
	for i, item := range items {
		p := posting{at: i, owner: item.Owner, ask: ask}
		var err error
		switch {
		case item.Sale != nil:
			p.build, err = s.recording(ctx, *item.Sale, ask)
		default:
			p.owner, p.build, err = s.returning(ctx, *item.Return, item.Owner, ask)
		}
		if err != nil {
			out[i].Err = err
			continue
		}
		todo = append(todo, p)
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
func (s *Service) returning(ctx context.Context, n NewReturn, owner member.ID, ask Ask) (member.ID, func(member.ID) ledger.Command, error) {
	d, err := s.draftReturn(ctx, n, ask)
	if err != nil {
		return 0, nil, err
	}
	snap, reach, claim := s.program.Snapshot(), reachOf(ctx), owner
	if n.Of == nil && n.Sale.Seq == 0 {
		return owner, func(owner member.ID) ledger.Command {
			c := *d
			c.own(owner)
			return &unnamed{doc: &c, lines: n.Lines, snap: snap, reach: reach}
		}, nil
	}
	home := member.ID(n.Sale.Member)
	if n.Of != nil {
		h := ledger.ContentHash([]string{n.Of.Source, n.Of.Document})
		home = member.ID(standIn(d.Store, h[0]))
	}
	return home, func(at member.ID) ledger.Command {
		c := *d
		c.Member = int64(at)
		return &giveBack{doc: &c, sale: n.Sale, of: n.Of, lines: n.Lines, claim: int64(claim), snap: snap, reach: reach}
	}, nil
}
