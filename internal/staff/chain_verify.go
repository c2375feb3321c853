package staff

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// Flaw is one place where the audit trail is not what it was.
type Flaw struct {
	Where  string // "audit entry aud_…", "audit position 7"
	EN, ZH string
}

// verifyPage is how many rows of the chain one snapshot reads: far under its ten seconds.
const verifyPage = 1000

// VerifyAudit recomputes the chain over the trail, beside a running server, and calls found
// for each thing that is wrong; it returns the head. Memory stays bounded.
//
// It finds an entry that was changed, deleted or put in, two that were exchanged, and a
// chain that was cut off. Whoever can write to the database could make all hashes anew:
// that is found against kept, a head from an earlier time that lay elsewhere.
func (a *Audit) VerifyAudit(ctx context.Context, kept *Head, found func(Flaw)) (Head, error) {
	v := &auditVerifier{db: a.db, kept: kept, found: found}
	for _, stage := range []func(context.Context) error{v.head, v.links, v.end, v.outside, v.orphans} {
		if err := stage(ctx); err != nil {
			return Head{}, fmt.Errorf("verify the audit trail: %w", err)
		}
	}
	return v.to, nil
}

// auditVerifier goes along the chain once.
type auditVerifier struct {
	db    *db.DB
	kept  *Head
	found func(Flaw)
	to    Head // when it began: what comes later is for the next time
	at    Head // the last link that was read
	met   bool // the kept head was passed
}

func (v *auditVerifier) flaw(where, en, zh string) { v.found(Flaw{where, en, zh}) }

func entryName(n int64) string { return "audit entry " + Entry{ID: n}.PublicID() }

func positionName(n int64) string { return fmt.Sprintf("audit position %d", n) }

var headSQL = db.Define("staff.head", `
	SELECT position, hash
	FROM audit_head
	WHERE one = 1`)

func (v *auditVerifier) head(ctx context.Context) error {
	return v.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		v.to, err = scanHead(tx.QueryRow(ctx, headSQL))
		return err
	})
}

var linksSQL = db.Define("staff.links", `
	SELECT position, audit_id, hash, `+entryColumns+`
	FROM audit_link
	LEFT JOIN audit ON audit.id = audit_id
	WHERE position > $1 AND position <= $2
	ORDER BY position
	LIMIT $3`)

// link is a row of the chain with its entry, if that is there.
type link struct {
	position, id int64
	hash         []byte
	entry        Entry
	there        bool
}

func scanLink(r row) (l link, err error) {
	var id, at sql.NullInt64
	var kind, actor, action, subject, before, after, ip, agent, trace sql.NullString
	err = r.Scan(&l.position, &l.id, &l.hash, &id, &at, &kind, &actor, &action, &subject, &before, &after, &ip, &agent, &trace)
	l.there = id.Valid
	l.entry = Entry{
		ID: id.Int64, At: time.UnixMilli(at.Int64), ActorKind: kind.String, Actor: actor.String, Action: action.String,
		Subject: subject.String, IP: ip.String, UserAgent: agent.String, Trace: trace.String,
	}
	if before.Valid {
		l.entry.Before = json.RawMessage(before.String)
	}
	if after.Valid {
		l.entry.After = json.RawMessage(after.String)
	}
	return l, err
}

func (v *auditVerifier) links(ctx context.Context) error {
	for {
		var page []link
		err := v.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			page, err = all(scanLink)(tx.Query(ctx, linksSQL, v.at.Position, v.to.Position, verifyPage))
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, l := range page {
			v.link(l)
		}
	}
}

// link checks one link and its entry, and goes on from what the link says: one that is
// wrong is told of once, and those after it stand for themselves.
func (v *auditVerifier) link(l link) {
	if next := v.at.Position + 1; l.position != next {
		v.flaw(positionName(next), fmt.Sprintf("the chain has no positions %d to %d", next, l.position-1), fmt.Sprintf("链中缺少序号 %d 至 %d", next, l.position-1))
		v.at.Position = l.position - 1
	}
	switch want := v.at.next(l.entry); {
	case !l.there:
		v.flaw(entryName(l.id), fmt.Sprintf("it was chained as number %d and is not there", l.position), fmt.Sprintf("该条目已入链（序号 %d），但记录已不存在", l.position))
	case !want.is(l.hash):
		v.flaw(entryName(l.id), fmt.Sprintf("number %d of the chain does not follow from what the entry says and from the link before", l.position), fmt.Sprintf("链中序号 %d 的哈希与条目内容及前一环不符", l.position))
	}
	v.at.Position = l.position
	copy(v.at.Hash[:], l.hash)
	if v.kept != nil && v.kept.Position == l.position {
		v.met = true
		if !v.kept.is(l.hash) {
			v.flaw(positionName(l.position), "the chain has another hash here than the head that was kept: the trail was rewritten", "此处哈希与留存的链头不符：日志被改写过")
		}
	}
}

