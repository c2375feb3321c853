package main

import (
	"io"
	"os"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/program/code"
	"github.com/patron-loyalty/patron/internal/staff"
)

type programmeCmd struct {
	Export programmeExportCmd `cmd:"" help:"Write the programme as one YAML file, to standard output where no file is named."`
	Diff   programmeDiffCmd   `cmd:"" help:"Show what a file has otherwise: exit status 1 where there is something."`
	Plan   programmePlanCmd   `cmd:"" help:"Say in words what applying a file would do, and what stands against it. Nothing is changed."`
	Apply  programmeApplyCmd  `cmd:"" help:"Make the programme what a file says: all of it, or nothing."`
	Schema programmeSchemaCmd `cmd:"" help:"Print the JSON Schema of the file."`
}

// programmeFile is the file that most of these commands read.
type programmeFile struct {
	File string `arg:"" help:"The file; - for standard input." placeholder:"FILE"`
}

func (f *programmeFile) read(e *env) ([]byte, error) {
	if f.File == "-" {
		return io.ReadAll(io.LimitReader(e.stdin, code.MaxFile+1))
	}
	return os.ReadFile(e.path(f.File))
}

// errFileRefused ends a command whose file was refused.
var errFileRefused = errs.New(errs.Conflict, "programme.file_refused", "The file was refused for {n} reasons, listed above. Nothing was changed.", "文件有 {n} 处问题，详见上文。数据没有改动。")

type programmeExportCmd struct {
	File string `arg:"" optional:"" help:"Where to write it; standard output where absent." placeholder:"FILE"`
}

func (c *programmeExportCmd) Run(e *env) error {
	return e.withApp(func(a *app.App) error {
		text, err := a.Code.Export(staff.AsSystem(e.ctx, "command line"))
		if err != nil {
			return err
		}
		if c.File == "" || c.File == "-" {
			_, err = e.stdout.Write(text)
			return err
		}
		return os.WriteFile(e.path(c.File), text, 0o644)
	})
}

type programmeDiffCmd struct{ programmeFile }

func (c *programmeDiffCmd) Run(e *env) error {
	return e.withApp(func(a *app.App) error {
		text, err := c.read(e)
		if err != nil {
			return err
		}
		r, err := a.Code.Diff(api.WithLanguage(staff.AsSystem(e.ctx, "command line"), e.language()), text)
		if err != nil {
			return err
		}
		if len(r.Refusals) > 0 {
			return refusedFile(e, r)
		}
		if err := r.WriteDiff(e.stdout); err != nil {
			return err
		}
		if !r.Same() {
			return errQuiet
		}
		return nil
	})
}

// refusedFile lists what stands against a file, and fails.
func refusedFile(e *env, r *code.Result) error {
	r.Differences = nil
	if err := r.WriteWords(e.stderr, e.language()); err != nil {
		return err
	}
	return errFileRefused.With("n", len(r.Refusals))
}

type programmePlanCmd struct{ programmeFile }

func (c *programmePlanCmd) Run(e *env) error { return applyFile(e, &c.programmeFile, true) }

type programmeApplyCmd struct{ programmeFile }

func (c *programmeApplyCmd) Run(e *env) error { return applyFile(e, &c.programmeFile, false) }

func applyFile(e *env, f *programmeFile, dry bool) error {
	return e.withApp(func(a *app.App) error {
		text, err := f.read(e)
		if err != nil {
			return err
		}
		r, err := a.Code.Apply(api.WithLanguage(staff.AsSystem(e.ctx, "command line"), e.language()), text, dry)
		if r == nil || err != nil && len(r.Refusals) == 0 {
			return err
		}
		if len(r.Refusals) > 0 && !dry {
			return refusedFile(e, r)
		}
		if err := r.WriteWords(e.stdout, e.language()); err != nil {
			return err
		}
		if len(r.Refusals) > 0 {
			return errFileRefused.With("n", len(r.Refusals))
		}
		return nil
	})
}

type programmeSchemaCmd struct{}

func (c *programmeSchemaCmd) Run(e *env) error {
	return e.withNone(func(a *app.App) ([]byte, error) { return a.Code.Schema() })
}
