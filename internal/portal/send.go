package portal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/member"
)

// Message is a code on its way to somebody.
type Message struct {
	Kind      member.Kind // of To: phone or e-mail
	To        string
	Code      string
	Programme string // its name in Language
	Language  string // "zh-CN" or "en"
	Minutes   int    // for which the code is good
	Closing   bool   // it confirms that an account is closed; else it is to sign in with
}

// Sender brings a code to somebody. It returns when the message is on its way, or why it is
// not; it never logs the message.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// subject and text are the message in words.
func (m Message) subject() string {
	return fmt.Sprintf(i18n.Pick(m.Language, "%[2]s is your code for %[1]s", "%[1]s验证码：%[2]s"), m.Programme, m.Code)
}

func (m Message) text() string {
	what := i18n.Pick(m.Language, "to sign in to "+m.Programme, "登录"+m.Programme)
	if m.Closing {
		what = i18n.Pick(m.Language, "to close your account with "+m.Programme+" for good", "注销"+m.Programme+"会员账户（注销后不可恢复）")
	}
	return fmt.Sprintf(i18n.Pick(m.Language,
		"%[1]s\n\nThis is your code %[2]s. It works once, within %[3]d minutes.\n\nNobody of ours will ever ask you for it. If you did not ask for it, leave it: nothing happens.\n",
		"%[1]s\n\n这是%[2]s的验证码，%[3]d 分钟内有效，只能用一次。\n\n工作人员不会向您索要验证码。如非本人操作，不必理会。\n"), m.Code, what, m.Minutes)
}

// mailWithin is how long a mail server may take: who waits for a code looks at the screen.
const mailWithin = 15 * time.Second

// Mail sends codes as e-mail, through one server.
type Mail struct {
	client *mail.Client
	from   string
}

// NewMail makes a sender from the address of a server, smtps://user:password@host:465 for
// TLS from the first byte or smtp://host:587 for STARTTLS, and the address that messages are
// from. A password goes over TLS only; without TLS mail goes to this machine alone. The
// server is not called before the first message.
func NewMail(server, from string) (*Mail, error) {
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || from == "" {
		return nil, ErrMail // without the cause, which may hold the password
	}
	o := []mail.Option{mail.WithTimeout(mailWithin), mail.WithoutNoop(), mail.WithTLSPolicy(mail.TLSMandatory)}
	port := 587
	switch {
	case u.Scheme == "smtps":
		port = 465
		o = append(o, mail.WithSSL())
	case loopback(u.Hostname()):
		port = 25
		o = append(o, mail.WithTLSPolicy(mail.NoTLS))
	}
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil {
			return nil, fmt.Errorf("port of smtp_url: %w", err)
		}
	}
	o = append(o, mail.WithPort(port))
	if password, ok := u.User.Password(); ok {
		o = append(o, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(u.User.Username()), mail.WithPassword(password))
	}
	client, err := mail.NewClient(u.Hostname(), o...)
	if err != nil {
		return nil, fmt.Errorf("prepare for the mail server: %w", err)
	}
	return &Mail{client, from}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Send is part of Sender.
func (s *Mail) Send(ctx context.Context, m Message) error {
	msg := mail.NewMsg()
	if err := msg.FromFormat(m.Programme, s.from); err != nil {
		return fmt.Errorf("sender of a message: %w", err)
	}
	if err := msg.To(m.To); err != nil {
		return errors.New("the address of a member is none that mail can be sent to") // without the address
	}
	msg.Subject(m.subject())
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // so that nobody's holiday answers it
	msg.SetBodyString(mail.TypeTextPlain, m.text())
	ctx, cancel := context.WithTimeout(ctx, mailWithin)
	defer cancel()
	if err := s.client.DialAndSendWithContext(ctx, msg); err != nil {
		return sendFailure(err)
	}
	return nil
}

// sendFailure says what went wrong without the address that the server's own words repeat.
func sendFailure(err error) error {
	var refused *mail.SendError
	if errors.As(err, &refused) {
		return fmt.Errorf("the mail server refused a message: %v, code %d", refused.Reason, refused.ErrorCode())
	}
	var network *net.OpError
	if errors.As(err, &network) {
		return fmt.Errorf("reach the mail server: %s: %w", network.Op, network.Err)
	}
	return fmt.Errorf("send a message: %T", err)
}

// Inbox keeps the last codes in memory and shows them: for a demonstration, whose members
// have no telephones.
type Inbox struct {
	clock clock.Clock
	mu    sync.Mutex
	list  []received
}

type received struct {
	Message
	at time.Time
}

// maxInbox bounds what is kept.
const maxInbox = 20

// Send is part of Sender.
func (b *Inbox) Send(_ context.Context, m Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = append(b.list, received{m, b.clock.Now()})
	if len(b.list) > maxInbox {
		b.list = slices.Clone(b.list[1:])
	}
	return nil
}

type inboxOut struct {
	Body struct {
		Items []inboxItem `json:"items" doc:"The latest messages, newest first; at most 20. A restart forgets them."`
	}
}

type inboxItem struct {
	To      string    `json:"to" doc:"Phone or e-mail address, of nobody who exists."`
	Code    string    `json:"code" doc:"The code."`
	Subject string    `json:"subject" doc:"What the message begins with."`
	Text    string    `json:"text" doc:"The message."`
	At      time.Time `json:"at" doc:"When it was sent."`
}

func (s *Service) getInbox(_ context.Context, _ *struct{}) (*inboxOut, error) {
	if !s.demo() {
		return nil, ErrNoInbox
	}
	s.inbox.mu.Lock()
	defer s.inbox.mu.Unlock()
	out := &inboxOut{}
	out.Body.Items = []inboxItem{}
	for _, m := range slices.Backward(s.inbox.list) {
		out.Body.Items = append(out.Body.Items, inboxItem{m.To, m.Code, m.subject(), m.text(), m.at})
	}
	return out, nil
}

// message dresses a code for the caller of ctx.
func (s *Service) message(ctx context.Context, k member.Kind, to, code string, p purpose) Message {
	lang, set := api.Language(ctx), s.o.Program.Snapshot().Settings
	return Message{
		Kind: k, To: to, Code: code, Programme: i18n.Pick(lang, set.NameEN, set.NameZH), Language: lang,
		Minutes: int(codeLife / time.Minute), Closing: p == toClose,
	}
}
