package i18n

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestNegotiate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ header, def, want string }{
		{"", "zh-CN", "zh-CN"},
		{"", "en", "en"},
		{"", "", "zh-CN"},
		{"", "fr", "zh-CN"},
		{"en", "zh-CN", "en"},
		{"en-GB", "zh-CN", "en"},
		{"EN-us", "zh-CN", "en"},
		{"zh", "en", "zh-CN"},
		{"ZH-Hant-TW", "en", "zh-CN"},
		{"zhx", "en", "en"}, // another language whose tag begins so
		{"en,zh", "zh-CN", "en"},
		{"en;q=0.8,zh;q=0.9", "en", "zh-CN"},
		{"en;q=0.9, zh-CN;q=0.9", "zh-CN", "en"},
		{"fr, de;q=0.9", "en", "en"},
		{"fr;q=1, zh;q=0.1", "en", "zh-CN"},
		{"*", "en", "en"},
		{"*, zh;q=0.5", "en", "en"},
		{"zh, *;q=0.1", "en", "zh-CN"},
		{"zh;q=0", "zh-CN", "en"},
		{"zh;q=0, *", "zh-CN", "en"},
		{"zh;q=0, en;q=0", "zh-CN", "zh-CN"},
		{"en;q=nan, zh;q=0.2", "en", "zh-CN"},
		{"en;q=2, zh;q=0.2", "en", "zh-CN"},
		{"en;x=1, zh;q=0.2", "en", "zh-CN"},
		{",;,=;q", "en", "en"},
		{strings.Repeat("fr,", 400) + "zh", "en", "en"}, // past what is read
	} {
		if got := Negotiate(tt.header, tt.def); got != tt.want {
			t.Errorf("Negotiate(%.40q, %q) = %q, want %q", tt.header, tt.def, got, tt.want)
		}
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ got, want string }{
		{Number(0, 0), "0"},
		{Number(999, 0), "999"},
		{Number(1000, 0), "1,000"},
		{Number(1234567, 0), "1,234,567"},
		{Number(5, 2), "0.05"},
		{Number(-5, 2), "−0.05"},
		{Number(math.MinInt64, 0), "−9,223,372,036,854,775,808"},
		{Number(math.MaxInt64, 2), "92,233,720,368,547,758.07"},
		{Money(128650, "CNY", Chinese), "¥1,286.50"},
		{Money(128650, "CNY", English), "¥1,286.50"},
		{Money(-800, "CNY", Chinese), "−¥8.00"},
		{Money(0, "CNY", Chinese), "¥0.00"},
		{Money(1200, "USD", Chinese), "US$12.00"},
		{Money(1200, "USD", English), "$12.00"},
		{Money(1200, "JPY", Chinese), "JP¥1,200"},
		{Money(-1200, "CHF", English), "−CHF 12.00"},
		{Money(1234, "KWD", English), "KWD 1.234"},
		{Money(1234, "???", English), "??? 12.34"},
		{Points(2480, 0, Chinese), "2,480 分"},
		{Points(2480, 0, English), "2,480 pts"},
		{Points(1, 0, English), "1 pt"},
		{Points(-1, 0, English), "−1 pt"},
		{Points(100, 2, English), "1.00 pts"},
		{Points(5, 1, Chinese), "0.5 分"},
		{PointsChange(66, 0, Chinese), "+66 分"},
		{PointsChange(-20, 0, English), "−20 pts"},
		{PointsChange(0, 0, English), "0 pts"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

// The moments stand at the edges of a day and a year in Shanghai, where UTC has another
// day, so that a format that forgot the zone shows.
func TestDates(t *testing.T) {
	t.Parallel()
	shanghai := time.FixedZone("CST", 8*3600)
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	now := at("2025-11-20T01:00:00+08:00")
	for _, tt := range []struct {
		t, now         time.Time
		zhDate, enDate string
		zh, en         string
	}{
		{at("2025-11-19T18:12:00Z"), now, "11月20日", "20 Nov", "今天 02:12", "Today 02:12"},
		{at("2025-11-19T15:59:00Z"), now, "11月19日", "19 Nov", "11月19日 23:59", "19 Nov, 23:59"},
		{at("2024-03-02T10:12:00Z"), now, "2024年3月2日", "2 Mar 2024", "2024年3月2日 18:12", "2 Mar 2024, 18:12"},
		{at("2024-12-31T16:00:00Z"), now, "1月1日", "1 Jan", "1月1日 00:00", "1 Jan, 00:00"},
		{at("2025-12-31T16:00:00Z"), now, "2026年1月1日", "1 Jan 2026", "2026年1月1日 00:00", "1 Jan 2026, 00:00"},
		{at("2025-11-19T18:12:00Z"), time.Time{}, "2025年11月20日", "20 Nov 2025", "2025年11月20日 02:12", "20 Nov 2025, 02:12"},
	} {
		for _, c := range []struct{ got, want string }{
			{Date(tt.t, tt.now, shanghai, Chinese), tt.zhDate},
			{Date(tt.t, tt.now, shanghai, English), tt.enDate},
			{DateTime(tt.t, tt.now, shanghai, Chinese), tt.zh},
			{DateTime(tt.t, tt.now, shanghai, English), tt.en},
		} {
			if c.got != c.want {
				t.Errorf("%v: got %q, want %q", tt.t, c.got, c.want)
			}
		}
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, tt := range []struct {
		d      time.Duration
		zh, en string
	}{
		{0, "0 秒", "0 seconds"},
		{999 * time.Millisecond, "0 秒", "0 seconds"},
		{time.Second, "1 秒", "1 second"},
		{90 * time.Second, "1 分钟 30 秒", "1 minute 30 seconds"},
		{time.Hour, "1 小时", "1 hour"},
		{time.Hour + 30*time.Second, "1 小时", "1 hour"},
		{2*time.Hour + 5*time.Minute, "2 小时 5 分钟", "2 hours 5 minutes"},
		{7 * day, "7 天", "7 days"},
		{day + 23*time.Hour + 59*time.Minute, "1 天 23 小时", "1 day 23 hours"},
		{-time.Minute, "−1 分钟", "−1 minute"},
		{math.MinInt64, "−106,751 天 23 小时", "−106,751 days 23 hours"},
	} {
		if got := Duration(tt.d, Chinese); got != tt.zh {
			t.Errorf("Duration(%v) = %q, want %q", tt.d, got, tt.zh)
		}
		if got := Duration(tt.d, English); got != tt.en {
			t.Errorf("Duration(%v) = %q, want %q", tt.d, got, tt.en)
		}
	}
}
