package demo

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/patron-loyalty/patron/internal/draw"
	"github.com/patron-loyalty/patron/internal/kit/api"
)

// drawsFor is how many days before now the wheel begins: some of its days are over, so that
// whoever likes can work them out again.
const drawsFor = 3

// theWheel is the draw of the tea shop: a free play a day, further ones for points.
var theWheel = draw.Terms{
	NameEN: "Tea wheel", NameZH: "茶客大转盘", TextEN: "One free spin a day. Further spins cost 20 points.", TextZH: "每天免费转一次，之后每次 20 积分。",
	Look: draw.Wheel, Price: draw.Price{Currency: points, Amount: 20}, Free: 1, PerDay: 10, Budget: 200_000,
	Guarantee: draw.Guarantee{After: 8, Prize: "ten"},
	Prizes: []draw.Prize{
		{Code: "cup", NameEN: "Porcelain cup", NameZH: "白瓷茶杯", Kind: draw.Thing, Worth: 1500, Odds: 2_000, Stock: 20},
		{Code: "five-hundred", NameEN: "500 points", NameZH: "500 积分", Kind: draw.Points, Currency: points, Amount: 500, Odds: 3_000, Stock: 50},
		{Code: "tin", NameEN: "Tin of oolong", NameZH: "乌龙茶罐", Kind: draw.Thing, Worth: 400, Odds: 15_000, Stock: 100},
		{Code: "hundred", NameEN: "100 points", NameZH: "100 积分", Kind: draw.Points, Currency: points, Amount: 100, Odds: 30_000},
		{Code: "sample", NameEN: "Tea sample", NameZH: "品鉴小样", Kind: draw.Thing, Worth: 60, Odds: 100_000, Instead: "ten"},
		{Code: "ten", NameEN: "10 points", NameZH: "10 积分", Kind: draw.Points, Currency: points, Amount: 10, Odds: 250_000},
	},
}

// openDraws publishes the wheel, and writes a scratch card that waits for its season.
func (s *shop) openDraws(ctx context.Context) error {
	d := s.app.Draws
	d.Seeds(rand.NewChaCha8(sha256.Sum256(fmt.Appendf(nil, "draws of demo %d", s.options.Seed)))) // the same shop each time
	t := theWheel
	t.Until = s.options.Now.AddDate(0, 2, 0).In(zone).Format(time.DateOnly)
	if _, err := d.Add(ctx, "tea-wheel", t); err != nil {
		return err
	}
	if _, err := d.Move(ctx, "tea-wheel", draw.Live); err != nil {
		return err
	}
	_, err := d.Add(ctx, "new-year-card", draw.Terms{
		NameEN: "New Year scratch card", NameZH: "新春刮刮卡", TextEN: "For everyone, once a day.", TextZH: "人人有份，每天一张。", Look: draw.Scratch, Free: 1,
		Prizes: []draw.Prize{{Code: "lucky", NameEN: "88 points", NameZH: "88 积分", Kind: draw.Points, Currency: points, Amount: 88, Odds: 88_000}},
	})
	return err
}

// spin has some members play the wheel today.
func (s *shop) spin(ctx context.Context) error {
	if err := s.app.Draws.Roll(ctx); err != nil {
		return err
	}
	for i, p := range s.people[:s.here] {
		if p.gone || i%7 != 0 || i > 400 {
			continue
		}
		for n := range 1 + i%3 {
			a := s.app.Draws.Play(api.WithKey(ctx, api.Key{}), int64(p.id), "tea-wheel", draw.Wish{Nonce: fmt.Sprintf("demo-%d-%d", i, n)})
			if a.Err != nil { // no points left, or blocked
				break
			}
		}
	}
	return nil
}
