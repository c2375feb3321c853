package code

import (
	"fmt"
	"io"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
)

// WriteDiff writes what a file has otherwise, a line for each field: + what it adds, − what it
// removes, ~ what it changes.
func (r *Result) WriteDiff(w io.Writer) error {
	var err error
	line := func(format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintf(w, format+"\n", args...)
		}
	}
	for _, d := range r.Differences {
		name := d.Section
		if d.Code != "" {
			name += " " + d.Code
		}
		line("%s %s", map[Op]string{Add: "+", Remove: "-", Change: "~"}[d.Op], name)
		for _, f := range d.Fields {
			switch {
			case f.Before == "":
				line("    + %s: %s", f.Field, f.After)
			case f.After == "":
				line("    - %s: %s", f.Field, f.Before)
			default:
				line("    ~ %s: %s → %s", f.Field, f.Before, f.After)
			}
		}
	}
	return err
}

// deeds are what is said of an op, done and to be done.
var deeds = map[Op][2]errs.Word{
	Add:    {{EN: "would add", ZH: "将新增"}, {EN: "added", ZH: "已新增"}},
	Change: {{EN: "would change", ZH: "将修改"}, {EN: "changed", ZH: "已修改"}},
	Remove: {{EN: "would remove", ZH: "将删除"}, {EN: "removed", ZH: "已删除"}},
}

// WriteWords says in words what a file does, or did, and what stands against it.
func (r *Result) WriteWords(w io.Writer, lang string) error {
	var err error
	line := func(format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintf(w, format+"\n", args...)
		}
	}
	say := func(en, zh string) string { return i18n.Pick(lang, en, zh) }
	done := 0
	if r.Applied {
		done = 1
	}
	for _, d := range r.Differences {
		deed := deeds[d.Op][done]
		text := say(deed.EN+" "+d.words.EN, deed.ZH+d.words.ZH)
		if d.Code != "" {
			text += say(" ", "：") + d.Code
		}
		line("%s", text)
		for _, f := range d.Fields {
			switch {
			case f.Before == "":
				line("  %s", say("sets "+f.Field+" to "+f.After, f.Field+" 设为 "+f.After))
			case f.After == "":
				line("  %s", say("clears "+f.Field+", which is "+f.Before, "清除 "+f.Field+"（原为 "+f.Before+"）"))
			default:
				line("  %s", say(f.Field+" from "+f.Before+" to "+f.After, f.Field+" 由 "+f.Before+" 改为 "+f.After))
			}
		}
	}
	for _, x := range r.Refusals {
		where := x.Path
		if x.Line > 0 {
			where = fmt.Sprintf(say("line %d, %s", "第 %d 行，%s"), x.Line, x.Path)
		}
		line("%s", say("refused: ", "拒绝：")+where+say(": ", "：")+say(x.field.EN, x.field.ZH))
	}
	if r.Same() && len(r.Refusals) == 0 {
		line("%s", say("nothing differs", "没有差异"))
	}
	return err
}
