package plan

import (
	"context"
	"fmt"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
)

// place is a member in the order of the tables.
type place struct{ shard, member int64 }

// read reads the membership of a member, who was found by following merges.
func (s *Service) read(ctx context.Context, m member.ID) (got Membership, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		got, err = readMembership(ctx, tx, int64(m))
		return err
	})
	return got, err
}

func (s *Service) periods(ctx context.Context, m member.ID, before int64, n int) (list []Period, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, err = readPeriods(ctx, tx, int64(m), before, n)
		return err
	})
	return list, err
}

// HeldBy says what the plan of a member gives on a day, read outside of a batch: for what a basket
// is quoted by.
func (s *Service) HeldBy(ctx context.Context, tx *db.Tx, m member.ID, day program.Day) (Holding, error) {
	got, err := readMembership(ctx, tx, int64(m))
	if err != nil {
		return Holding{}, fmt.Errorf("read the plan of member %s: %w", m, err)
	}
	return s.book().holding(&got, day), nil
}

// Discounts reports whether a plan takes something off what its members buy.
func (s *Service) Discounts() bool {
	return slices.ContainsFunc(s.book().list, func(p *Plan) bool {
		return p.State != Draft && (p.Terms.Benefits.Discount > 0 || p.Terms.Benefits.FreeDelivery)
	})
}

// Versions lists what a plan was like before a version, the newest first.
func (s *Service) Versions(ctx context.Context, plan, before int64, n int) (list []Version, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, err = readVersions(ctx, tx, plan, before, n)
		return err
	})
	return list, err
}

// membersLook is how many rows one request looks at for a page.
const membersLook = 2000

// Members lists those who have a plan, or had it last, behind a place: up to n of those that
// keep lets through. more is where to go on, nil at the end.
func (s *Service) Members(ctx context.Context, plan int64, after place, n int, keep func(*Membership, program.Day) bool) (list []Membership, more *place, err error) {
	today := s.Today()
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, more = nil, nil
		looked, at := 0, after
		read := db.ReadRows(func(rows *db.Rows) error {
			m, err := scanMembership(rows)
			if err != nil || len(list) == n {
				return err
			}
			looked++
			at = place{int64(member.ID(m.Member).Shard()), m.Member}
			if keep(&m, today) {
				list = append(list, m)
			}
			return nil
		})
		if err := read(tx.Query(ctx, membersSQL, plan, after.shard, after.member, membersLook)); err != nil {
			return err
		}
		if looked == membersLook || len(list) == n {
			more = &at
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("members of plan %d: %w", plan, err)
	}
	return list, more, nil
}

// Card is part of member.Card: what the page of a member shows of plans.
func (s *Service) Card(ctx context.Context, m member.ID) (string, any, error) {
	v, err := s.MembershipOf(ctx, m)
	if err != nil || v.Standing == None {
		return "plan", nil, err
	}
	return "plan", v, nil
}
