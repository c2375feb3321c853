package staff

import (
	"context"
	"encoding/json"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// Approval is something that one person asked for and a second has to agree to, whatever
// it is. It waits until somebody decides, its asker takes it back, or its time is over;
// every other state is final. It is approved if and only if it is carried out: both happen
// in one transaction.
type Approval struct {
	ID        int64
	Kind      string          // of an ApprovalKind
	Member    int64           // whom it is about; 0 for nobody
	Merchant  int64           // for whom it is to be decided; 0 for the programme
	Payload   json.RawMessage // what its kind needs to carry it out
	Reason    string
	State     ApprovalState
	AskedBy   string // "staff:stf_…"
	Asked     time.Time
	Until     time.Time // exclusive; zero for no end
	DecidedBy string
	Decided   time.Time
	Done      time.Time // when it was carried out
	Result    string    // what it became, in words of its kind
}

// ApprovalState is where an approval stands.
type ApprovalState string

// The states. All but Waiting are final.
const (
	Waiting   ApprovalState = "waiting"
	Approved  ApprovalState = "approved"
	Rejected  ApprovalState = "rejected"
	Withdrawn ApprovalState = "withdrawn" // by whoever asked
	Expired   ApprovalState = "expired"
)

// word is the state as a sentence says it.
func (s ApprovalState) word() errs.Word {
	zh := map[ApprovalState]string{Waiting: "待审批", Approved: "已同意", Rejected: "已拒绝", Withdrawn: "已撤回", Expired: "已过期"}
	return errs.Word{EN: string(s), ZH: zh[s]}
}

// approvalPrefix begins the public id of an approval. The id carries the member too, so
// that a kind about members knows whom to lock before it has read anything.
const approvalPrefix = "apr_"

// PublicID is what the outside calls the approval.
func (a Approval) PublicID() string { return id.Encode(approvalPrefix, a.Member, a.ID) }

// The reasons for which a decision is refused.
var (
	ErrNoApproval = errs.New(errs.NotFound, "approval.unknown", "There is no such approval.", "没有这条审批。")
	ErrOwn        = errs.New(errs.Conflict, "approval.own", "You asked for this yourself; somebody else has to decide.", "这是您本人提交的申请，须由他人审批。")
	ErrNotOwn     = errs.New(errs.Conflict, "approval.not_own", "Only whoever asked for this can take it back.", "只有申请人本人可以撤回。")
	ErrDecided    = errs.New(errs.Conflict, "approval.decided", "This has been decided already: it was {state}.", "该申请已有结果：{state}。")
)

// Decide turns a waiting approval into its final state, in memory, or says why not. One
// that is in that state already is repeated: it gets the same answer again, and changes
// nothing.
//
// Whoever calls it must hold the row from reading it to writing it back; the statement of
// this package's own decisions holds the same guards.
func (a *Approval) Decide(to ApprovalState, by string, now time.Time) (repeated bool, err error) {
	switch {
	case a.State == to && to != Withdrawn && to != Expired:
		return true, nil
	case a.State != Waiting:
		return false, ErrDecided.With("state", a.State.word())
	case a.over(now) && to != Expired:
		return false, ErrDecided.With("state", Expired.word())
	case to == Withdrawn && a.AskedBy != by:
		return false, ErrNotOwn
	case (to == Approved || to == Rejected) && a.AskedBy == by:
		return false, ErrOwn
	}
	a.State, a.DecidedBy, a.Decided = to, by, now
	return false, nil
}

// over reports whether its time has passed.
func (a Approval) over(now time.Time) bool { return !a.Until.IsZero() && !now.Before(a.Until) }

// ApprovalKind is one kind of thing that needs a second person. Nouns register theirs.
type ApprovalKind struct {
	Name     string // "adjustment"; on disk, so it never changes
	EN, ZH   string
	Reads    api.Permission // to see such approvals
	Decides  api.Permission // to decide on them
	Lasts    time.Duration  // from asking; 0 for no end
	Personal bool           // the payload is sealed at rest

	// Of the two ways to carry an approval out, a kind has one. Carry does it inside the
	// transaction that notes the decision. Approve has a transaction of its own, in which it
	// reads the row under a lock, decides with Approval.Decide, carries it out and writes the
	// row back: for what the posting engine does. Where it refuses, the approval waits on.
	Carry   func(ctx context.Context, tx *db.Tx, a Approval) (result string, err error)
	Approve func(ctx context.Context, a Approval, dry bool) (Decision, error)

	// Show adds to a view what only the kind knows; nil for nothing.
	Show func(a Approval, v *ApprovalView)
}

// Decision is what became of a yes or a no.
type Decision struct {
	Approval Approval
	Entry    any  // what the kind has to say of it, for the answer; nil for nothing
	Repeated bool // it was decided in the same way before
}

// ApprovalView is an approval as the outside sees it.
type ApprovalView struct {
	ID        string        `json:"id" doc:"The approval."`
	Kind      string        `json:"kind" doc:"What kind of thing is asked for." example:"adjustment"`
	EN        string        `json:"label_en" doc:"The kind in English."`
	ZH        string        `json:"label_zh" doc:"The kind in Chinese."`
	Member    string        `json:"member_id,omitempty" doc:"Whom it is about."`
	Currency  string        `json:"currency,omitempty" doc:"Of an adjustment: code of the point currency."`
	Amount    int64         `json:"amount,omitempty" doc:"Of an adjustment: signed, in the smallest unit."`
	Reason    string        `json:"reason" doc:"Why it is asked for."`
	State     ApprovalState `json:"state" enum:"waiting,approved,rejected,withdrawn,expired" doc:"All but waiting are final."`
	AskedBy   string        `json:"asked_by" doc:"Who asked, as staff:stf_… or key:key_…"`
	AskedAt   time.Time     `json:"asked_at" doc:"When."`
	ExpiresAt *time.Time    `json:"expires_at,omitempty" doc:"The instant from which nobody can decide any more."`
	DecidedBy string        `json:"decided_by,omitempty" doc:"Who decided."`
	DecidedAt *time.Time    `json:"decided_at,omitempty" doc:"When."`
	EntryID   string        `json:"entry_id,omitempty" doc:"Of an adjustment: what it was posted as."`
}

// ActorOf names who acts, as rows keep it: "staff:stf_…"; "" for nobody.
func ActorOf(ctx context.Context) string {
	c := api.CallerOf(ctx)
	if c.Kind == "" {
		return ""
	}
	return c.Kind + ":" + c.ID
}
