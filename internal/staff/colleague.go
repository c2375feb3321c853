package staff

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
)

// Colleague refuses a public id that is not of an account that can sign in: for what is
// given to a person to do.
func (s *Service) Colleague(ctx context.Context, ref string) error {
	n, err := number(accountPrefix, ref, ErrNoAccount)
	if err != nil {
		return err
	}
	a, err := s.account(ctx, n)
	if err == nil && !a.Active {
		err = ErrNoAccount
	}
	return err
}

var colleaguesSQL = db.Define("staff.colleagues", `
	SELECT `+accountColumns+`
	FROM staff
	WHERE id > $1 AND active = 1
	ORDER BY id
	LIMIT $2`)

// colleagueRoutes let people find each other by name, to give each other work.
func (s *Service) colleagueRoutes(r *api.Router) {
	api.Get(r, "/v1/colleagues", s.listColleagues, api.Doc{ID: "listColleagues", Tags: []string{"Staff"}, Needs: ServeMembers,
		Summary: "List the names of those who can sign in."})
}

type colleagueView struct {
	ID   string `json:"id" doc:"Id of the account, for owners of tasks."`
	Name string `json:"name" doc:"Of the person."`
	Role Role   `json:"role" enum:"owner,manager,cashier,agent,analyst,auditor,integrator" doc:"What they do here."`
}

type colleaguesOut struct{ Body api.List[colleagueView] }

func (s *Service) listColleagues(ctx context.Context, in *pageIn) (*colleaguesOut, error) {
	after, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return nil, err
	}
	if after == nil {
		after = []int64{0}
	}
	var rows []Account
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		rows, err = all(scanAccount)(tx.Query(ctx, colleaguesSQL, after[0], in.Limit+1))
		return err
	})
	if err != nil {
		return nil, err
	}
	view := func(a Account) colleagueView { return colleagueView{a.PublicID(), a.Name, a.Role} }
	return &colleaguesOut{paged(rows, in.Limit, view, func(a Account) int64 { return a.ID })}, nil
}
