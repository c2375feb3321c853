package cond

import (
	"slices"
	"sort"
)

// lunarDate is a date of the Chinese calendar; zero outside the table.
type lunarDate struct {
	month, day int
	leap       bool // the second month of its number
	last       bool // the last day of the year, its eve
}

// lunarYear is one year of the Chinese calendar.
type lunarYear struct {
	first  int // its first day: month*100 + day of the common calendar
	leap   int // the month after which the leap month comes, or 0
	thirty int // bit i: its i-th month, the leap month counted, has 30 days and not 29
}

// The years that are known. The calendar follows the moon and the sun; the test works it out
// from astronomy and compares. It is a list of announced facts in the end: past 2060 a new
// moon close to midnight cannot be told for certain.
const firstLunar = 1999

var lunarYears = [...]lunarYear{
	{216, 0, 0x0749}, {205, 0, 0x0693}, {124, 4, 0x152b}, {212, 0, 0x052b}, // from 1999
	{201, 0, 0x0a5b}, {122, 2, 0x155a}, {209, 0, 0x056a}, {129, 7, 0x1b55}, // from 2003
	{218, 0, 0x0ba4}, {207, 0, 0x0b49}, {126, 5, 0x1a93}, {214, 0, 0x0a95}, // from 2007
	{203, 0, 0x052d}, {123, 4, 0x0aad}, {210, 0, 0x0ab5}, {131, 9, 0x15aa}, // from 2011
	{219, 0, 0x05d2}, {208, 0, 0x0da5}, {128, 6, 0x1d4a}, {216, 0, 0x0d4a}, // from 2015
	{205, 0, 0x0c95}, {125, 4, 0x152e}, {212, 0, 0x0556}, {201, 0, 0x0ab5}, // from 2019
	{122, 2, 0x15b2}, {210, 0, 0x06d2}, {129, 6, 0x0ea5}, {217, 0, 0x0725}, // from 2023
	{206, 0, 0x064b}, {126, 5, 0x0c97}, {213, 0, 0x0cab}, {203, 0, 0x055a}, // from 2027
	{123, 3, 0x0ad6}, {211, 0, 0x0b69}, {131, 11, 0x1752}, {219, 0, 0x0b52}, // from 2031
	{208, 0, 0x0b25}, {128, 6, 0x1a4b}, {215, 0, 0x0a4b}, {204, 0, 0x04ab}, // from 2035
	{124, 5, 0x055b}, {212, 0, 0x05ad}, {201, 0, 0x0b6a}, {122, 2, 0x1b52}, // from 2039
	{210, 0, 0x0d92}, {130, 7, 0x1d25}, {217, 0, 0x0d25}, {206, 0, 0x0a55}, // from 2043
	{126, 5, 0x14ad}, {214, 0, 0x04b6}, {202, 0, 0x05b5}, {123, 3, 0x0daa}, // from 2047
	{211, 0, 0x0ec9}, {201, 8, 0x1e92}, {219, 0, 0x0e92}, {208, 0, 0x0d26}, // from 2051
	{128, 6, 0x0a56}, {215, 0, 0x0a57}, {204, 0, 0x04d6}, {124, 4, 0x06d5}, // from 2055
	{212, 0, 0x0755}, {202, 0, 0x0749}, // from 2059
}

// starts numbers the first day of each lunar year.
var starts = func() (list [len(lunarYears)]int32) {
	for i, y := range lunarYears {
		list[i] = dayOf(firstLunar+i, y.first/100, y.first%100)
	}
	return list
}()

// lunarOf finds the Chinese date of a day, from 1 January 2000 to 31 December 2060.
func lunarOf(day int32) lunarDate {
	if day < dayOf(2000, 1, 1) || day > dayOf(2060, 12, 31) {
		return lunarDate{}
	}
	i := sort.Search(len(starts), func(i int) bool { return starts[i] > day }) - 1
	y, left := lunarYears[i], int(day-starts[i])
	months := 12
	if y.leap > 0 {
		months = 13
	}
	for m := range months {
		length := 29 + y.thirty>>m&1
		if left < length {
			d := lunarDate{month: m + 1, day: left + 1, last: m == months-1 && left == length-1}
			if y.leap > 0 && m >= y.leap {
				d.month, d.leap = m, m == y.leap
			}
			return d
		}
		left -= length
	}
	return lunarDate{} // after the last month of the last year; the bound above excludes it
}

// festival is a day of the Chinese calendar that has a name.
type festival struct {
	name, en, zh string
	month, day   int // of the Chinese calendar; 0 for the others
}

// festivals are those that shops keep. A leap month has none.
var festivals = []festival{
	{"new_years_eve", "Chinese New Year's Eve", "除夕", 0, 0},
	{"spring_festival", "Spring Festival", "春节", 1, 1},
	{"lantern", "Lantern Festival", "元宵节", 1, 15},
	{"qingming", "Qingming", "清明", 0, 0},
	{"dragon_boat", "Dragon Boat Festival", "端午节", 5, 5},
	{"qixi", "Qixi", "七夕", 7, 7},
	{"zhongyuan", "Ghost Festival", "中元节", 7, 15},
	{"mid_autumn", "Mid-Autumn Festival", "中秋节", 8, 15},
	{"double_ninth", "Double Ninth Festival", "重阳节", 9, 9},
	{"winter_solstice", "Winter Solstice", "冬至", 0, 0},
	{"laba", "Laba Festival", "腊八节", 12, 8},
}

// The days of April and of December on which the sun makes Qingming and the winter solstice
// in China, from 2000 on, the second less 20.
const (
	qingmingDays = "4555455544554455445544554455445544554455444544454445444544454"
	solsticeDays = "1222122212221222122211221122112211221122112211221122112211121"
)

// festivalOf names the festival of a date, or "".
func festivalOf(year, month, dom int, lunar lunarDate) string {
	if lunar.month == 0 {
		return ""
	}
	switch {
	case lunar.last:
		return "new_years_eve"
	case month == 4 && dom == int(qingmingDays[year-2000]-'0'):
		return "qingming"
	case month == 12 && dom == 20+int(solsticeDays[year-2000]-'0'):
		return "winter_solstice"
	case lunar.leap:
		return ""
	}
	i := slices.IndexFunc(festivals, func(f festival) bool { return f.month == lunar.month && f.day == lunar.day })
	if i < 0 {
		return ""
	}
	return festivals[i].name
}

// festivalChoices lists the festivals as value, English, Chinese; "" is a day that is none.
func festivalChoices() []string {
	var list []string
	for _, f := range festivals {
		list = append(list, f.name, f.en, f.zh)
	}
	return append(list, "", "None", "无")
}
