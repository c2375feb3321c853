package code

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/program"
)

// The types of a file.
const yamlType = "application/yaml"

// Routes adds what this package serves.
func (s *Service) Routes(r *api.Router) {
	tags := []string{"Programme"}
	api.Get(r, "/v1/programme/code", s.getCode, api.Doc{
		ID: "exportProgramme", Summary: "Read the programme as one YAML file: currencies, the base rule, rules, tiers, offers, plans.", Tags: tags, Needs: program.Manage,
	})
	api.Post(r, "/v1/programme/code", s.postCode, api.Doc{
		ID: "applyProgramme", Summary: "Make the programme what a YAML file says: all of it, or nothing.", Tags: tags, Needs: program.Manage, MaxBody: MaxFile, Takes: []string{yamlType},
		Description: "A section that the file has not is left as it is. With dry_run it answers what would change and what stands against it, and changes nothing; without, a refusal names every place with its line.",
		Fails:       []error{ErrYAML, ErrLarge, ErrFormat, ErrAnchor, ErrRefused, program.ErrLimited, api.ErrTooLarge},
	})
	api.Get(r, "/v1/programme/schema", s.getSchema, api.Doc{
		ID: "getProgrammeSchema", Summary: "Read the JSON Schema of the programme's file, for editors.", Tags: tags,
	})
}

type codeOut struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (s *Service) getCode(ctx context.Context, _ *struct{}) (*codeOut, error) {
	text, err := s.Export(ctx)
	if err != nil {
		return nil, err
	}
	return &codeOut{yamlType, text}, nil
}

func (s *Service) getSchema(context.Context, *struct{}) (*codeOut, error) {
	text, err := s.Schema()
	if err != nil {
		return nil, err
	}
	return &codeOut{"application/schema+json", text}, nil
}

type codeIn struct {
	DryRun  bool   `query:"dry_run" doc:"Say what would change and what stands against it, and keep nothing."`
	RawBody []byte `contentType:"application/yaml" required:"true"`
}

type resultOut struct{ Body Result }

func (s *Service) postCode(ctx context.Context, in *codeIn) (*resultOut, error) {
	r, err := s.Apply(ctx, in.RawBody, in.DryRun)
	if err != nil {
		return nil, err
	}
	return &resultOut{*r}, nil
}
