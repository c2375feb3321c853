package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/ledger"
)

type keyBackupCmd struct {
	Public bool `help:"Print the public half, for backup_recipient, instead."`
}

func (c *keyBackupCmd) Run(e *env) error {
	return e.withApp(func(a *app.App) error {
		key, err := a.BackupKey()
		if err != nil {
			return err
		}
		text := key.Secret()
		if c.Public {
			text = key.Public()
		}
		_, err = fmt.Fprintln(e.stdout, text)
		return err
	})
}

type backupCmd struct {
	File string `arg:"" help:"File that does not exist yet."`
	JSON bool   `name:"json" help:"Print what was made as JSON."`
}

func (c *backupCmd) Run(e *env) error {
	return e.withApp(func(a *app.App) error {
		path := e.path(c.File)
		made, err := a.Backup(e.ctx, path, tell(e))
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(e.stdout).Encode(made)
		}
		_, err = fmt.Fprintln(e.stdout, i18n.Pick(e.language(),
			fmt.Sprintf("%s: %s, %d members, %d entries; restored into a scratch place and verified in %.1f s", path, size(made.Bytes), made.Members, made.Entries, made.Seconds),
			fmt.Sprintf("%s：%s，%d 个会员账户，%d 条分录；已恢复到临时位置并核对，用时 %.1f 秒", path, size(made.Bytes), made.Members, made.Entries, made.Seconds)))
		return err
	})
}

type restoreCmd struct {
	File            string `arg:"" help:"Backup to restore."`
	Identity        string `help:"File with the secret that opens it; that of the data directory where absent." placeholder:"FILE"`
	Replace         bool   `help:"Put aside the database that is there."`
	DryRun          bool   `help:"Only check that it can be restored; a server may run meanwhile."`
	DespiteFindings bool   `help:"Restore although the books in the backup do not add up."`
	JSON            bool   `name:"json" help:"Print what was restored as JSON."`
}

// errRestoring refuses to restore under a server's feet.
var errRestoring = errs.New(errs.Conflict, "restore.serving",
	"A restore does not run inside a server. Stop the server first.", "恢复不能在运行中的服务内执行，请先停止服务。")

// Run works in a process of its own only: the database must belong to nobody.
func (c *restoreCmd) Run(e *env) error {
	if e.app != nil {
		return errRestoring
	}
	out, err := app.Restore{
		Config: e.config, File: e.path(c.File), Identity: e.path(c.Identity),
		Replace: c.Replace, DryRun: c.DryRun, Despite: c.DespiteFindings, Tell: tell(e),
	}.Run(e.ctx)
	if out.Report.Findings != nil {
		listFindings(e, e.stderr, out.Report)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(struct {
			At       time.Time `json:"made_at"`
			Members  int64     `json:"members"`
			Entries  int64     `json:"entries"`
			Findings int       `json:"findings"`
			Aside    string    `json:"aside,omitempty"`
			Schemas  []string  `json:"aside_schemas,omitempty"`
			Replaced bool      `json:"replaced"`
		}{out.At, out.Report.Members, out.Report.Entries, len(out.Report.Findings), out.Aside, out.Schemas, out.Replaced})
	}
	return c.say(e, out)
}

func (c *restoreCmd) say(e *env, out app.Restored) error {
	at := out.At.Local().Format(time.RFC3339)
	text := i18n.Pick(e.language(),
		fmt.Sprintf("Restored as of %s: %d members, %d entries.", at, out.Report.Members, out.Report.Entries),
		fmt.Sprintf("已恢复到 %s 的状态：%d 个会员账户，%d 条分录。", at, out.Report.Members, out.Report.Entries))
	if !out.Replaced {
		text = i18n.Pick(e.language(),
			fmt.Sprintf("The backup is good, as of %s: %d members, %d entries. Nothing was replaced.", at, out.Report.Members, out.Report.Entries),
			fmt.Sprintf("备份完好，数据截至 %s：%d 个会员账户，%d 条分录。没有替换任何数据。", at, out.Report.Members, out.Report.Entries))
	}
	if kept := out.Schemas; out.Aside != "" || len(kept) > 0 {
		if out.Aside != "" {
			kept = append(kept, out.Aside)
		}
		text += i18n.Pick(e.language(), " What was there is kept: "+strings.Join(kept, ", ")+".", "原有数据保留在："+strings.Join(kept, "、")+"。")
	}
	_, err := fmt.Fprintln(e.stdout, text)
	return err
}

func listFindings(e *env, w io.Writer, r ledger.Report) {
	for _, f := range r.Findings {
		fmt.Fprintf(w, "%s %s: %s\n", f.Invariant, f.Where, i18n.Pick(e.language(), f.EN, f.ZH))
	}
}

// tell says on standard error what is being done, once for each step.
func tell(e *env) app.Tell {
	words := map[string][2]string{
		app.StepCopy:  {"copying the database", "正在复制数据库"},
		app.StepWrite: {"writing the backup", "正在写入备份"},
		app.StepLoad:  {"restoring into a scratch place", "正在恢复到临时位置"},
		app.StepCheck: {"verifying the books", "正在核对账目"},
	}
	last := ""
	return func(step string, _, _ int64) {
		if step != last {
			last = step
			fmt.Fprintln(e.stderr, i18n.Pick(e.language(), words[step][0], words[step][1])+" …")
		}
	}
}

// size is a number of bytes for people.
func size(bytes int64) string {
	const unit = 1000
	switch {
	case bytes < unit*unit:
		return fmt.Sprintf("%.1f kB", float64(bytes)/unit)
	case bytes < unit*unit*unit:
		return fmt.Sprintf("%.1f MB", float64(bytes)/unit/unit)
	}
	return fmt.Sprintf("%.2f GB", float64(bytes)/unit/unit/unit)
}
