// Package i18n chooses between the two languages that the program speaks and writes
// figures, dates and times as each of them does.
//
// The screens format for themselves; this package serves the texts that the server makes:
// problems, messages to members, reports and the command line. A text itself stands where
// it is used, in both languages side by side, so that neither can be forgotten.
//
// Laws: every function takes the language tag as Negotiate returns it and treats any tag
// that begins with "zh" as Chinese and every other as English; output holds no locale data
// of the machine it runs on; nothing here reads a clock.
package i18n

import (
	"strconv"
	"strings"
)

// The languages that the program speaks, as BCP 47 tags.
const (
	Chinese = "zh-CN"
	English = "en"
)

// maxHeader bounds how much of an Accept-Language header is read; browsers send under 100.
const maxHeader = 512

// IsChinese reports whether lang is a Chinese tag.
func IsChinese(lang string) bool {
	return len(lang) >= 2 && (lang[0]|0x20) == 'z' && (lang[1]|0x20) == 'h' && (len(lang) == 2 || lang[2] == '-' || lang[2] == '_')
}

// Pick returns zh for a Chinese tag and en for every other.
func Pick(lang, en, zh string) string {
	if IsChinese(lang) {
		return zh
	}
	return en
}

// Negotiate returns the language that an Accept-Language header asks for (RFC 9110,
// §12.5.4): Chinese or English, whichever has the higher quality, the earlier among
// equals, and def where the header names neither or cannot be read. "*" stands for def
// unless def is refused with q=0.
func Negotiate(header, def string) string {
	def = normal(def)
	if header == "" {
		return def
	}
	if len(header) > maxHeader {
		header = header[:maxHeader]
	}
	best, bestQ := "", 0.0
	refused := map[string]bool{}
	anyQ := 0.0
	for part := range strings.SplitSeq(header, ",") {
		tag, q := weighed(part)
		lang := known(tag)
		switch {
		case tag == "*":
			anyQ = q
		case lang == "":
		case q == 0:
			refused[lang] = true
		case q > bestQ:
			best, bestQ = lang, q
		}
	}
	if anyQ > bestQ && !refused[def] {
		return def
	}
	if best == "" && refused[def] && !refused[other(def)] {
		return other(def)
	}
	if best == "" {
		return def
	}
	return best
}

// weighed splits "zh-CN;q=0.8" into its tag and its quality: 1 where none is given, 0
// where it cannot be read.
func weighed(part string) (tag string, q float64) {
	tag, params, found := strings.Cut(part, ";")
	tag = strings.TrimSpace(tag)
	if !found {
		return tag, 1
	}
	name, value, _ := strings.Cut(params, "=")
	if !strings.EqualFold(strings.TrimSpace(name), "q") {
		return tag, 0
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return tag, 0
	}
	return tag, q
}

// known returns the language of the program that a tag belongs to, or "".
func known(tag string) string {
	if IsChinese(tag) {
		return Chinese
	}
	primary, _, _ := strings.Cut(tag, "-")
	if strings.EqualFold(primary, English) {
		return English
	}
	return ""
}

func normal(lang string) string {
	if l := known(lang); l != "" {
		return l
	}
	return Chinese
}

func other(lang string) string {
	if lang == Chinese {
		return English
	}
	return Chinese
}
