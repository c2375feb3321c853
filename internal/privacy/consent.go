package privacy

import (
	"slices"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/member"
)

// Purpose is what a member may agree to.
type Purpose string

// The purposes. Their names are kept in rows for ever.
const (
	Serving   Purpose = "service"
	Marketing Purpose = "marketing"
	Profiling Purpose = "profiling"
	Sharing   Purpose = "sharing"
	Research  Purpose = "research"
	Location  Purpose = "location"
)

// PurposeName is a purpose with its names for people.
type PurposeName struct {
	Purpose Purpose
	EN, ZH  string
}

// Purposes lists the purposes in the order in which they are shown.
func Purposes() []PurposeName {
	return []PurposeName{
		{Serving, "Messages that a purchase or the membership needs", "与交易和会员服务有关的通知"},
		{Marketing, "Offers and advertising", "优惠与营销信息"},
		{Profiling, "Personal offers and automated decisions", "个性化推荐与自动化决策"},
		{Sharing, "Passing data on to partners", "向合作方提供个人信息"},
		{Research, "Surveys", "问卷调查"},
		{Location, "Use of the location", "使用位置信息"},
	}
}

// Channel is a way to reach a member.
type Channel string

// The channels. Any stands for all of them, those too that come later.
const (
	Any    Channel = "any"
	SMS    Channel = "sms"
	Email  Channel = "email"
	WeChat Channel = "wechat"
	Push   Channel = "push"
	Phone  Channel = "phone"
	Post   Channel = "post"
)

// channels are all of them, Any first.
var channels = [...]Channel{Any, SMS, Email, WeChat, Push, Phone, Post}

// Consent is one row: what was said, and what proves it.
type Consent struct {
	Member      member.ID
	Seq         int64
	Purpose     Purpose
	Channel     Channel
	Granted     bool
	TextVersion int64 // 0 where there was no text
	TextHash    []byte
	At          time.Time
	Source      string // till, portal, staff, import, api, paper or phone
	Actor       string // who wrote it down
}

// known reports whether there is such a purpose.
func known(p Purpose) bool {
	return slices.ContainsFunc(Purposes(), func(n PurposeName) bool { return n.Purpose == p })
}

// parse reads a consent of an enrolment: marketing, marketing_email.
func parse(text string) (Purpose, Channel, error) {
	if p := Purpose(text); known(p) {
		return p, Any, nil
	}
	at := strings.LastIndexByte(text, '_')
	if at < 0 {
		return "", "", member.ErrConsent
	}
	p, c := Purpose(text[:at]), Channel(text[at+1:])
	if !known(p) || !slices.Contains(channels[:], c) {
		return "", "", member.ErrConsent
	}
	return p, c, nil
}

// topic is what one word of a member is about.
type topic struct {
	purpose Purpose
	channel Channel
}

// standing is how things stand: for each topic the row that speaks of it. A topic that
// nobody has spoken of is absent, which is no consent.
type standing map[topic]Consent

// say takes a row into account. A word about any channel is a word about each.
func (st standing) say(c Consent) {
	if c.Channel != Any {
		st[topic{c.Purpose, c.Channel}] = c
		return
	}
	for _, ch := range channels {
		st[topic{c.Purpose, ch}] = c
	}
}

// join takes in what another record of the same person stood for, topic by topic: a no of
// either counts, and a yes of either only where the other has said nothing else.
func (st standing) join(other standing) {
	for t, theirs := range other {
		mine, spoken := st[t]
		if !spoken || mine.Granted && !theirs.Granted {
			st[t] = theirs
		}
	}
}

// history is one record's rows in their order, and the records that were merged into it.
type history struct {
	rows   []Consent
	merged []merged
}

// merged is a record and when it was merged.
type merged struct {
	at time.Time
	history
}

// stand says how things stand for a record. A merge counts at its own time: what is said
// after it is said by a person who knows of both.
func (h history) stand() standing {
	st := standing{}
	joins := slices.SortedStableFunc(slices.Values(h.merged), func(a, b merged) int { return a.at.Compare(b.at) })
	for _, row := range h.rows {
		for len(joins) > 0 && joins[0].at.Before(row.At) {
			st.join(joins[0].stand())
			joins = joins[1:]
		}
		st.say(row)
	}
	for _, j := range joins {
		st.join(j.stand())
	}
	return st
}

// current lists what stands, in the order of Purposes and channels. A channel of which
// nothing else is said than of all of them is left out.
func (st standing) current() []State {
	var list []State
	for _, n := range Purposes() {
		all, spoken := st[topic{n.Purpose, Any}]
		for _, ch := range channels {
			c, ok := st[topic{n.Purpose, ch}]
			if !ok || ch != Any && spoken && c.Member == all.Member && c.Seq == all.Seq {
				continue
			}
			list = append(list, State{n.Purpose, ch, c.Granted, c.At, c.TextVersion})
		}
	}
	return list
}

// State is how things stand for a purpose and channel.
type State struct {
	Purpose     Purpose
	Channel     Channel
	Granted     bool
	Since       time.Time
	TextVersion int64
}

// all are the rows of a person's records, newest first.
func (h history) all() []Consent {
	list := slices.Clone(h.rows)
	for _, m := range h.merged {
		list = append(list, m.all()...)
	}
	slices.SortStableFunc(list, func(a, b Consent) int {
		if c := b.At.Compare(a.At); c != 0 {
			return c
		}
		return int(b.Seq - a.Seq)
	})
	return list
}
