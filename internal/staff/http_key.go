package staff

import (
	"context"
	"math"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/program"
)

// keyRoutes manage API keys.
func (s *Service) keyRoutes(r *api.Router) {
	tags := []string{"API keys"}
	api.Get(r, "/v1/keys", s.listKeys, api.Doc{ID: "listKeys", Summary: "List API keys, newest first; revoked ones too.", Tags: tags, Needs: ManageKeys, Fails: []error{program.ErrLimited}})
	api.Post(r, "/v1/keys", s.postKey, api.Doc{ID: "addKey", Summary: "Make an API key; its secret is in this answer and never again.", Tags: tags,
		Needs: ManageKeys, Secret: true, Status: 201,
		Fails: []error{ErrName, ErrScope, ErrPlaces, ErrNetworks, ErrExpiry, ErrTooHigh, ErrSandbox, program.ErrLimited, program.ErrTime}})
	api.Get(r, "/v1/keys/{id}", s.getKey, api.Doc{ID: "getKey", Summary: "Read an API key, without its secret.", Tags: tags, Needs: ManageKeys, Fails: []error{ErrNoKey, program.ErrLimited}})
	api.Post(r, "/v1/keys/{id}/rotate", s.postRotation, api.Doc{ID: "rotateKey", Summary: "Make a key that takes the place of another, which goes on for a while.", Tags: tags,
		Description: "The new key may do what the old one may, and its secret is in this answer and never again. The old one ends after the overlap.",
		Needs:       ManageKeys, Secret: true, Status: 201, Fails: []error{ErrNoKey, ErrKeyOver, ErrRotated, ErrTooHigh, ErrSandbox, program.ErrLimited}})
	api.Delete(r, "/v1/keys/{id}", s.deleteKey, api.Doc{ID: "revokeKey", Summary: "Revoke an API key.", Tags: tags, Needs: ManageKeys, Status: 204,
		Fails: []error{ErrNoKey, ErrTooHigh, ErrSandbox, program.ErrLimited}})
}

type keyView struct {
	ID        string     `json:"id" doc:"Id of the key."`
	Prefix    string     `json:"prefix" doc:"How the secret begins." example:"pk_live_3f9k2m"`
	Name      string     `json:"name" doc:"What it is for."`
	Scopes    []string   `json:"scopes" doc:"Permissions, or \"all\"."`
	Merchants []string   `json:"merchants" doc:"Where it may act; empty: everywhere."`
	Stores    []string   `json:"stores" doc:"Where it may act; empty: everywhere."`
	Networks  []string   `json:"networks" doc:"From where it may be used; empty: from anywhere."`
	Replaces  string     `json:"replaces,omitempty" doc:"The key that it took the place of."`
	Test      bool       `json:"test" doc:"Whether it acts in the sandbox programme."`
	CreatedBy string     `json:"created_by" doc:"Id of who made it."`
	Created   time.Time  `json:"created_at" doc:"When it was made."`
	Expires   *time.Time `json:"expires_at,omitempty" doc:"From when on it is not valid."`
	Used      *time.Time `json:"used_at,omitempty" doc:"When it was last used, to the minute."`
	Revoked   *time.Time `json:"revoked_at,omitempty" doc:"When it was revoked."`
	Secret    string     `json:"secret,omitempty" doc:"The key itself: only in the answer that made it."`
}

func viewKey(k Key) keyView {
	v := keyView{
		ID: k.PublicID(), Prefix: k.Prefix, Name: k.Name, Scopes: k.Scopes, Test: k.Test, CreatedBy: k.CreatedBy,
		Merchants: publicIDs(k.Merchants, program.MerchantID), Stores: publicIDs(k.Stores, program.StoreID),
		Created: k.Created, Expires: optional(k.Until), Used: optional(k.Used), Revoked: optional(k.Revoked),
		Networks: networkTexts(k.Networks),
	}
	if k.Replaces != 0 {
		v.Replaces = Key{ID: k.Replaces}.PublicID()
	}
	return v
}

type keyOut struct{ Body keyView }

type keysOut struct{ Body api.List[keyView] }

