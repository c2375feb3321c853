package main

import (
	"strings"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/connect/export"
	"github.com/patron-loyalty/patron/internal/connect/file"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/staff"
)

type exportCmd struct {
	List     string            `arg:"" enum:"members,sales,entries,products,audit,liability" help:"members, sales (a row for each line), entries of the ledger, products, audit or liability."`
	Format   string            `default:"csv" enum:"csv,xlsx,jsonl" help:"csv, xlsx or jsonl."`
	Encoding string            `default:"utf-8" enum:"utf-8,gb18030" help:"Of csv: utf-8, or gb18030 for older programs in China."`
	From     string            `help:"Not earlier than this: when a member joined, a sale was made, an entry took effect." placeholder:"TIME"`
	To       string            `help:"Earlier than this." placeholder:"TIME"`
	Filter   map[string]string `help:"As the list in the API takes them: store=main;till=1." placeholder:"NAME=VALUE;…"`
	Columns  []string          `help:"Which columns, in which order; all where absent." placeholder:"NAME,…"`
	Headers  string            `default:"names" enum:"names,en,zh-CN" help:"names, which import reads, or labels in a language."`
}

// errTime refuses a bound that is no time.
var errTime = errs.New(errs.Invalid, "export.time", "{text} is no time such as 2026-03-01 or 2026-03-01T12:00:00+08:00.", "{text} 不是有效的时间，写法如 2026-03-01 或 2026-03-01T12:00:00+08:00。")

// Run writes the list to standard output. It holds names and telephone numbers where the
// list does: whoever may run this may read the database and its keys anyway.
func (c *exportCmd) Run(e *env) error {
	return e.withApp(func(a *app.App) error {
		ask := export.Request{
			List: c.List, Format: file.Format(c.Format), Encoding: file.Encoding(c.Encoding), Language: e.language(),
			Filter: map[string]string{}, Columns: c.Columns,
		}
		if c.Headers != "names" {
			ask.Headers = i18n.Negotiate(c.Headers, i18n.English)
		}
		for name, value := range c.Filter {
			ask.Filter[name] = value
		}
		for name, text := range map[string]string{"from": c.From, "to": c.To} {
			if text == "" {
				continue
			}
			if _, err := a.Program.Snapshot().ParseTime(text); err != nil {
				return errTime.With("text", text).Because(err)
			}
			if c.List == "members" {
				name = strings.NewReplacer("from", "joined_from", "to", "joined_until").Replace(name)
			}
			ask.Filter[name] = text
		}
		_, err := a.Exports.Write(staff.AsSystem(e.ctx, "export"), e.stdout, ask, nil)
		return err
	})
}
