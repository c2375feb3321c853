package reward

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

var tags = []string{"Rewards"}

// wrong is why terms may be refused.
var wrong = []error{
	ErrNames, ErrText, ErrKind, ErrCategory, ErrWindow, ErrBound, ErrPrices, ErrSlider, ErrFacts, ErrCoupon, program.ErrNoStore, program.ErrTime, program.ErrLimited,
	cond.ErrEmpty, cond.ErrLong, cond.ErrSyntax, cond.ErrName, cond.ErrField, cond.ErrType, cond.ErrResult, cond.ErrMoney, cond.ErrValue, cond.ErrConstant, cond.ErrDivisor, cond.ErrDeep, cond.ErrCost,
}

// Routes adds what this package serves.
func (s *Service) Routes(r *api.Router) {
	api.Get(r, "/v1/rewards", s.getRewards, api.Doc{ID: "listRewards", Summary: "List rewards, the newest first.", Tags: tags, Needs: staff.ReadRules, Fails: []error{api.ErrCursor}})
	api.Post(r, "/v1/rewards", s.postReward, api.Doc{ID: "addReward", Summary: "Make a reward, as a draft.", Tags: tags, Needs: staff.WriteRules, Status: http.StatusCreated,
		Fails: slices.Concat(wrong, []error{ErrCode, ErrTaken, ErrMany})})
	api.Get(r, "/v1/rewards/{id}", s.getReward, api.Doc{ID: "getReward", Summary: "Show a reward.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrNotFound}})
	api.Put(r, "/v1/rewards/{id}", s.putReward, api.Doc{ID: "changeReward", Summary: "Change what a reward says: all of it anew.", Tags: tags, Needs: staff.WriteRules,
		Description: "Each change is a version. Orders that were made keep their version and price.",
		Fails:       slices.Concat(wrong, []error{ErrNotFound, ErrEdited, ErrMove, ErrFixed})})
	api.Delete(r, "/v1/rewards/{id}", s.deleteReward, api.Doc{ID: "removeReward", Summary: "Delete a draft.", Tags: tags, Needs: staff.WriteRules, Status: http.StatusNoContent, Fails: []error{ErrNotFound, ErrStarted, program.ErrLimited}})
	for _, m := range []struct {
		path, id, summary string
		to                State
	}{
		{"publish", "publishReward", "Publish a draft: members see it from its time on.", Live},
		{"pause", "pauseReward", "Pause a reward: until it is resumed nobody sees or orders it. Orders that were made go on.", Paused},
		{"resume", "resumeReward", "Go on with a paused reward.", Live},
		{"end", "endReward", "End a reward for good. Orders that were made go on.", Ended},
	} {
		api.Post(r, "/v1/rewards/{id}/"+m.path, s.mover(m.to), api.Doc{ID: m.id, Summary: m.summary, Tags: tags, Needs: staff.WriteRules, Fails: []error{ErrNotFound, ErrMove, ErrEdited, ErrCoupon, program.ErrLimited}})
	}
	api.Get(r, "/v1/rewards/{id}/versions", s.getVersions, api.Doc{ID: "listRewardVersions", Summary: "List what a reward said, the newest first.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrNotFound}})
	api.Post(r, "/v1/rewards/{id}/stock", s.postStock, api.Doc{ID: "addRewardStock", Summary: "Put more of a reward in stock, or take some out.", Tags: tags, Needs: staff.WriteRules,
		Description: "Where it had run out, those who wish for it are told (event reward.back).", Fails: []error{ErrNotFound, ErrStockKind, ErrStockLow, ErrBound, program.ErrNoStore, program.ErrLimited}})
	api.Post(r, "/v1/rewards/{id}/codes", s.postCodes, api.Doc{ID: "addRewardCodes", Summary: "Add codes of a third party to the pool of a reward, one a line.", Tags: tags, Needs: staff.WriteRules,
		Description: "Codes are sealed, and handed out one by one to orders. Those that are in the pool already are passed over.",
		MaxBody:     4 << 20, Takes: []string{"text/plain"}, Fails: []error{ErrNotFound, ErrStockKind, ErrCodes, ErrBound, program.ErrLimited, api.ErrTooLarge}})
	api.Post(r, "/v1/rewards/{id}/pictures", s.postPicture, api.Doc{ID: "addRewardPicture", Summary: "Add a picture to a reward.", Tags: tags, Needs: staff.WriteRules,
		Description: "A JPEG, PNG or WebP of at most 8 MB, as the body of the request. It is drawn anew in two sizes, so that nothing is left of what a camera wrote into it. Pictures are public.",
		MaxBody:     maxUpload, Takes: []string{"image/jpeg", "image/png", "image/webp"}, Fails: []error{ErrNotFound, ErrPicture, ErrPictures, program.ErrLimited, api.ErrTooLarge}})
	api.Put(r, "/v1/rewards/{id}/pictures", s.putPictures, api.Doc{ID: "arrangeRewardPictures", Summary: "Put the pictures of a reward in another order; those that are left out are taken away.", Tags: tags, Needs: staff.WriteRules,
		Fails: []error{ErrNotFound, ErrNoPicture, program.ErrLimited}})
	api.Get(r, "/portal/v1/reward-pictures/{hash}", s.getPicture, api.Doc{ID: "rewardPicture", Summary: "Fetch a picture of a reward.", Tags: portalTags, Public: true, Fails: []error{ErrNoPicture}})
	s.orderRoutes(r)
	s.portalRoutes(r)
}

// RewardRef names the reward that a path is about.
type RewardRef struct {
	ID string `path:"id" minLength:"1" maxLength:"40" doc:"The reward: rwd_…, or its code."`
}

// rewardView is a reward as staff see it.
type rewardView struct {
	ID      string `json:"id" doc:"The reward."`
	Code    string `json:"code" doc:"Unique and fixed." example:"spring-tin"`
	State   State  `json:"state" enum:"draft,live,paused,ended" doc:"Where it stands. A live one is seen and ordered in its times only."`
	Version int64  `json:"version" doc:"Of what it says; grows with every change."`
	Terms
	Pictures      []PictureView `json:"pictures" doc:"The first is in front."`
	Stocks        []stockView   `json:"stocks" doc:"How much there is of it, common or by store; of a pool, how many codes."`
	MoneyCurrency string        `json:"money_currency" doc:"The currency of money in prices: the programme's."`
	Made          time.Time     `json:"made_at" doc:"When it was made."`
	Changed       time.Time     `json:"changed_at" doc:"When it was changed last."`
}

type stockView struct {
	Store  string `json:"store_id,omitempty" doc:"Of which store; absent of what is common."`
	Supply int64  `json:"supply" doc:"How many were ever put in."`
	Taken  int64  `json:"taken" doc:"How many orders took and did not bring back."`
	Held   int64  `json:"held" doc:"How many are set aside for orders that are to be paid."`
	Left   int64  `json:"left" doc:"How many can be ordered."`
}

func viewStock(x Stock) stockView {
	v := stockView{Supply: x.Supply, Taken: x.Taken, Held: x.Held, Left: x.Left()}
	if x.Store != 0 {
		v.Store = storeID(x.Store)
	}
	return v
}

func (s *Service) view(r *Reward, stocks []Stock) rewardView {
	v := rewardView{
		ID: r.PublicID(), Code: r.Code, State: r.State, Version: r.Version, Terms: r.Terms, Pictures: viewPictures(r.Pictures), Stocks: []stockView{}, MoneyCurrency: s.money(),
		Made: r.Made, Changed: r.Changed,
	}
	for _, x := range stocks {
		if x.Reward == r.ID {
			v.Stocks = append(v.Stocks, viewStock(x))
		}
	}
	return v
}

type rewardOut struct{ Body rewardView }

func (s *Service) answer(ctx context.Context, r *Reward, err error) (*rewardOut, error) {
	if err != nil {
		return nil, err
	}
	stocks, err := s.Stocks(ctx, r)
	if err != nil {
		return nil, err
	}
	return &rewardOut{s.view(r, stocks)}, nil
}

type rewardsIn struct {
	api.Page
	State State  `query:"state" enum:"draft,live,paused,ended" doc:"Only those that stand there."`
	Q     string `query:"q" maxLength:"100" doc:"Only those whose code or name has this in it."`
}

type rewardsOut struct{ Body api.List[rewardView] }

func (s *Service) getRewards(ctx context.Context, in *rewardsIn) (*rewardsOut, error) {
	after, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return nil, err
	}
	stocks, err := s.allStocks(ctx)
	if err != nil {
		return nil, err
	}
	out := &rewardsOut{api.List[rewardView]{Items: []rewardView{}}}
	for _, r := range s.List(in.State, in.Q) {
		if after != nil && r.ID >= after[0] {
			continue
		}
		if len(out.Body.Items) == max(1, in.Limit) {
			out.Body.NextCursor = api.EncodeCursor(after[0])
			break
		}
		out.Body.Items = append(out.Body.Items, s.view(r, stocks))
		after = []int64{r.ID}
	}
	return out, nil
}

type newRewardIn struct {
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"40" doc:"Unique, and fixed from now on: lower-case letters, digits, dashes and underscores." example:"spring-tin"`
		Terms
	}
}

func (s *Service) postReward(ctx context.Context, in *newRewardIn) (*rewardOut, error) {
	r, err := s.Add(ctx, in.Body.Code, in.Body.Terms)
	return s.answer(ctx, r, err)
}

func (s *Service) getReward(ctx context.Context, in *RewardRef) (*rewardOut, error) {
	r, err := s.Find(in.ID)
	return s.answer(ctx, r, err)
}

type changeRewardIn struct {
	RewardRef
	Body struct {
		Version int64 `json:"version,omitempty" minimum:"1" doc:"The version that this change is made from; another one meanwhile is a conflict."`
		Terms
	}
}

func (s *Service) putReward(ctx context.Context, in *changeRewardIn) (*rewardOut, error) {
	r, err := s.Change(ctx, in.ID, in.Body.Version, func(t *Terms) { *t = in.Body.Terms })
	return s.answer(ctx, r, err)
}

func (s *Service) deleteReward(ctx context.Context, in *RewardRef) (*struct{}, error) {
	return nil, s.Remove(ctx, in.ID)
}

func (s *Service) mover(to State) func(context.Context, *RewardRef) (*rewardOut, error) {
	return func(ctx context.Context, in *RewardRef) (*rewardOut, error) {
		r, err := s.Move(ctx, in.ID, to)
		return s.answer(ctx, r, err)
	}
}

type versionView struct {
	Version int64 `json:"version" doc:"Its number."`
	Terms
	Actor string    `json:"actor" doc:"Who wrote it, as staff:stf_…"`
	At    time.Time `json:"at" doc:"When."`
}

type versionsOut struct{ Body api.List[versionView] }

func (s *Service) getVersions(ctx context.Context, in *RewardRef) (*versionsOut, error) {
	r, err := s.Find(in.ID)
	if err != nil {
		return nil, err
	}
	list, err := s.Versions(ctx, r)
	if err != nil {
		return nil, err
	}
	out := &versionsOut{api.List[versionView]{Items: []versionView{}}}
	for _, v := range list {
		out.Body.Items = append(out.Body.Items, versionView{v.Number, v.Terms, v.Actor, timeOf(v.AtMS)})
	}
	return out, nil
}

type stockIn struct {
	RewardRef
	Body struct {
		Store string `json:"store,omitempty" maxLength:"64" doc:"Id or code of the store, where stock is counted by store."`
		Add   int64  `json:"add" minimum:"-100000000" maximum:"100000000" doc:"How many more; fewer where negative, but no fewer than are left."`
	}
}

type stockOut struct{ Body stockView }

func (s *Service) postStock(ctx context.Context, in *stockIn) (*stockOut, error) {
	x, err := s.AddStock(ctx, in.ID, in.Body.Store, in.Body.Add)
	if err != nil {
		return nil, err
	}
	return &stockOut{viewStock(x)}, nil
}

type codesIn struct {
	RewardRef
	RawBody []byte `contentType:"text/plain" required:"true"`
}

type codesOut struct {
	Body struct {
		Added int64 `json:"added" doc:"How many were new."`
		Known int64 `json:"known" doc:"How many were in the pool already, or twice in the request."`
		Left  int64 `json:"left" doc:"How many can be handed out now."`
	}
}

func (s *Service) postCodes(ctx context.Context, in *codesIn) (*codesOut, error) {
	added, known, err := s.AddCodes(ctx, in.ID, string(in.RawBody))
	if err != nil {
		return nil, err
	}
	r, err := s.Find(in.ID)
	if err != nil {
		return nil, err
	}
	stocks, err := s.Stocks(ctx, r)
	if err != nil {
		return nil, err
	}
	out := &codesOut{}
	out.Body.Added, out.Body.Known = added, known
	for _, x := range stocks {
		out.Body.Left += x.Left()
	}
	return out, nil
}

type pictureUpIn struct {
	RewardRef
	RawBody []byte `contentType:"image/jpeg" required:"true"`
}

func (s *Service) postPicture(ctx context.Context, in *pictureUpIn) (*rewardOut, error) {
	r, err := s.AddPicture(ctx, in.ID, bytes.Clone(in.RawBody))
	return s.answer(ctx, r, err)
}

type arrangeIn struct {
	RewardRef
	Body struct {
		Pictures []string `json:"pictures" maxItems:"6" doc:"Ids of pictures that the reward has, in their new order."`
	}
}

func (s *Service) putPictures(ctx context.Context, in *arrangeIn) (*rewardOut, error) {
	r, err := s.ArrangePictures(ctx, in.ID, in.Body.Pictures)
	return s.answer(ctx, r, err)
}

type pictureIn struct {
	Hash  string `path:"hash" minLength:"1" maxLength:"64" doc:"The picture."`
	Size  string `query:"size" enum:"full,thumb" default:"full" doc:"thumb: at most 400 pixels a side."`
	Match string `header:"If-None-Match" maxLength:"256" doc:"The ETag that the caller has."`
}

type pictureOut struct {
	Status      int
	ETag        string `header:"ETag"`
	ContentType string `header:"Content-Type"`
	Cache       string `header:"Cache-Control"`
	Body        []byte
}

func (s *Service) getPicture(ctx context.Context, in *pictureIn) (*pictureOut, error) {
	out := &pictureOut{Status: http.StatusOK, ETag: `"` + in.Hash + "-" + in.Size + `"`, Cache: "public, max-age=31536000, immutable"}
	if strings.Contains(in.Match, out.ETag) { // the address is of the content: who has it has it
		out.Status = http.StatusNotModified
		return out, nil
	}
	p, err := s.Picture(ctx, in.Hash, in.Size == "thumb")
	if err != nil {
		return nil, err
	}
	out.ContentType, out.Body = p.Kind, p.Body
	return out, nil
}
