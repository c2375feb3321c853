package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/draw"
)

type drawCmd struct {
	Verify drawVerifyCmd `cmd:"" help:"Work out every outcome of an epoch of a draw again, from what is published; exit 1 and a list where one is wrong."`
}

type drawVerifyCmd struct {
	File  string `arg:"" optional:"" help:"A proof that --save wrote." placeholder:"FILE"`
	Draw  string `help:"Instead of a file: the draw whose proof is asked for, by code or id." placeholder:"CODE"`
	Epoch int64  `help:"Which epoch of it; the newest that is over and had plays where absent." placeholder:"N"`
	URL   string `help:"The server that is asked: nobody need sign in." default:"http://127.0.0.1:8080" placeholder:"URL"`
	Hash  string `help:"The hash that was published beforehand, if you wrote it down." placeholder:"HASH"`
	Save  string `help:"Write the proof to a new file too." placeholder:"FILE"`
}

var errDrawWrong = errors.New("the draw does not follow from what was published; 抽奖结果与公布内容不符")

// Run checks, from the file or from what anybody may read of a server.
func (c *drawVerifyCmd) Run(e *env) error {
	p, found, err := c.check(e)
	if err != nil {
		return err
	}
	if c.Hash != "" && !strings.EqualFold(c.Hash, p.Hash) {
		found = append(found, draw.Finding{What: "the hash of the seed is not " + c.Hash})
	}
	for _, f := range found {
		if _, err := fmt.Fprintln(e.stdout, f); err != nil {
			return err
		}
	}
	if len(found) > 0 {
		return errDrawWrong
	}
	_, err = fmt.Fprintf(e.stdout, "draw %s, epoch %d: %d plays, every outcome follows from the seed %s, whose hash is %s\n第 %d 期共 %d 次抽奖，结果全部由公布的种子得出\n", p.Draw, p.Epoch, p.Plays, p.Seed, p.Hash, p.Epoch, p.Plays)
	return err
}

func (c *drawVerifyCmd) check(e *env) (draw.Proof, []draw.Finding, error) {
	switch {
	case (c.File == "") == (c.Draw == ""):
		return draw.Proof{}, nil, errors.New("name a FILE or a --draw; 请指定文件或 --draw")
	case c.File != "":
		f, err := os.Open(e.path(c.File))
		if err != nil {
			return draw.Proof{}, nil, err
		}
		defer f.Close()
		return draw.CheckFile(f)
	}
	var save io.Writer = io.Discard
	if c.Save != "" {
		f, err := os.OpenFile(e.path(c.Save), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return draw.Proof{}, nil, err
		}
		defer f.Close() // what could not be written is told by the encoder
		save = f
	}
	return c.ask(e.ctx, json.NewEncoder(save))
}

// ask reads the proof of a server page by page, checks it, and hands on what it read.
func (c *drawVerifyCmd) ask(ctx context.Context, save *json.Encoder) (p draw.Proof, found []draw.Finding, err error) {
	from := strings.TrimSuffix(c.URL, "/") + "/portal/v1/draws/" + url.PathEscape(c.Draw)
	epoch := c.Epoch
	if epoch == 0 {
		if epoch, err = c.newest(ctx, from); err != nil {
			return p, nil, err
		}
	}
	if err := fetch(ctx, fmt.Sprintf("%s/proof?epoch=%d", from, epoch), &p); err != nil {
		return p, nil, err
	}
	if err := save.Encode(p); err != nil {
		return p, nil, err
	}
	check := draw.NewChecker(p)
	for cursor := ""; ; {
		var page struct {
			Items []draw.Line `json:"items"`
			Next  string      `json:"next_cursor"`
		}
		if err := fetch(ctx, fmt.Sprintf("%s/lines?epoch=%d&limit=200&cursor=%s", from, epoch, url.QueryEscape(cursor)), &page); err != nil {
			return p, nil, err
		}
		for _, l := range page.Items {
			check.Line(l)
			if err := save.Encode(l); err != nil {
				return p, nil, err
			}
		}
		if cursor = page.Next; cursor == "" {
			return p, check.Close(), nil
		}
	}
}

// newest is the last epoch that is over and had plays; of a draw without any, the last that is over.
func (c *drawVerifyCmd) newest(ctx context.Context, from string) (int64, error) {
	var list struct {
		Items []struct {
			Epoch  int64      `json:"epoch"`
			Plays  int64      `json:"plays"`
			Closed *time.Time `json:"closed_at"`
		} `json:"items"`
	}
	over := int64(0)
	if err := fetch(ctx, from+"/epochs?limit=10", &list); err != nil {
		return 0, err
	}
	for _, e := range list.Items {
		switch {
		case e.Closed == nil:
		case e.Plays > 0:
			return e.Epoch, nil
		case over == 0:
			over = e.Epoch
		}
	}
	if over > 0 {
		return over, nil
	}
	return 0, errors.New("no epoch of this draw is over yet; 该抽奖还没有结束的周期")
}

// fetch reads JSON that anybody may read.
func fetch(ctx context.Context, address string, to any) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body := io.LimitReader(res.Body, 8<<20)
	if res.StatusCode != http.StatusOK {
		var problem struct{ Detail string }
		_ = json.NewDecoder(body).Decode(&problem) // the status says it too
		return fmt.Errorf("%s: %s %s", address, res.Status, problem.Detail)
	}
	return json.NewDecoder(body).Decode(to)
}
