package cond

import (
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// memberWords is what a condition can ask of a member.
func memberWords() []word {
	m := func(o *object) *Member { return o.facts.Member }
	list := on(memberType,
		text("number", func(o *object) string { return m(o).Number }, "Member number", "会员号", `member.number == "8000123"`),
		text("status", func(o *object) string { return m(o).Status }, "State of the record, such as active", "会员状态，如 active", `member.status == "active"`),
		word{name: "tags", typ: Texts, en: "Tags", zh: "标签", eg: `"vip" in member.tags`,
			get: func(o *object) ref.Val { return types.NewStringList(types.DefaultTypeAdapter, m(o).Tags) }},
		text("gender", func(o *object) string { return m(o).Gender }, "Gender", "性别", `member.gender == "female"`).
			oneOf("female", "Female", "女", "male", "Male", "男", "other", "Other", "其他", "unknown", "Not known", "未知"),
		whole("birth_year", func(o *object) int64 { return int64(m(o).BirthYear) }, "Year of birth; 0 where not known", "出生年份，未知为 0", `member.birth_year >= 1990`),
		whole("age", func(o *object) int64 { return o.facts.age() }, "Age in years; 0 where not known", "年龄（周岁），未知为 0", `member.age >= 18 && member.age < 26`).between(0, 150),
		part("birthday", birthdayType, "Birthday", "生日", `member.birthday.month == 5`),
		text("joined", func(o *object) string { return dateText(m(o).JoinedDay) }, "Date of joining", "入会日期", `member.joined >= "2026-01-01"`).as(Date),
		whole("days_since_joining", func(o *object) int64 { return int64(o.facts.Now.day) - int64(m(o).JoinedDay) }, "Days since joining; 0 on the day itself", "入会天数，入会当天为 0", `member.days_since_joining < 30`),
		text("city", func(o *object) string { return m(o).City }, "City (code)", "城市（代码）", `member.city in ["310000", "320500"]`),
		text("language", func(o *object) string { return m(o).Language }, "Language, such as zh-CN", "语言，如 zh-CN", `member.language.startsWith("zh")`),
		text("store", func(o *object) string { return m(o).Store }, "Home store (code)", "归属门店（代码）", `member.store == "S001"`),
		text("source", func(o *object) string { return m(o).Source }, "Where they joined", "入会来源", `member.source == "wechat"`),
		part("tier", tierType, "Tier", "等级", `member.tier.rank >= 2`),
		part("attributes", attributesType, "Declared attributes, one field each", "自定义属性，每个属性一个字段", `member.attributes == member.attributes`),
	)
	list = append(list, on(tierType,
		text("code", func(o *object) string { return m(o).TierCode }, "Code of the tier; empty without one", "等级代码，无等级为空", `member.tier.code == "gold"`),
		whole("rank", func(o *object) int64 { return int64(m(o).TierRank) }, "Rank of the tier: 1 is the lowest, 0 without one", "等级序号：1 为最低，无等级为 0", `member.tier.rank >= 2`),
	)...)
	return append(list, on(birthdayType,
		whole("month", func(o *object) int64 { return int64(m(o).BirthMonth) }, "Month of the birthday; 0 where not known", "生日月份，未知为 0", `member.birthday.month == now.month`).between(0, 12),
		whole("day", func(o *object) int64 { return int64(m(o).BirthDay) }, "Day of the month of the birthday; 0 where not known", "生日日期，未知为 0", `member.birthday.day == 1`).between(0, 31),
		yesNo("today", func(o *object) bool { return o.facts.birthdayIn() == 0 }, "It is the member's birthday (29 February is kept on the 28th in other years)", "今天生日（2 月 29 日在平年按 28 日）", `member.birthday.today`),
		yesNo("this_month", func(o *object) bool { return m(o).BirthMonth != 0 && m(o).BirthMonth == o.facts.Now.month }, "It is the month of the member's birthday", "本月生日", `member.birthday.this_month`),
		whole("in_days", func(o *object) int64 { return o.facts.birthdayIn() }, "Days until the next birthday: 0 today; -1 where not known", "距下次生日的天数：当天为 0，未知为 -1", `member.birthday.in_days >= 0 && member.birthday.in_days <= 7`).between(-1, 366),
	)...)
}

// age is how many birthdays the member has had; 0 where the year is not known. Without month
// and day the year counts as ended: nobody is taken for younger than they are.
func (f *Facts) age() int64 {
	m, n := f.Member, f.Now
	if m.BirthYear == 0 || n.year < m.BirthYear {
		return 0
	}
	age := n.year - m.BirthYear
	if m.BirthMonth != 0 && age > 0 {
		month, day := birthdayOf(m, n.year)
		if n.month < month || n.month == month && n.dom < day {
			age--
		}
	}
	return int64(age)
}

// birthdayOf is the date on which the birthday is kept in a year.
func birthdayOf(m *Member, year int) (month, day int) {
	if m.BirthMonth == 2 && m.BirthDay == 29 && !leap(year) {
		return 2, 28
	}
	return m.BirthMonth, m.BirthDay
}

// birthdayIn is how many days it is to the next birthday, or -1.
func (f *Facts) birthdayIn() int64 {
	if f.Member.BirthMonth == 0 || f.Member.BirthDay == 0 {
		return -1
	}
	for year := f.Now.year; ; year++ { // ends next year at the latest
		month, day := birthdayOf(f.Member, year)
		if left := dayOf(year, month, day) - f.Now.day; left >= 0 {
			return int64(left)
		}
	}
}

// attributeWords is what the programme has declared of its members.
func attributeWords(attributes []Attribute) []word {
	var list []word
	for _, a := range attributes {
		zero := a.Type.zero()
		w := word{name: a.Key, typ: a.Type, en: a.EN, zh: a.ZH, get: func(o *object) ref.Val {
			if v, ok := o.facts.Member.Attributes[a.Key]; ok && v.val != nil && v.val.Type() == zero.Type() {
				return v.val
			}
			return zero
		}}
		for _, c := range a.Choices {
			w.values = append(w.values, Choice{c, c, c})
		}
		w.eg = w.exampleOf("member.attributes." + escape(a.Key))
		list = append(list, w)
	}
	return on(attributesType, list...)
}

// exampleOf makes an example for a word that was declared by the programme.
func (w word) exampleOf(name string) string {
	switch {
	case len(w.values) > 0:
		return name + " == " + quote(w.values[0].Value)
	case w.typ == YesNo:
		return name
	case w.typ == Whole || w.typ == Number:
		return name + " >= 1"
	case w.typ == Money:
		return name + ` >= money("1")`
	case w.typ == Date:
		return name + ` >= "2026-01-01"`
	}
	return name + ` == "…"`
}