var beyondSQL = db.Define("staff.beyondHead", `
	SELECT COUNT(*)
	FROM audit_link
	WHERE position > (SELECT position FROM audit_head WHERE one = 1)`)

// end checks that the chain ends where its head says, and that it reaches the kept one.
func (v *auditVerifier) end(ctx context.Context) error {
	switch {
	case v.at.Position < v.to.Position:
		v.flaw("audit head", fmt.Sprintf("the chain ends at %d, its head says %d: it was cut off", v.at.Position, v.to.Position), fmt.Sprintf("链止于 %d，而链头为 %d：末尾被截断", v.at.Position, v.to.Position))
	case v.at.Hash != v.to.Hash:
		v.flaw("audit head", "the head has another hash than the last link", "链头的哈希与最后一环不符")
	}
	if v.kept != nil && v.kept.Position > 0 && !v.met {
		v.flaw("audit head", fmt.Sprintf("the chain is shorter than when the head %d was kept: it was cut off", v.kept.Position), fmt.Sprintf("链比留存的链头 %d 更短：末尾被截断", v.kept.Position))
	}
	var beyond int64
	err := v.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, beyondSQL).Scan(&beyond)
	})
	if err == nil && beyond > 0 {
		v.flaw("audit head", fmt.Sprintf("%d links stand beyond the head", beyond), fmt.Sprintf("链头之后还有 %d 环", beyond))
	}
	return err
}

var (
	newestSQL = db.Define("staff.auditNewest", `
	SELECT COALESCE(MAX(id), 0), COALESCE(MAX(at_ms), 0)
	FROM audit`)
	outsideSQL = db.Define("staff.auditOutside", `
	SELECT audit.id, at_ms, COALESCE(audit_waiting.audit_id, 0)
	FROM audit
	LEFT JOIN audit_link ON audit_link.audit_id = audit.id
	LEFT JOIN audit_waiting ON audit_waiting.audit_id = audit.id
	WHERE audit.id > $1 AND audit.id <= $2 AND audit_link.position IS NULL
	ORDER BY audit.id`)
)

// outside looks for entries that are not in the chain. One that waits is well, unless the
// trail has gone on without it for long. That is measured by the trail itself, so that a
// copy which was taken in the middle of work is none the worse tomorrow.
func (v *auditVerifier) outside(ctx context.Context) error {
	var last, newest int64
	err := v.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, newestSQL).Scan(&last, &newest)
	})
	for from := int64(0); err == nil && from < last; from += verifyPage {
		err = v.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			rows, err := tx.Query(ctx, outsideSQL, from, min(last, from+verifyPage))
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var id, at, waits int64
				if err := rows.Scan(&id, &at, &waits); err != nil {
					return err
				}
				v.loose(id, waits != 0, time.Duration(newest-at)*time.Millisecond)
			}
			return rows.Err()
		})
	}
	return err
}

func (v *auditVerifier) loose(id int64, waits bool, behind time.Duration) {
	switch {
	case !waits:
		v.flaw(entryName(id), "it is in the trail and not in its chain: it was put in", "该条目在日志中但不在链中：系外部插入")
	case behind > mostBehind:
		v.flaw(entryName(id), fmt.Sprintf("it has waited to be chained while the trail went on for %s", behind.Round(time.Second)), fmt.Sprintf("该条目迟迟未入链，其后的日志已延续 %s", behind.Round(time.Second)))
	}
}

var orphansSQL = db.Define("staff.auditOrphans", `
	SELECT audit_id
	FROM audit_waiting
	WHERE NOT EXISTS (SELECT 1 FROM audit WHERE audit.id = audit_id)
	ORDER BY audit_id
	LIMIT 1000`)

// orphans looks for entries that went before they were chained.
func (v *auditVerifier) orphans(ctx context.Context) error {
	return v.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		gone, err := all(func(r row) (id int64, err error) { return id, r.Scan(&id) })(tx.Query(ctx, orphansSQL))
		for _, id := range gone {
			v.flaw(entryName(id), "it was deleted before it was chained", "该条目在入链前被删除")
		}
		return err
	})
}
