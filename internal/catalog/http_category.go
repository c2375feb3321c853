package catalog

import (
	"context"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/staff"
)

func (s *Service) categoryRoutes(r *api.Router) {
	tags := []string{"Catalog"}
	api.Get(r, "/v1/categories", s.getCategories, api.Doc{
		ID: "listCategories", Summary: "List categories, in the order in which they were made.", Tags: tags, Needs: staff.ReadCatalog,
		Fails: []error{ErrNoCategory},
	})
	api.Post(r, "/v1/categories", s.postCategory, api.Doc{
		ID: "addCategory", Summary: "Add a category.", Tags: tags, Needs: staff.WriteCatalog, Status: 201,
		Fails: []error{ErrNoCategory, ErrSlug, ErrName, ErrTaken, ErrDepth, ErrFull},
	})
	api.Get(r, "/v1/categories/{id}", s.getCategory, api.Doc{
		ID: "getCategory", Summary: "Read a category.", Tags: tags, Needs: staff.ReadCatalog, Fails: []error{ErrNoCategory},
	})
	api.Patch(r, "/v1/categories/{id}", s.patchCategory, api.Doc{
		ID: "changeCategory", Summary: "Rename or move a category, with all that lies under it.", Tags: tags, Needs: staff.WriteCatalog,
		Description: "Its id stays. Settings that name it by its path have to be changed by hand; those that name it by id follow.",
		Fails:       []error{ErrNoCategory, ErrSlug, ErrName, ErrTaken, ErrDepth, ErrLoop},
	})
	api.Delete(r, "/v1/categories/{id}", s.deleteCategory, api.Doc{
		ID: "deleteCategory", Summary: "Delete a category that holds nothing.", Tags: tags, Needs: staff.WriteCatalog, Status: 204,
		Fails: []error{ErrNoCategory, ErrInUse},
	})
}

type categoryView struct {
	ID      string    `json:"id" doc:"Stays the same when the category moves."`
	Path    string    `json:"path" doc:"Slugs from the top; what products and sales name it by." example:"tea/green"`
	Parent  string    `json:"parent,omitempty" doc:"Id of the category above; absent at the top."`
	Slug    string    `json:"slug" doc:"Last part of the path."`
	NameEN  string    `json:"name_en" doc:"English name; may be empty."`
	NameZH  string    `json:"name_zh" doc:"Chinese name; may be empty."`
	Changed time.Time `json:"changed_at" doc:"When it was last changed."`
}

func viewCategory(c Category) categoryView {
	v := categoryView{c.PublicID(), c.Path, "", c.Slug(), c.NameEN, c.NameZH, time.UnixMilli(c.ChangedMS).UTC()}
	if c.ParentID != 0 {
		v.Parent = Category{ID: c.ParentID}.PublicID()
	}
	return v
}

type categoriesIn struct {
	api.Page
	Under string `query:"under" maxLength:"500" doc:"Only this category and what lies under it: a path or an id."`
}

type categoriesOut struct{ Body api.List[categoryView] }

func (s *Service) getCategories(ctx context.Context, in *categoriesIn) (*categoriesOut, error) {
	now, above := s.Snapshot(), ""
	if in.Under != "" {
		c, err := now.Find(in.Under)
		if err != nil {
			return nil, err
		}
		above = c.Path
	}
	at, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return nil, err
	}
	after := int64(0)
	if at != nil {
		after = at[0]
	}
	var out categoriesOut
	out.Body.Items = make([]categoryView, 0, in.Limit)
	last := int64(0)
	for _, c := range now.Categories() {
		if c.ID <= after || above != "" && !Under(c.Path, above) {
			continue
		}
		if len(out.Body.Items) == in.Limit {
			out.Body.NextCursor = api.EncodeCursor(last)
			break
		}
		out.Body.Items, last = append(out.Body.Items, viewCategory(c)), c.ID
	}
	return &out, nil
}

type categoryIn struct {
	ID string `path:"id" maxLength:"500" doc:"Id, or the path with its slashes escaped."`
}

type categoryOut struct{ Body categoryView }

func answerCategory(c Category, err error) (*categoryOut, error) {
	if err != nil {
		return nil, err
	}
	return &categoryOut{viewCategory(c)}, nil
}

func (s *Service) getCategory(_ context.Context, in *categoryIn) (*categoryOut, error) {
	return answerCategory(s.Snapshot().Find(in.ID))
}

type newCategoryIn struct {
	Body struct {
		Parent *string `json:"parent,omitempty" maxLength:"500" doc:"Id or path of the category above; absent for the top."`
		Slug   *string `json:"slug" maxLength:"60" doc:"Its own part of the path: small letters, digits, - and _." example:"green"`
		NameEN *string `json:"name_en,omitempty" maxLength:"200" doc:"English name."`
		NameZH *string `json:"name_zh,omitempty" maxLength:"200" doc:"Chinese name; one of the two is needed."`
	}
}

func (s *Service) postCategory(ctx context.Context, in *newCategoryIn) (*categoryOut, error) {
	return answerCategory(s.AddCategory(ctx, CategoryEdit(in.Body)))
}

type changeCategoryIn struct {
	ID   string `path:"id" maxLength:"500" doc:"Id, or the path with its slashes escaped."`
	Body struct {
		Parent *string `json:"parent,omitempty" maxLength:"500" doc:"Id or path of the category above; empty for the top."`
		Slug   *string `json:"slug,omitempty" maxLength:"60" doc:"Its own part of the path."`
		NameEN *string `json:"name_en,omitempty" maxLength:"200" doc:"English name."`
		NameZH *string `json:"name_zh,omitempty" maxLength:"200" doc:"Chinese name."`
	}
}

func (s *Service) patchCategory(ctx context.Context, in *changeCategoryIn) (*categoryOut, error) {
	return answerCategory(s.ChangeCategory(ctx, in.ID, CategoryEdit(in.Body)))
}

func (s *Service) deleteCategory(ctx context.Context, in *categoryIn) (*struct{}, error) {
	return nil, s.DropCategory(ctx, in.ID)
}
