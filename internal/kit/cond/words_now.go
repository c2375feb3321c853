package cond

// nowWords is what a condition can ask of the calendar, at the sale's or event's own time in
// the programme's zone.
func nowWords() []word {
	n := func(o *object) *Moment { return &o.facts.Now }
	return on(nowType,
		text("date", func(o *object) string { return n(o).date }, "Date", "日期", `now.date >= "2026-06-01" && now.date <= "2026-06-18"`).as(Date),
		text("time", func(o *object) string { return n(o).clock }, "Time of day", "时刻", `now.time >= "14:00" && now.time < "17:00"`).as(Hour),
		whole("weekday", func(o *object) int64 { return int64(n(o).weekday) }, "Day of the week: 1 is Monday, 7 is Sunday", "星期：1 为周一，7 为周日", `now.weekday == 2`).between(1, 7),
		yesNo("weekend", func(o *object) bool { return n(o).weekday >= 6 }, "It is Saturday or Sunday", "周末", `now.weekend`),
		whole("hour", func(o *object) int64 { return int64(n(o).hour) }, "Hour, 0 to 23", "小时，0 至 23", `now.hour >= 14 && now.hour < 17`).between(0, 23),
		whole("minute", func(o *object) int64 { return int64(n(o).minute) }, "Minute, 0 to 59", "分钟，0 至 59", `now.minute < 30`).between(0, 59),
		whole("day", func(o *object) int64 { return int64(n(o).dom) }, "Day of the month: a member day is one", "几号，可用于会员日", `now.day == 8`).between(1, 31),
		whole("month", func(o *object) int64 { return int64(n(o).month) }, "Month", "月份", `now.month in [6, 11]`).between(1, 12),
		whole("year", func(o *object) int64 { return int64(n(o).year) }, "Year", "年份", `now.year == 2026`),
		whole("nth", func(o *object) int64 { return int64((n(o).dom + 6) / 7) }, "Which one of its weekday in the month, 1 to 5: the second Tuesday", "本月第几个该星期几，1 至 5，如第二个周二", `now.weekday == 2 && now.nth == 2`).between(1, 5),
		yesNo("last_of_month", func(o *object) bool { return n(o).dom == daysIn(n(o).year, n(o).month) }, "It is the last day of the month", "当月最后一天", `now.last_of_month`),
		text("festival", func(o *object) string { return n(o).festival }, "Festival of the Chinese calendar; empty on other days", "农历节日与节气，其他日子为空", `now.festival == "mid_autumn"`).
			oneOf(festivalChoices()...),
		whole("lunar_month", func(o *object) int64 { return int64(n(o).lunar.month) }, "Month of the Chinese calendar; 0 outside 2000 to 2060", "农历月，2000 至 2060 年以外为 0", `now.lunar_month == 1`).between(0, 12),
		whole("lunar_day", func(o *object) int64 { return int64(n(o).lunar.day) }, "Day of the month of the Chinese calendar; 0 outside 2000 to 2060", "农历日，2000 至 2060 年以外为 0", `now.lunar_day == 15`).between(0, 30),
		yesNo("lunar_leap", func(o *object) bool { return n(o).lunar.leap }, "It is a leap month of the Chinese calendar", "农历闰月", `!now.lunar_leap`),
	)
}
