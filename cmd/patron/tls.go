package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"rsc.io/qr"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

type tlsCmd struct {
	Show tlsShowCmd `cmd:"" help:"Print where a tablet fetches the root, as a code to scan, and its fingerprint."`
}

type tlsShowCmd struct{}

var errNoAuthority = errs.New(errs.NotFound, "tool.no_authority",
	"There is no local authority yet. `patron serve --tls-local` makes one at its first start.", "尚无本地证书颁发机构。首次运行 patron serve --tls-local 时会创建。")

// Run shows the root of the data directory; no server need run, and none is asked.
func (c *tlsShowCmd) Run(e *env) error {
	name, fingerprint, until, url, err := app.LocalRoot(e.config.DataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return errNoAuthority
	}
	if err != nil {
		return err
	}
	if url != "" {
		code, err := qr.Encode(url, qr.M)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "%s\nScan it with the tablet's camera 用设备相机扫描\n  %s\n", blocks(code), url)
	}
	_, err = fmt.Fprintf(e.stdout, "%s, valid until 有效期至 %s\nSHA-256 %s\n", name, until, fingerprint)
	return err
}

// margin is the quiet zone that scanners need around a code.
const margin = 2

// blocks draws a code with half blocks, two rows in a line of text: light where the paper
// would be, so that it can be scanned from dark and light terminals alike.
func blocks(c *qr.Code) string {
	dark := func(x, y int) bool { return x >= 0 && y >= 0 && x < c.Size && y < c.Size && c.Black(x, y) }
	var b strings.Builder
	for y := -margin; y < c.Size+margin; y += 2 {
		b.WriteString("\x1b[30;107m") // black on bright white
		for x := -margin; x < c.Size+margin; x++ {
			b.WriteString([]string{" ", "▄", "▀", "█"}[index(dark(x, y), dark(x, y+1))])
		}
		b.WriteString("\x1b[0m\n")
	}
	return b.String()
}

func index(upper, lower bool) (i int) {
	if upper {
		i = 2
	}
	if lower {
		i++
	}
	return i
}
