package ledger

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"sync"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/money"
)

// vocabulary keeps the vocabulary of conditions that was built last.
type vocabulary struct {
	sync.Mutex
	of  cond.Config
	env *cond.Env
}

// Words is the vocabulary of conditions as it is now: the same pointer until an attribute of
// members, a currency or the programme's money changes.
func (s *Service) Words(ctx context.Context) (*cond.Env, error) {
	ctx, err := s.Declared(ctx)
	if err != nil {
		return nil, err
	}
	return s.WordsOf(ctx, s.Config())
}

// declaredKey is under which a context bears the attributes of members.
type declaredKey struct{}

// Declared adds to a context the attributes that members may have, for WordsOf in a transaction
// to come: they are read by themselves.
func (s *Service) Declared(ctx context.Context) (context.Context, error) {
	list, err := s.members.Declared(ctx)
	return context.WithValue(ctx, declaredKey{}, list), err
}

// WordsOf is the vocabulary with the currencies of a Config, as a transaction sees them, and the
// attributes of Declared.
func (s *Service) WordsOf(ctx context.Context, config *Config) (*cond.Env, error) {
	decimals, err := money.Decimals(s.program.Snapshot().Settings.Currency)
	if err != nil {
		return nil, err
	}
	attributes, _ := ctx.Value(declaredKey{}).([]cond.Attribute)
	of := cond.Config{Decimals: decimals, Attributes: attributes, Facts: cond.Standard(slices.Sorted(maps.Keys(config.ByCode)))}
	s.words.Lock()
	defer s.words.Unlock()
	if s.words.env != nil && reflect.DeepEqual(of, s.words.of) {
		return s.words.env, nil
	}
	env, err := cond.NewEnv(of)
	if err == nil {
		s.words.of, s.words.env = of, env
	}
	return env, err
}
