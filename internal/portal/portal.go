// Package portal is the member's own side of the programme: what a member sees and does by
// themselves, signed in with a code that was sent to their phone or e-mail address.
//
// # Life
//
// Who wants in asks for a code. It is sent, whoever has the number or address, and the
// browser gets a challenge. Challenge and code together open a session, make a new member
// (joining), or confirm that an account is to be closed; then they are gone. A session lasts
// until it is ended, is not used for 90 days, or is a year old.
//
// # Laws
//
//   - Everything behind the sign-in is about the signed-in member alone. No route takes a
//     member's id to read by, and whatever else is named (a purchase, a session) and is not
//     theirs is answered as if it were not there.
//   - Asking for a code tells nobody who is a member: the program does not even look. Only who
//     has read the code learns it, of their own number or address.
//   - A code works once, whoever races for it; five wrong ones end it; it lies in the database
//     as a keyed hash and nowhere in a log. How many are sent is counted in the database, so
//     that nodes share the count: for an identifier, from an address, of the programme.
//   - The code on the screen (qr.go) is good for a minute, on every node, and tells who it is
//     only to who has a right to ask.
//   - Of the browser of a member its kind is kept, and no address.
//
// # Place
//
// The portal is a face: it shows what the nouns below keep, and calls them as a till or a
// colleague would. It stands above all of them, beside nothing, and nothing stands on it, so
// that tiers, coupons and whatever comes can be shown without turning a level around.
// Members below resolve its codes by a hook that app sets.
package portal

import (
	"log/slog"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/plan"
	"github.com/patron-loyalty/patron/internal/privacy"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/tier"
)

// The refusals.
var (
	ErrOne = errs.New(errs.Invalid, "portal.one",
		"Give a phone number or an e-mail address, one of the two.", "请填写手机号或邮箱，二选一。")
	ErrNoChannel = errs.New(errs.Conflict, "portal.no_channel",
		"Codes cannot be sent by {channel} here. Use another way, or ask the shop.", "此处暂不能通过{channel}发送验证码，请换一种方式或联系商家。")
	ErrSlow = errs.New(errs.TooMany, "portal.slow_down",
		"Too many codes were asked for. Try again in {retry_after} seconds.", "获取验证码过于频繁，请在 {retry_after} 秒后重试。")
	ErrGuess = errs.New(errs.TooMany, "portal.too_many_tries",
		"Too many codes were tried from here. Try again in {retry_after} seconds.", "验证码尝试次数过多，请在 {retry_after} 秒后重试。")
	ErrNotSent = errs.New(errs.Unavailable, "portal.not_sent",
		"The code could not be sent just now. Try again in a moment.", "验证码暂时无法发送，请稍后重试。")
	ErrCode = errs.New(errs.Invalid, "portal.code",
		"The code is wrong, has expired or was used. Ask for a new one.", "验证码错误、已过期或已使用，请重新获取。")
	ErrNotMember = errs.New(errs.NotFound, "portal.not_member",
		"Nobody has joined with this yet. You can join now, with the same code.", "此手机号或邮箱尚未入会，可用同一验证码立即加入。")
	ErrPlain = errs.New(errs.Forbidden, "portal.plain_http",
		"Signing in needs HTTPS, or a browser on the same machine (http://127.0.0.1).", "登录需要 HTTPS，或在本机浏览器访问（http://127.0.0.1）。")
	ErrNoSession = errs.New(errs.NotFound, "portal.no_session", "There is no such session.", "没有这个登录。")
	ErrNoInbox   = errs.New(errs.NotFound, "portal.no_inbox",
		"Codes are shown in a demonstration only.", "仅演示环境显示验证码。")
	ErrBirthday = errs.New(errs.Conflict, "portal.birthday_set",
		"Your birthday can be set once. Ask the shop to correct it.", "生日只能填写一次，如需更正请联系商家。")
	ErrUnknownFriend = errs.New(errs.NotFound, "portal.unknown_friend",
		"Nobody has joined with this.", "没有找到这位会员。")
	ErrLooking = errs.New(errs.TooMany, "portal.too_many_looked_up",
		"You looked for too many members. Try again in {retry_after} seconds.", "查找会员次数过多，请在 {retry_after} 秒后重试。")
	ErrOften = errs.New(errs.TooMany, "portal.too_often",
		"You have downloaded your data several times just now. Try again in {retry_after} seconds.", "您刚刚已多次下载资料，请在 {retry_after} 秒后重试。")
	ErrNoAddress = errs.New(errs.Conflict, "portal.no_address",
		"There is no {channel} of yours to send a code to. Ask the shop.", "您没有登记可接收验证码的{channel}，请联系商家。")
)

// ErrMail refuses to start with a mail server and without what it needs.
var ErrMail = errs.New(errs.Invalid, "portal.mail",
	"smtp_url is not like smtps://user:password@host:465, or smtp_from is missing.", "smtp_url 格式应为 smtps://user:password@host:465，且须设置 smtp_from。")

// Options are what a Service is made of. All but Log, Mail and SMS are required.
type Options struct {
	DB      *db.DB
	Box     *seal.Box
	Clock   clock.Clock
	Log     *slog.Logger
	Jobs    *job.Queue
	Program *program.Service
	Members *member.Service
	Privacy *privacy.Service
	Ledger  *ledger.Service
	Sales   *sale.Service
	Tiers   *tier.Service
	Plans   *plan.Service

	Mail, SMS Sender // nil where codes cannot be sent that way
	Inbox     bool   // show the codes of everybody to everybody, as in a demonstration
	Codes     int    // that the programme sends in an hour at most
	PublicURL string // how browsers reach the program, "https://club.example"; "" to go by the request
	Realm     string // tells programmes apart that share their keys
}

// Service does all this. It is safe for use by many goroutines.
type Service struct {
	o     Options
	inbox *Inbox
}

// New makes the service and registers its job.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	s := &Service{o: o, inbox: &Inbox{clock: o.Clock}}
	o.Jobs.Register(purgeKind, s.purge)
	o.Jobs.Every(job.Interval(time.Hour), job.New{Kind: purgeKind})
	return s
}

// cookie bears a member's session.
var cookie = api.SessionCookie{Name: "patron_portal", MaxAge: ageLimit}

// demo reports whether codes are shown instead of sent.
func (s *Service) demo() bool { return s.o.Inbox || s.o.Program.Snapshot().Settings.Demo != "" }

// sender is what sends a code to an identifier of a kind.
func (s *Service) sender(k member.Kind) (Sender, error) {
	var by Sender
	switch {
	case s.demo():
		by = s.inbox
	case k == member.KindEmail:
		by = s.o.Mail
	case k == member.KindPhone:
		by = s.o.SMS
	}
	if by == nil {
		return nil, ErrNoChannel.With("channel", channelName(k))
	}
	return by, nil
}

// channelName is what people call the way to a kind of identifier.
func channelName(k member.Kind) errs.Word {
	if k == member.KindEmail {
		return errs.Word{EN: "e-mail", ZH: "邮箱"}
	}
	return errs.Word{EN: "text message", ZH: "短信"}
}
