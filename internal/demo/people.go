package demo

import (
	_ "embed"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/member"
)

// habit is how somebody comes back.
type habit int

const (
	regular    habit = iota // every week or so
	frequent                // every two to four weeks
	occasional              // every second month
	sleeper                 // often, for a while, and then no more
	oneTimer                // once
	never                   // joined and bought nothing
)

// habits are the shares of each, in hundredths.
var habits = [...]int{12, 22, 28, 16, 17, 5}

// person is a member of the demo, and what we know of them beyond their record.
type person struct {
	n        int // 1, 2, 3 … by the time they joined
	enrol    member.Enrolment
	home     *place
	habit    habit
	gap      float64 // days between two visits
	until    time.Time
	rhythm   int // -1 morning, 1 evening
	likes    []int
	stores   bool // pays with stored value
	id       member.ID
	gone     bool  // merged away, or blocked
	points   int64 // after the last visit
	balance  int64 // stored value, in fen
	month    int64 // bought this month, in fen
	lastSale string
}

//go:embed surnames.csv
var surnameTable string

// surname is one of surnames.csv; see NOTICE.md.
type surname struct {
	text   string
	weight int
}

func surnames() (list []surname) {
	for _, line := range strings.Split(strings.TrimSpace(surnameTable), "\n")[1:] {
		text, weight, _ := strings.Cut(line, ",")
		n, err := strconv.Atoi(strings.TrimSpace(weight))
		if err != nil {
			panic(err) // the file was changed
		}
		list = append(list, surname{text, n})
	}
	return list
}

// Parts of given names. A name is one or two of them.
var (
	forWomen = []rune("芳静丽敏艳娟霞秀娜婷玉兰萍雪梅莉雯欣怡悦琳慧颖佳梦瑶诗涵语桐若汐依诺紫萱思妍可馨晓燕海月")
	forMen   = []rune("伟强磊军洋勇杰涛明超刚平辉鹏华飞建国志浩轩子豪宇航俊博文泽睿一鸣嘉懿天佑思源承宏毅正阳立新海")
)

// Names of members from elsewhere.
var (
	foreignFirst = []string{"Emma", "Liam", "Sofia", "Noah", "Hannah", "Lucas", "Maya", "Daniel", "Clara", "Hiroshi", "Aisha", "Tom"}
	foreignLast  = []string{"Miller", "Silva", "Novak", "Tanaka", "Okafor", "Larsen", "Rossi", "Kim", "Dubois", "Khan"}
)

// labels are the tags that staff give; "" for none.
var labels = []string{"", "", "", "", "上班族", "学生", "附近居民", "企业客户", "茶友", "带娃家庭"}

// invent makes the members, by the time at which they join.
func (s *shop) invent() {
	r, names := s.random, surnames()
	end := midnight(s.options.Now)
	phones := takesDemoPhones()
	joined := make([]time.Time, s.options.Members)
	for i := range joined {
		ago := 1 + int(float64(joinDays-1)*math.Pow(r.Float64(), 1.2)) // more join as the shop grows
		joined[i] = moment(r, end.AddDate(0, 0, -ago), 0)
	}
	slices.SortFunc(joined, time.Time.Compare)
	for i, at := range joined {
		p := &person{n: i + 1, home: s.stores[pick(r, len(s.stores), func(i int) int { return s.stores[i].share })]}
		p.enrol = member.Enrolment{
			City: p.home.city, Language: "zh-CN", StoreID: p.home.id, Source: []string{"till", "till", "mini_program", "web"}[r.IntN(4)],
			JoinedAt: at, History: at.Before(s.live0()),
		}
		p.name(r, names)
		p.identify(r, phones, s.options.Seed)
		p.behave(r)
		s.people = append(s.people, p)
	}
}

// takesDemoPhones reports whether the programme takes numbers that begin with 12. They are
// in no numbering plan, so nobody can be reached by mistake; where they are refused, the
// members have cards and no telephone, which is better than the number of a stranger.
func takesDemoPhones() bool {
	_, err := member.RefTo(member.KindPhone, "12000000001")
	return err == nil
}

func (p *person) name(r *rand.Rand, names []surname) {
	e := &p.enrol
	if e.Gender = member.Female; r.IntN(100) < 42 {
		e.Gender = member.Male
	}
	if r.IntN(100) < 4 {
		e.Name, e.Language = foreignFirst[r.IntN(len(foreignFirst))]+" "+foreignLast[r.IntN(len(foreignLast))], "en"
	} else {
		parts := forWomen
		if e.Gender == member.Male {
			parts = forMen
		}
		e.Name = names[pick(r, len(names), func(i int) int { return names[i].weight })].text + string(parts[r.IntN(len(parts))])
		if r.IntN(100) < 72 {
			e.Name += string(parts[r.IntN(len(parts))])
		}
	}
	if r.IntN(100) < 12 {
		e.Gender = "" // has not said
	}
	if r.IntN(100) < 80 {
		e.Birthday = fmt.Sprintf("%d-%02d-%02d", 1962+r.IntN(45), 1+r.IntN(12), 1+r.IntN(28))
	}
	if label := labels[r.IntN(len(labels))]; label != "" {
		e.Tags = []string{label}
	}
}

// identify gives a member ways to be found. The factor has nothing in common with the
// number of telephones or cards, so that no two get the same.
func (p *person) identify(r *rand.Rand, phones bool, seed uint64) {
	e := &p.enrol
	scattered := (uint64(p.n)*7919 + seed%1_000_000*104_729) % 1_000_000_000
	if phones {
		e.Phone = fmt.Sprintf("12%09d", scattered)
	}
	if !phones || r.IntN(100) < 35 {
		e.Card = fmt.Sprintf("6901%09d", scattered)
	}
	if r.IntN(100) < 25 {
		e.Email = fmt.Sprintf("member%d@mail.example", p.n)
	}
	if r.IntN(100) < 45 {
		e.WeChat = fmt.Sprintf("demo-open-id-%09d", scattered)
	}
}

func (p *person) behave(r *rand.Rand) {
	p.habit = habit(pick(r, len(habits), func(i int) int { return habits[i] }))
	p.rhythm = r.IntN(3) - 1
	switch p.habit {
	case regular:
		p.gap = 5 + 5*r.Float64()
	case frequent:
		p.gap = 14 + 14*r.Float64()
	case occasional:
		p.gap = 40 + 50*r.Float64()
	case sleeper:
		p.gap = 8 + 12*r.Float64()
		p.until = p.enrol.JoinedAt.AddDate(0, 0, 60+r.IntN(180))
	}
	p.stores = p.habit <= frequent && r.IntN(100) < 22
	for range 3 {
		p.likes = append(p.likes, pick(r, len(menu), func(i int) int { return menu[i].weight }))
	}
}

// comes reports whether somebody visits on a day, by chance. crowd is how busy the day is.
func (p *person) comes(r *rand.Rand, day time.Time, crowd float64) bool {
	if p.id == 0 || p.gone || p.gap == 0 || !p.until.IsZero() && day.After(p.until) {
		return false
	}
	return r.Float64() < crowd/p.gap
}
