package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/tillsim"
)

type tillSimCmd struct {
	URL      string `name:"url" default:"http://127.0.0.1:8080" help:"Of the running server." placeholder:"URL"`
	Key      string `required:"" help:"API key, best one of the sandbox (patron key create --test --scopes all). Scopes: sales.write, sales.read, points.read, members.read; rules.write without --coupon, else points.write; members.write and points.write without --member." placeholder:"KEY"`
	Live     bool   `help:"Allow a key that is not of the sandbox. The member, the coupon and the sales of the run stay in the books."`
	Member   string `help:"Who buys, by any identifier; one is made where absent. Its points and vouchers are used." placeholder:"REF"`
	Coupon   string `help:"Id of a live coupon whose vouchers are used; one is made, and ended afterwards, where absent." placeholder:"ID"`
	Store    string `help:"Where it sells, by id or code." placeholder:"STORE"`
	Currency string `default:"points" help:"Code of the currency of points." placeholder:"CODE"`
	Money    string `default:"CNY" help:"ISO 4217 code of the sales." placeholder:"CODE"`
	Messages bool   `help:"Show every request with its answer."`
	JSON     bool   `name:"json" help:"Print the verdict as JSON."`
}

var (
	errTillSim = errs.New(errs.Conflict, "till_sim.failed", "{n} cases failed; they are listed above.", "{n} 项未通过，详见上文。")
	errLiveKey = errs.New(errs.Invalid, "till_sim.live", "This is not a key of the sandbox. The run would leave a member and sales in the books: make a key with --test, or say --live.", "这不是沙箱密钥，运行会在账上留下会员与销售。请用 --test 创建密钥，或加上 --live。")
)

// Run drives the till. A case that fails is told of, and the status is 1.
func (c *tillSimCmd) Run(e *env) error {
	if !strings.HasPrefix(c.Key, "pk_test_") && !c.Live {
		return errLiveKey
	}
	o := tillsim.Options{URL: c.URL, Key: c.Key, Member: c.Member, Coupon: c.Coupon, Store: c.Store, Currency: c.Currency, Money: c.Money}
	var wrong error
	if !c.JSON {
		o.Done = func(r tillsim.Result) { wrong = errors.Join(wrong, c.print(e, r)) }
	}
	v, err := tillsim.Run(e.ctx, o)
	if err != nil {
		return err
	}
	if c.JSON {
		if !c.Messages {
			v.DropMessages()
		}
		out := json.NewEncoder(e.stdout)
		out.SetIndent("", "  ")
		wrong = out.Encode(v)
	} else {
		_, err := fmt.Fprintf(e.stdout, i18n.Pick(e.language(),
			"%d cases: %d passed, %d failed, %d skipped. Documents begin with %s, the member is %s.\n",
			"共 %d 项：通过 %d，未通过 %d，跳过 %d。单号以 %s 开头，会员为 %s。\n"), len(v.Cases), v.Passed, v.Failed, v.Skips, v.Run, v.Member)
		wrong = errors.Join(wrong, err)
	}
	if !v.Pass {
		wrong = errors.Join(wrong, errTillSim.With("n", v.Failed))
	}
	return wrong
}

// print tells of one case: one line, and of one that failed what was expected and what came.
func (c *tillSimCmd) print(e *env, r tillsim.Result) error {
	word := func(w tillsim.Word) string { return i18n.Pick(e.language(), w.EN, w.ZH) }
	mark := i18n.Pick(e.language(), "pass", "通过")
	more := ""
	switch {
	case r.Left != nil:
		mark, more = i18n.Pick(e.language(), "skip", "跳过"), " ("+word(*r.Left)+")"
	case !r.Pass:
		mark = i18n.Pick(e.language(), "FAIL", "失败")
	}
	if _, err := fmt.Fprintf(e.stdout, "%s  %-15s  %s%s\n", mark, r.Case, word(r.Title), more); err != nil {
		return err
	}
	for _, s := range r.Steps {
		if s.OK && !c.Messages {
			continue
		}
		line := i18n.Pick(e.language(), "      %s: expected %s, came %s\n", "      %s：预期 %s，实际 %s\n")
		if _, err := fmt.Fprintf(e.stdout, line, word(s.What), s.Expected, s.Came); err != nil {
			return err
		}
		if !c.Messages {
			continue
		}
		for _, m := range s.Messages {
			if err := printMessage(e.stdout, m); err != nil {
				return err
			}
		}
	}
	return nil
}

func printMessage(out io.Writer, m tillsim.Message) error {
	sent, err := json.Marshal(m.Sent)
	if err != nil {
		return err
	}
	answer, err := json.Marshal(m.Answer)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "        > %s %s  %s\n        > %s\n        < %d %s\n", m.Method, m.Path, m.Key, sent, m.Status, answer)
	return err
}
