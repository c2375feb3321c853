package member

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// AddTags puts tags on a member; those that it has stay.
func (s *Service) AddTags(ctx context.Context, ref Ref, tags []string) (Member, error) {
	return s.retag(ctx, ref, tags, nil)
}

// RemoveTags takes tags off a member; those that it has not are no error.
func (s *Service) RemoveTags(ctx context.Context, ref Ref, tags []string) (Member, error) {
	return s.retag(ctx, ref, nil, tags)
}

func (s *Service) retag(ctx context.Context, ref Ref, add, remove []string) (Member, error) {
	add, err := cleanTags(add)
	if err != nil {
		return Member{}, err
	}
	if remove, err = cleanTags(remove); err != nil {
		return Member{}, err
	}
	var who ID
	for range maxRaces {
		if who, err = s.Find(ctx, ref); err != nil {
			return Member{}, err
		}
		err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			return s.retagOnce(ctx, tx, who, add, remove)
		})
		if !errors.Is(err, errRaced) {
			break
		}
		s.pointer.forget(who) // it was merged meanwhile
	}
	if err != nil {
		return Member{}, err
	}
	return s.get(ctx, who)
}

func (s *Service) retagOnce(ctx context.Context, tx *db.Tx, who ID, add, remove []string) error {
	body, err := s.putTags(ctx, tx, who, add, remove)
	if err != nil || len(body.Added)+len(body.Removed) == 0 {
		return err
	}
	// The trail is for ever, and a tag may say something about a person: it counts them.
	counts := map[string]int{"added": len(body.Added), "removed": len(body.Removed)}
	return s.record(ctx, tx, "member.tagged", who.String(), nil, counts)
}

// putTags changes the tags of a member and tells of what changed.
func (s *Service) putTags(ctx context.Context, tx *db.Tx, who ID, add, remove []string) (body taggedBody, err error) {
	if err := touch(ctx, tx, who); err != nil {
		return body, err
	}
	for _, tag := range remove {
		n, err := tx.Exec(ctx, deleteTagSQL, who.Shard(), int64(who), tag)
		if err != nil {
			return body, fmt.Errorf("remove tag of member %d: %w", who, err)
		}
		if n > 0 {
			body.Removed = append(body.Removed, tag)
		}
	}
	if body.Added, err = addTags(ctx, tx, who, add); err != nil {
		return body, err
	}
	if len(body.Added)+len(body.Removed) == 0 {
		return body, nil
	}
	has, err := tagsOf(ctx, tx, []ID{who})
	if err != nil {
		return body, fmt.Errorf("tags of member %d: %w", who, err)
	}
	if len(has[who]) > maxTags {
		return body, ErrTag.With("max", maxTag, "many", maxTags).At("body.tags")
	}
	return body, s.tell(ctx, tx, "member.tagged", who, body)
}

// addTags inserts tags and returns those that were not there, sorted.
func addTags(ctx context.Context, tx *db.Tx, who ID, tags []string) ([]string, error) {
	var rows []any
	for _, tag := range tags {
		rows = append(rows, who.Shard(), int64(who), tag)
	}
	var added []string
	err := insertTags.Each(rows, func(st *db.Stmt, part []any) error {
		return db.ReadRows(func(rows *db.Rows) error {
			var tag string
			err := rows.Scan(&tag)
			added = append(added, tag)
			return err
		})(tx.Query(ctx, st, part...))
	})
	if err != nil {
		return nil, fmt.Errorf("add tags to member %d: %w", who, err)
	}
	slices.Sort(added)
	return added, nil
}
