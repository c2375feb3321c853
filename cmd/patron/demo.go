package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/demo"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

type demoCmd struct {
	Members int    `default:"2000" help:"How many members the shop has."`
	Seed    uint64 `default:"1" help:"Another number makes another shop."`
}

// errServing refuses the demo inside a server: it lives through the past under a clock of
// its own, and the server's clock shows the present.
var errServing = errs.New(errs.Conflict, "demo.serving", "A server has this database open. Stop it, fill the demo, and start it again.", "服务器正在使用该数据库。请先停止服务器，写入演示数据后再启动。")

// Run opens the program in the past and fills it up to now.
func (c *demoCmd) Run(e *env) error {
	if e.app != nil {
		return errServing
	}
	now := time.Now().Truncate(time.Second)
	a, err := app.Open(e.ctx, app.Options{Config: e.config, Clock: clock.At(demo.Opening(now))})
	if errors.Is(err, db.ErrLocked) {
		return errServing
	}
	if err != nil {
		return err
	}
	begun, shown := time.Now(), time.Now()
	made, err := demo.Fill(e.ctx, a, demo.Options{Members: c.Members, Seed: c.Seed, Now: now, Progress: func(done, total int) {
		if time.Since(shown) > 2*time.Second {
			shown = time.Now()
			fmt.Fprintf(e.stderr, "day %d of %d 第 %d/%d 天\n", done, total, done, total)
		}
	}})
	if err = errors.Join(err, a.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, `Qinghe & Maiyu Club 清禾麦语会, %s – %s, made in %.0f s
  stores 门店 %d, products 商品 %d, members 会员 %d
  sales 销售 %d (without a member 未归属 %d), returns 退货 %d
  redemptions 积分兑换 %d, with coupons 用券 %d, top-ups 储值 %d, transfers 转赠 %d, holds 冻结 %d, adjustments 调整 %d
Start it 启动: patron serve --data-dir %s
  Member portal 会员门户: /portal, phone 手机号 %s; the code is shown at 验证码见 /portal/inbox
`, made.From.Format(time.DateOnly), made.Until.Format(time.DateOnly), time.Since(begun).Seconds(), made.Stores, made.Products, made.Members,
		made.Sales, made.Unassigned, made.Returns, made.Redemptions, made.Coupons, made.TopUps, made.Transfers, made.Holds, made.Adjustments, e.config.DataDir, made.Phone)
	return err
}