func (s *Service) listKeys(ctx context.Context, in *pageIn) (*keysOut, error) {
	if err := wide(ctx); err != nil {
		return nil, err
	}
	before, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return nil, err
	}
	if before == nil {
		before = []int64{math.MaxInt64}
	}
	rows, err := s.Keys(ctx, before[0], in.Limit+1)
	if err != nil {
		return nil, err
	}
	return &keysOut{paged(rows, in.Limit, viewKey, func(k Key) int64 { return k.ID })}, nil
}

type newKeyIn struct {
	Body struct {
		Name      string   `json:"name" minLength:"1" maxLength:"100" doc:"What it is for."`
		Scopes    []string `json:"scopes" minItems:"1" maxItems:"50" doc:"Permissions, or \"all\" alone."`
		Merchants []string `json:"merchants,omitempty" maxItems:"200" doc:"Limits it to these (ids or codes)."`
		Stores    []string `json:"stores,omitempty" maxItems:"200" doc:"Limits it to these (ids or codes)."`
		Networks  []string `json:"networks,omitempty" maxItems:"20" doc:"Lets it be used from these addresses only, as in 203.0.113.7 or 203.0.113.0/24. Behind a proxy that does not tell whom it serves, that is the proxy's address."`
		Test      bool     `json:"test,omitempty" doc:"Let it act in the sandbox programme."`
		Expires   string   `json:"expires_at,omitempty" maxLength:"40" doc:"From when on it is not valid; never, where absent."`
	}
}

func (s *Service) postKey(ctx context.Context, in *newKeyIn) (*keyOut, error) {
	b := in.Body
	n := NewKey{Name: b.Name, Scopes: b.Scopes, Merchants: b.Merchants, Stores: b.Stores, Networks: b.Networks, Test: b.Test}
	if b.Expires != "" {
		until, err := s.program.Snapshot().ParseTime(b.Expires)
		if err != nil {
			return nil, errs.As(err).At("body.expires_at")
		}
		n.Until = until
	}
	k, secret, err := s.CreateKey(ctx, n)
	if err != nil {
		return nil, err
	}
	v := viewKey(k)
	v.Secret = secret
	return &keyOut{v}, nil
}

// usualOverlap is how long a key goes on beside the one that takes its place.
const usualOverlap = 24 * time.Hour

type rotateIn struct {
	ID   string `path:"id" minLength:"1" maxLength:"64" doc:"Id of the key."`
	Body struct {
		Overlap *int64 `json:"overlap_seconds,omitempty" minimum:"0" maximum:"2592000" doc:"For how long the old key goes on, up to 30 days; 0 ends it at once. A day, where absent."`
	}
}

func (s *Service) postRotation(ctx context.Context, in *rotateIn) (*keyOut, error) {
	n, err := number(keyPrefix, in.ID, ErrNoKey)
	if err != nil {
		return nil, err
	}
	overlap := usualOverlap
	if in.Body.Overlap != nil {
		overlap = time.Duration(*in.Body.Overlap) * time.Second
	}
	k, secret, err := s.RotateKey(ctx, n, overlap)
	if err != nil {
		return nil, err
	}
	v := viewKey(k)
	v.Secret = secret
	return &keyOut{v}, nil
}

type keyRef struct {
	ID string `path:"id" minLength:"1" maxLength:"64" doc:"Id of the key."`
}

func (s *Service) getKey(ctx context.Context, in *keyRef) (*keyOut, error) {
	if err := wide(ctx); err != nil {
		return nil, err
	}
	n, err := number(keyPrefix, in.ID, ErrNoKey)
	if err != nil {
		return nil, err
	}
	k, err := s.Key(ctx, n)
	if err != nil {
		return nil, err
	}
	return &keyOut{viewKey(k)}, nil
}

type revokeIn struct {
	ID     string `path:"id" minLength:"1" maxLength:"64" doc:"Id of the key."`
	Reason string `query:"reason" maxLength:"500" doc:"Why, for the audit trail."`
}

func (s *Service) deleteKey(ctx context.Context, in *revokeIn) (*struct{}, error) {
	n, err := number(keyPrefix, in.ID, ErrNoKey)
	if err != nil {
		return nil, err
	}
	return nil, s.RevokeKey(ctx, n, in.Reason)
}
