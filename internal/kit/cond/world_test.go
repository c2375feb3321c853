package cond

import (
	"testing"
	"time"
)

var shanghai = func() *time.Location {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		panic(err)
	}
	return zone
}()

// shopEnv is the vocabulary of a shop in yuan, with every type of attribute.
func shopEnv(tb testing.TB) *Env {
	tb.Helper()
	e, err := NewEnv(Config{
		Decimals: 2,
		Facts:    Standard([]string{"POINTS", "GROWTH"}),
		Attributes: []Attribute{
			{Key: "size", Type: Number, EN: "Shoe size", ZH: "鞋码"},
			{Key: "parent", Type: YesNo, EN: "Has children", ZH: "有孩子"},
			{Key: "wedding", Type: Date, EN: "Wedding day", ZH: "结婚纪念日"},
			{Key: "roast", Type: Text, Choices: []string{"light", "dark"}, EN: "Roast", ZH: "烘焙度"},
			{Key: "in", Type: Whole, EN: "Named like a word of CEL", ZH: "与保留字同名"},
			{Key: "team", Type: Text, EN: "Team", ZH: "球队"},
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// shopFacts is Wang in a shop in Shanghai, on Tuesday, 12 May 2026, at half past two.
func shopFacts() *Facts {
	at := time.Date(2026, 5, 12, 14, 30, 0, 0, shanghai)
	s := &Sale{
		Total: 12_350, PaidByPoints: 500, PaidByCoupons: 1_000, Currency: "CNY", Store: "S001", Merchant: "M1",
		Channel: "shop", Till: "T1", Staff: "E07", Source: "till", Document: "D-1",
		Lines: []Line{
			{SKU: "A-100", Name: "latte", Category: "drinks/coffee/latte", Brand: "ACME", Milli: 2_000, Amount: 6_000},
			{SKU: "B-7", Name: "beans", Category: "drinks/coffee", Brand: "Bean & Co", Milli: 500, Amount: 6_350, Attributes: map[string]any{"gift": true}},
		},
		Attributes: map[string]any{"campaign": "spring", "guests": 4.0, "delivery": true},
	}
	return &Facts{
		Member: &Member{
			Number: "8000123", Status: "active", Tags: []string{"vip", "app"}, Gender: "female",
			BirthYear: 1990, BirthMonth: 5, BirthDay: 20, JoinedDay: dayOf(2025, 5, 12),
			City: "310000", Language: "zh-CN", Store: "S001", Source: "wechat", TierCode: "gold", TierRank: 3,
			Attributes: map[string]Value{"size": NumberValue(385, 10), "parent": YesNoValue(true), "wedding": TextValue("2018-10-01"), "roast": TextValue("dark")},
		},
		Sale: s, Line: &s.Lines[0],
		Event: &Event{Type: "visit", Attributes: map[string]any{"guests": 2.0}},
		Now:   NewMoment(at, shanghai),
		Found: Found{
			{Fact: FactPoints, Text: "POINTS"}:             WholeValue(320),
			{Fact: FactSpend, Days: 90}:                    WholeValue(99_900),
			{Fact: FactSpend}:                              WholeValue(250_000),
			{Fact: FactVisits, Days: 30}:                   WholeValue(5),
			{Fact: FactBought, Text: "coffee", Days: 30}:   NumberValue(12_500, 1_000),
			{Fact: FactSpentOn, Text: "coffee", Days: 365}: {},
		},
	}
}
