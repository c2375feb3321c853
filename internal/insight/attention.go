package insight

import (
	"context"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/staff"
)

// mostCounted is up to where things that wait are counted: past it the number only says
// that they are many.
const mostCounted = 100

// seenPerLook is how many sales are looked at for a caller who sees some stores only.
const seenPerLook = 500

// Item is one thing that waits for the caller.
type Item struct {
	Key      string     `json:"key" enum:"approvals,unassigned_sales,parked_returns,waiting_returns,tasks_due,failed_jobs,event_failures,backup" doc:"What it is; stays the same for ever."`
	Severity string     `json:"severity" enum:"info,warning,error" doc:"How urgent it is."`
	Title    string     `json:"title" doc:"What waits, in the language of the caller."`
	Detail   string     `json:"detail" doc:"More about it."`
	Count    int        `json:"count" doc:"How many."`
	More     bool       `json:"more" doc:"There are more than were counted."`
	Since    *time.Time `json:"since,omitempty" doc:"Since when the oldest waits; absent where that is not known."`
	Link     string     `json:"link" doc:"Where in the console to deal with it."`
}

// count is what a look found.
type count struct {
	n     int
	since time.Time
}

// attention is one look: what it is for, and how it counts. Constant work, each.
type attention struct {
	key, severity, link string
	needs               api.Permission
	title, detail       [2]string
	look                func(s *Service, ctx context.Context) (count, error)
}

var (
	openReturnsSQL = db.Define("insight.openReturns", `
	SELECT store_id, at_ms
	FROM sale
	WHERE state > 0 AND state = $1
	ORDER BY at_ms DESC, shard DESC, member_id DESC, seq DESC
	LIMIT $2`)
	unassignedSQL = db.Define("insight.unassignedSales", `
	SELECT store_id, at_ms
	FROM sale
	WHERE owner_id = 0 AND kind = 1 AND at_ms >= $1
	ORDER BY at_ms DESC, shard DESC, member_id DESC, seq DESC
	LIMIT $2`)
	tasksDueSQL = db.Define("insight.tasksDue", `
	SELECT 0, due_ms
	FROM task
	WHERE owner = $1 AND state = 'open' AND due_ms <= $2
	ORDER BY due_ms DESC, id DESC
	LIMIT $3`)
	failedJobsSQL = db.Define("insight.failedJobs", `
	SELECT 0, done_ms
	FROM job
	WHERE state = 'failed'
	ORDER BY id DESC
	LIMIT $1`)
	failuresSQL = db.Define("insight.eventFailures", `
	SELECT 0, at_ms
	FROM event_failure
	ORDER BY id DESC
	LIMIT $1`)
)

// count counts rows of a store and a time, newest first, as far as the caller sees the store.
func (s *Service) count(ctx context.Context, stmt *db.Stmt, args ...any) (c count, err error) {
	snap, who := s.o.Program.Snapshot(), api.CallerOf(ctx)
	err = s.db.Glance(ctx, func(ctx context.Context, tx *db.Tx) error {
		c = count{}
		rows, err := tx.Query(ctx, stmt, args...)
		if err != nil {
			return err
		}
		defer rows.Close() // a reader: what matters is in Err
		for rows.Next() {
			var store int64
			var at *int64
			if err := rows.Scan(&store, &at); err != nil {
				return err
			}
			if store != 0 && !snap.SeesStore(who, store) {
				continue
			}
			if c.n++; at != nil {
				c.since = time.UnixMilli(*at).UTC()
			}
			if c.n > mostCounted {
				break
			}
		}
		return rows.Err()
	})
	return c, err
}

// look is how far a look at sales goes: further for those who see only some.
func look(ctx context.Context) int {
	if who := api.CallerOf(ctx); len(who.Stores)+len(who.Merchants) > 0 {
		return seenPerLook
	}
	return mostCounted + 1
}

// unassignedFor is how long a sale of nobody is worth a look.
const unassignedFor = 7 * 24 * time.Hour

