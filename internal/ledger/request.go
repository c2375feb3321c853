package ledger

import (
	"context"
	"encoding/json"

	"github.com/patron-loyalty/patron/internal/kit/api"
)

// RequestOf dresses a command as what the caller of ctx has sent: with their name for the
// entries, their key, and refusals in their language.
func RequestOf(ctx context.Context, c Command, dry bool) Request {
	return Request{
		Command: c, Actor: actorOf(ctx), Key: api.KeyOf(ctx), DryRun: dry,
		Refusal: func(err error) (int, []byte) {
			p := api.ProblemOf(ctx, err)
			body, jsonErr := json.Marshal(p)
			if jsonErr != nil {
				panic(jsonErr) // a problem is plain text
			}
			return p.Status, body
		},
	}
}

// Repeated reports whether the posting is an earlier one, of the same document.
func (p *Posted) Repeated() bool { return p.repeated }
