package staff

import (
	"context"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/program"
)

// staffRoutes manage accounts and tell what the roles are.
func (s *Service) staffRoutes(r *api.Router) {
	tags := []string{"Staff"}
	api.Get(r, "/v1/roles", s.getRoles, api.Doc{ID: "listRoles", Summary: "List the permissions and the roles that have them.", Tags: tags})
	api.Get(r, "/v1/staff", s.listStaff, api.Doc{ID: "listStaff", Summary: "List accounts.", Tags: tags, Needs: ManageStaff, Fails: []error{program.ErrLimited}})
	api.Post(r, "/v1/staff", s.postStaff, api.Doc{ID: "addStaff", Summary: "Add an account.", Tags: tags, Needs: ManageStaff, Status: 201,
		Fails: []error{ErrEmailTaken, ErrEmail, ErrName, ErrRole, ErrPassword, ErrEasy, ErrPlaces, ErrTooHigh, ErrSandbox, program.ErrLimited}})
	api.Get(r, "/v1/staff/{id}", s.getStaff, api.Doc{ID: "getStaff", Summary: "Read an account.", Tags: tags, Needs: ManageStaff, Fails: []error{ErrNoAccount, program.ErrLimited}})
	api.Patch(r, "/v1/staff/{id}", s.patchStaff, api.Doc{ID: "changeStaff", Summary: "Change, disable or enable an account.", Tags: tags, Needs: ManageStaff,
		Fails: []error{ErrNoAccount, ErrLastOwner, ErrName, ErrRole, ErrPlaces, ErrTooHigh, ErrSandbox, program.ErrLimited}})
	api.Post(r, "/v1/staff/{id}/password", s.postStaffPassword, api.Doc{ID: "setStaffPassword", Summary: "Give a person a new password; their sessions end.", Tags: tags,
		Needs: ManageStaff, Status: 204, Fails: []error{ErrNoAccount, ErrPassword, ErrEasy, ErrTooHigh, ErrSandbox, program.ErrLimited}})
	api.Post(r, "/v1/staff/{id}/sign-out", s.postStaffSignOut, api.Doc{ID: "signStaffOut", Summary: "End every session of a person.", Tags: tags,
		Needs: ManageStaff, Status: 204, Fails: []error{ErrNoAccount, ErrTooHigh, ErrSandbox, program.ErrLimited}})
}

type permissionView struct {
	Name  api.Permission `json:"name" doc:"As keys and routes name it."`
	EN    string         `json:"label_en" doc:"English label."`
	ZH    string         `json:"label_zh" doc:"Chinese label."`
	Roles []Role         `json:"roles" doc:"The roles that have it."`
}

type roleView struct {
	Name Role   `json:"name" doc:"As accounts name it."`
	EN   string `json:"label_en" doc:"English label."`
	ZH   string `json:"label_zh" doc:"Chinese label."`
}

type rolesOut struct {
	Body struct {
		Roles       []roleView       `json:"roles" doc:"The roles."`
		Permissions []permissionView `json:"permissions" doc:"The permissions."`
	}
}

func (s *Service) getRoles(context.Context, *struct{}) (*rolesOut, error) {
	var out rolesOut
	for _, c := range columns {
		out.Body.Roles = append(out.Body.Roles, roleView{c.Role, c.EN, c.ZH})
	}
	for _, g := range table {
		v := permissionView{Name: g.Permission, EN: g.EN, ZH: g.ZH}
		for _, c := range columns {
			if c.Role.Can()[g.Permission] {
				v.Roles = append(v.Roles, c.Role)
			}
		}
		out.Body.Permissions = append(out.Body.Permissions, v)
	}
	return &out, nil
}

type accountView struct {
	ID        string    `json:"id" doc:"Id of the account."`
	Email     string    `json:"email" doc:"Address, in small letters."`
	Name      string    `json:"name" doc:"Of the person."`
	Role      Role      `json:"role" enum:"owner,manager,cashier,agent,analyst,auditor,integrator" doc:"What they may do."`
	Active    bool      `json:"active" doc:"Whether they can sign in."`
	Merchants []string  `json:"merchants" doc:"Where they may act; empty: everywhere."`
	Stores    []string  `json:"stores" doc:"Where they may act; empty: everywhere."`
	Created   time.Time `json:"created_at" doc:"When it was made."`
}

func viewAccount(a Account) accountView {
	return accountView{ID: a.PublicID(), Email: a.Email, Name: a.Name, Role: a.Role, Active: a.Active, Created: a.Created,
		Merchants: publicIDs(a.Merchants, program.MerchantID), Stores: publicIDs(a.Stores, program.StoreID)}
}

type accountOut struct{ Body accountView }

type pageIn struct{ api.Page }

type accountsOut struct{ Body api.List[accountView] }

type staffIn struct {
	api.Page
	Q     string `query:"q" maxLength:"100" doc:"Part of a name or an address."`
	Role  Role   `query:"role" enum:"owner,manager,cashier,agent,analyst,auditor,integrator" doc:"Only accounts of this role."`
	State string `query:"state" enum:"active,disabled" doc:"Only those who can sign in, or cannot."`
}

