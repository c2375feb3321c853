package sale

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// Look is a command that changes nothing: it answers what the account alone knows of a member, as
// far as that is Known. Run it dry. Its value is Looked.
type Look struct {
	Member int64
	Facts  []cond.Need
}

// Looked is what a Look found.
type Looked struct {
	Member int64
	Found  cond.Found
}

// Needs names the member.
func (c Look) Needs() ledger.Needs { return ledger.Needs{Members: []int64{c.Member}} }

// Decide looks.
func (c Look) Decide(st *ledger.State) (any, error) {
	a, err := st.Account(c.Member)
	if err != nil {
		return nil, err
	}
	out := Looked{c.Member, cond.Found{}}
	Find(st, a, st.Day(st.NowMS), c.Facts, out.Found)
	return out, nil
}

// FoundOf is a Look at one member.
func FoundOf(ctx context.Context, e *ledger.Engine, member int64, needs []cond.Need) (cond.Found, error) {
	a := e.Do(ctx, ledger.Request{Command: Look{member, needs}, DryRun: true})
	if a.Err != nil {
		return nil, a.Err
	}
	return a.Value.(Looked).Found, nil
}