// attentions are the looks, the most urgent first.
var attentions = []attention{
	{
		key: "event_failures", severity: "error", link: "/system", needs: staff.Operate,
		title:  [2]string{"Events that could not be handed on", "未能处理的事件"},
		detail: [2]string{"A part of the program failed on them. They are tried again by themselves.", "处理这些事件的环节出错，系统会自动重试。"},
		look: func(s *Service, ctx context.Context) (count, error) {
			return s.count(ctx, failuresSQL, mostCounted+1)
		},
	},
	{
		key: "failed_jobs", severity: "error", link: "/jobs?state=failed", needs: staff.Operate,
		title:  [2]string{"Jobs that failed", "失败的任务"},
		detail: [2]string{"They are not tried again unless somebody says so.", "除非手动重试，否则不会再执行。"},
		look: func(s *Service, ctx context.Context) (count, error) {
			return s.count(ctx, failedJobsSQL, mostCounted+1)
		},
	},
	{
		key: "backup", severity: "error", link: "/system", needs: staff.Operate,
		title:  [2]string{"No backup of the last day", "最近一天没有备份"},
		detail: [2]string{"The newest good backup is older than a day, or there is none.", "最近的可用备份已超过一天，或尚无备份。"},
		look:   (*Service).lookBackup,
	},
	{
		key: "approvals", severity: "warning", link: "/approvals", needs: staff.ApprovePoints,
		title:  [2]string{"Approvals that wait", "待审批"},
		detail: [2]string{"Colleagues asked for something that takes a second person.", "同事提交了需要第二人同意的申请。"},
		look: func(s *Service, ctx context.Context) (count, error) {
			n, oldest, err := s.o.Approvals.Waits(ctx, mostCounted+1)
			return count{n, oldest}, err
		},
	},
	{
		key: "tasks_due", severity: "warning", link: "/tasks?owner=me&due=now", needs: staff.ReadMembers,
		title:  [2]string{"Your tasks that are due", "您的到期任务"},
		detail: [2]string{"Follow-ups for members that you own.", "由您负责的会员跟进任务。"},
		look: func(s *Service, ctx context.Context) (count, error) {
			who := api.CallerOf(ctx)
			if who.Kind != "staff" {
				return count{}, nil
			}
			return s.count(ctx, tasksDueSQL, who.ID, s.o.Clock.Now().UnixMilli(), mostCounted+1)
		},
	},
	{
		key: "parked_returns", severity: "warning", link: "/sales?state=parked", needs: staff.WriteSales,
		title:  [2]string{"Returns that match no sale", "未匹配的退货"},
		detail: [2]string{"Some of their lines have had no effect. A person has to look at them.", "其中部分行未生效，需要人工处理。"},
		look: func(s *Service, ctx context.Context) (count, error) {
			return s.count(ctx, openReturnsSQL, 2, look(ctx))
		},
	},
	{
		key: "waiting_returns", severity: "info", link: "/sales?state=waiting", needs: staff.WriteSales,
		title:  [2]string{"Returns that wait for their sale", "等待原销售的退货"},
		detail: [2]string{"They take effect by themselves once their sale comes.", "原销售到达后会自动生效。"},
		look: func(s *Service, ctx context.Context) (count, error) {
			return s.count(ctx, openReturnsSQL, 1, look(ctx))
		},
	},
	{
		key: "unassigned_sales", severity: "info", link: "/sales?unassigned=true", needs: staff.WriteSales,
		title:  [2]string{"Sales of the last week that nobody owns", "近一周未认领的销售"},
		detail: [2]string{"A member who shows the receipt can still be given theirs.", "会员出示小票后仍可认领。"},
		look: func(s *Service, ctx context.Context) (count, error) {
			return s.count(ctx, unassignedSQL, s.o.Clock.Now().Add(-unassignedFor).UnixMilli(), look(ctx))
		},
	},
}

// backupEvery is how old the newest backup may be, with an hour for the one that is being
// made.
const backupEvery = 25 * time.Hour

func (s *Service) lookBackup(context.Context) (count, error) {
	if s.o.LastBackup == nil {
		return count{}, nil
	}
	at, kept, err := s.o.LastBackup()
	if err != nil || !kept || s.o.Clock.Now().Sub(at) < backupEvery {
		return count{}, err
	}
	return count{1, at}, nil
}

// Attention lists what waits for the caller, the most urgent first; nothing for nothing.
func (s *Service) Attention(ctx context.Context) ([]Item, error) {
	who, i := api.CallerOf(ctx), pick(api.Language(ctx))
	out := []Item{}
	for _, a := range attentions {
		if !who.Can[a.needs] {
			continue
		}
		c, err := a.look(s, ctx)
		if err != nil {
			return nil, fmt.Errorf("look for %s: %w", a.key, err)
		}
		if c.n == 0 {
			continue
		}
		item := Item{Key: a.key, Severity: a.severity, Title: a.title[i], Detail: a.detail[i], Count: min(c.n, mostCounted), More: c.n > mostCounted, Link: a.link}
		if !c.since.IsZero() && !item.More {
			item.Since = &c.since
		}
		out = append(out, item)
	}
	return out, nil
}