func (in staffIn) filter() AccountFilter {
	f := AccountFilter{Words: in.Q, Role: in.Role}
	if in.State != "" {
		active := in.State == "active"
		f.Active = &active
	}
	return f
}

func (s *Service) listStaff(ctx context.Context, in *staffIn) (*accountsOut, error) {
	if err := wide(ctx); err != nil {
		return nil, err
	}
	after, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return nil, err
	}
	if after == nil {
		after = []int64{0}
	}
	rows, err := s.Accounts(ctx, after[0], in.filter(), in.Limit+1)
	if err != nil {
		return nil, err
	}
	return &accountsOut{paged(rows, in.Limit, viewAccount, func(a Account) int64 { return a.ID })}, nil
}

// paged makes a list of rows that were read with one more than the limit.
func paged[R, V any](rows []R, limit int, view func(R) V, number func(R) int64) api.List[V] {
	out := api.List[V]{Items: []V{}}
	for i, r := range rows {
		if i == limit {
			out.NextCursor = api.EncodeCursor(number(rows[i-1]))
			break
		}
		out.Items = append(out.Items, view(r))
	}
	return out
}

type newStaffIn struct {
	Body struct {
		Email     string   `json:"email" minLength:"3" maxLength:"254" doc:"To sign in with."`
		Name      string   `json:"name" minLength:"1" maxLength:"100" doc:"Of the person."`
		Role      Role     `json:"role" enum:"owner,manager,cashier,agent,analyst,auditor,integrator" doc:"What they may do."`
		Password  string   `json:"password" minLength:"1" maxLength:"512" doc:"15 to 128 characters."`
		Merchants []string `json:"merchants,omitempty" maxItems:"200" doc:"Limits them to these (ids or codes)."`
		Stores    []string `json:"stores,omitempty" maxItems:"200" doc:"Limits them to these (ids or codes)."`
	}
}

func (s *Service) postStaff(ctx context.Context, in *newStaffIn) (*accountOut, error) {
	b := in.Body
	a, err := s.CreateStaff(ctx, NewAccount{Email: b.Email, Name: b.Name, Role: b.Role, Password: b.Password, Merchants: b.Merchants, Stores: b.Stores})
	if err != nil {
		return nil, err
	}
	return &accountOut{viewAccount(a)}, nil
}

type staffRef struct {
	ID string `path:"id" minLength:"1" maxLength:"64" doc:"Id of the account."`
}

func (s *Service) getStaff(ctx context.Context, in *staffRef) (*accountOut, error) {
	if err := wide(ctx); err != nil {
		return nil, err
	}
	n, err := number(accountPrefix, in.ID, ErrNoAccount)
	if err != nil {
		return nil, err
	}
	a, err := s.account(ctx, n)
	if err != nil {
		return nil, err
	}
	return &accountOut{viewAccount(a)}, nil
}

type changeStaffIn struct {
	ID   string `path:"id" minLength:"1" maxLength:"64" doc:"Id of the account."`
	Body struct {
		Name      *string   `json:"name,omitempty" minLength:"1" maxLength:"100" doc:"Of the person."`
		Role      *Role     `json:"role,omitempty" enum:"owner,manager,cashier,agent,analyst,auditor,integrator" doc:"What they may do."`
		Active    *bool     `json:"active,omitempty" doc:"False disables: their sessions end."`
		Merchants *[]string `json:"merchants,omitempty" maxItems:"200" doc:"Limits them to these (ids or codes); empty lifts the limit."`
		Stores    *[]string `json:"stores,omitempty" maxItems:"200" doc:"Limits them to these (ids or codes); empty lifts the limit."`
	}
}

func (s *Service) patchStaff(ctx context.Context, in *changeStaffIn) (*accountOut, error) {
	n, err := number(accountPrefix, in.ID, ErrNoAccount)
	if err != nil {
		return nil, err
	}
	b := in.Body
	a, err := s.ChangeStaff(ctx, n, AccountChange{Name: b.Name, Role: b.Role, Active: b.Active, Merchants: b.Merchants, Stores: b.Stores})
	if err != nil {
		return nil, err
	}
	return &accountOut{viewAccount(a)}, nil
}

type staffPasswordIn struct {
	ID   string `path:"id" minLength:"1" maxLength:"64" doc:"Id of the account."`
	Body struct {
		Password string `json:"password" minLength:"1" maxLength:"512" doc:"15 to 128 characters."`
	}
}

func (s *Service) postStaffPassword(ctx context.Context, in *staffPasswordIn) (*struct{}, error) {
	n, err := number(accountPrefix, in.ID, ErrNoAccount)
	if err != nil {
		return nil, err
	}
	return nil, s.SetPassword(ctx, n, in.Body.Password)
}

func (s *Service) postStaffSignOut(ctx context.Context, in *staffRef) (*struct{}, error) {
	n, err := number(accountPrefix, in.ID, ErrNoAccount)
	if err != nil {
		return nil, err
	}
	return nil, s.EndSessions(ctx, n)
}
