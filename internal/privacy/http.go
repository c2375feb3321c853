package privacy

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Routes adds what this package serves.
func (s *Service) Routes(r *api.Router) {
	tags := []string{"Privacy"}
	missing := []error{member.ErrNotFound, member.ErrRef, member.ErrQR, member.ErrErased}
	api.Get(r, "/v1/members/{ref}/consents", s.getConsents, api.Doc{
		ID: "listConsents", Summary: "Read what a member agrees to, and all that was ever said.", Tags: tags, Needs: staff.ReadMembers, Fails: missing,
	})
	api.Post(r, "/v1/members/{ref}/consents", s.postConsents, api.Doc{
		ID: "recordConsents", Summary: "Write down consents that a member gives or takes back.", Tags: tags, Needs: staff.ServeMembers, Status: 201,
		Description: "To take one back is the same call with granted false. Nothing is overwritten: each word is kept as evidence with the text that was shown.",
		Fails:       append([]error{ErrPurpose, ErrVersion, ErrBusy}, missing...),
	})
	api.Get(r, "/v1/consent-texts", s.getTexts, api.Doc{
		ID: "listConsentTexts", Summary: "List the purposes and every version of their texts.", Tags: tags, Needs: staff.ReadMembers,
	})
	api.Put(r, "/v1/consent-texts", s.putText, api.Doc{
		ID: "putConsentText", Summary: "Make a text the latest version of its purpose.", Tags: tags, Needs: staff.ManageProgram,
		Description: "Earlier versions stay: consents refer to them. The same text again makes no new version.", Fails: []error{ErrPurpose, ErrText},
	})
	api.Get(r, "/v1/members/{ref}/export", s.getExport, api.Doc{
		ID: "exportMember", Summary: "Hand out everything that is known of a member.", Tags: tags, Needs: staff.ManageMembers, Stream: true,
		Description: "json is one object with a list for each sheet; csv a ZIP folder with a file for each. The audit trail keeps who asked.", Fails: missing,
	})
	api.Post(r, "/v1/members/{ref}/erase", s.postErase, api.Doc{
		ID: "eraseMember", Summary: "Erase a member for good, with all records merged into it.", Tags: tags, Needs: staff.ManageMembers,
		Description: "The key of the sealed record is destroyed, plain fields and free text are wiped, open holds released, points forfeited. The books stay under the member's number. There is no way back, also not by restoring a backup.",
		Fails:       append([]error{ErrBusy}, missing...),
	})
	api.Get(r, "/v1/sealing-keys", s.getKeys, api.Doc{
		ID: "getSealingKeys", Summary: "Read how many keys personal data are sealed under.", Tags: tags, Needs: staff.Operate,
	})
	api.Post(r, "/v1/sealing-keys/rotate", s.postRotate, api.Doc{
		ID: "rotateSealingKeys", Summary: "Make a new key and bring all personal data under it, beside all other work.", Tags: tags, Needs: staff.Operate, Status: 202,
		Description: "A job does it and may be watched as one. The older key goes about ten minutes after everything has been moved.", Fails: []error{ErrBorrowed},
	})
}

// ByRef is embedded by the input of every route of one member. Its name is exported because
// Huma fills no embedded field with another.
type ByRef struct {
	Ref string `path:"ref" maxLength:"400" doc:"The member, named in any way: mem_…, no:8000123, phone:+86…, …"`
}

func (in ByRef) parse() (member.Ref, error) {
	ref, err := member.ParseRef(in.Ref)
	return ref, at(err, "path.ref")
}

// at names the part of the request that a refusal is about.
func at(err error, location string) error {
	if e := errs.As(err); e != nil && e.Kind != errs.NotFound {
		return e.At(location)
	}
	return err
}

// StateView is how things stand for one purpose and channel.
type StateView struct {
	Purpose     Purpose   `json:"purpose" doc:"What for."`
	Channel     Channel   `json:"channel" doc:"How; any stands for all channels that are not listed beside it."`
	Granted     bool      `json:"granted" doc:"Whether the member agrees."`
	Since       time.Time `json:"since" doc:"When they said so."`
	TextVersion int64     `json:"text_version,omitempty" doc:"Version of the text that was shown."`
}

// ConsentView is one word of a member.
type ConsentView struct {
	Record      member.ID `json:"record" doc:"The record under which it was said: the member's, or one that was merged into it."`
	Number      int64     `json:"number" doc:"1, 2, 3 … of the record."`
	Purpose     Purpose   `json:"purpose" doc:"What for."`
	Channel     Channel   `json:"channel" doc:"How."`
	Granted     bool      `json:"granted" doc:"Given, or taken back."`
	TextVersion int64     `json:"text_version,omitempty" doc:"Version of the text that was shown."`
	TextHash    string    `json:"text_sha256,omitempty" doc:"Hash of that text."`
	At          time.Time `json:"at" doc:"When."`
	Source      string    `json:"source" doc:"Where it was said."`
	Actor       string    `json:"actor,omitempty" doc:"Who wrote it down."`
}

type consentsOut struct {
	Body struct {
		Member  member.ID     `json:"member_id" doc:"The member."`
		Current []StateView   `json:"current" doc:"How things stand. What is not listed was never agreed to."`
		History []ConsentView `json:"history" doc:"All that was said, newest first."`
	}
}

func viewConsents(c Consents, err error) (*consentsOut, error) {
	if err != nil {
		return nil, err
	}
	out := &consentsOut{}
	out.Body.Member, out.Body.Current, out.Body.History = c.Member, []StateView{}, []ConsentView{}
	for _, st := range c.Current {
		out.Body.Current = append(out.Body.Current, StateView(st))
	}
	for _, h := range c.History {
		out.Body.History = append(out.Body.History, ConsentView{h.Member, h.Seq, h.Purpose, h.Channel, h.Granted, h.TextVersion, hex.EncodeToString(h.TextHash), h.At, h.Source, h.Actor})
	}
	return out, nil
}

func (s *Service) getConsents(ctx context.Context, in *ByRef) (*consentsOut, error) {
	ref, err := in.parse()
	if err != nil {
		return nil, err
	}
	return viewConsents(s.Of(ctx, ref))
}

type wordIn struct {
	Purpose     Purpose `json:"purpose" minLength:"1" maxLength:"40" doc:"What for." example:"marketing"`
	Channel     Channel `json:"channel,omitempty" enum:"any,sms,email,wechat,push,phone,post" default:"any" doc:"How; any for all channels."`
	Granted     bool    `json:"granted" doc:"true gives the consent, false takes it back."`
	TextVersion int64   `json:"text_version,omitempty" minimum:"1" doc:"Version of the text that was shown; the latest where absent."`
	Source      string  `json:"source,omitempty" enum:"till,portal,staff,import,api,paper,phone" default:"api" doc:"Where it was said."`
}

type speakIn struct {
	ByRef
	Body struct {
		Consents []wordIn `json:"consents" minItems:"1" maxItems:"20" doc:"What is said, in this order; all of it is kept or nothing."`
	}
}

func (s *Service) postConsents(ctx context.Context, in *speakIn) (*consentsOut, error) {
	ref, err := in.parse()
	if err != nil {
		return nil, err
	}
	var words []Word
	for _, w := range in.Body.Consents {
		words = append(words, Word{w.Purpose, w.Channel, w.Granted, w.TextVersion, w.Source})
	}
	return viewConsents(s.Speak(ctx, ref, words))
}

// PurposeView is a purpose with its texts.
type PurposeView struct {
	Purpose Purpose    `json:"purpose" doc:"The name in requests."`
	NameEN  string     `json:"name_en" doc:"What people read, in English."`
	NameZH  string     `json:"name_zh" doc:"What people read, in Chinese."`
	Texts   []TextView `json:"texts" doc:"Its texts, latest first."`
}

// TextView is one version of a text.
type TextView struct {
	Version int64     `json:"version" doc:"1, 2, 3 … of the purpose."`
	EN      string    `json:"text_en" doc:"In English."`
	ZH      string    `json:"text_zh" doc:"In Chinese."`
	Hash    string    `json:"sha256" doc:"Hash that consents keep of it."`
	At      time.Time `json:"at" doc:"Since when."`
}

func viewText(t Text) TextView {
	return TextView{t.Version, t.EN, t.ZH, hex.EncodeToString(t.Hash), t.At}
}

type textsOut struct {
	Body struct {
		Items []PurposeView `json:"items" doc:"All purposes."`
	}
}

func (s *Service) getTexts(ctx context.Context, _ *struct{}) (*textsOut, error) {
	texts, err := s.Texts(ctx)
	if err != nil {
		return nil, err
	}
	out := &textsOut{}
	for _, n := range Purposes() {
		v := PurposeView{n.Purpose, n.EN, n.ZH, []TextView{}}
		for _, t := range texts {
			if t.Purpose == n.Purpose {
				v.Texts = append(v.Texts, viewText(t))
			}
		}
		out.Body.Items = append(out.Body.Items, v)
	}
	return out, nil
}

type textIn struct {
	Body struct {
		Purpose Purpose `json:"purpose" minLength:"1" maxLength:"40" doc:"What for."`
		EN      string  `json:"text_en" minLength:"1" maxLength:"20000" doc:"What is shown, in English."`
		ZH      string  `json:"text_zh" minLength:"1" maxLength:"20000" doc:"What is shown, in Chinese."`
	}
}

type textOut struct{ Body TextView }

func (s *Service) putText(ctx context.Context, in *textIn) (*textOut, error) {
	t, err := s.PutText(ctx, in.Body.Purpose, in.Body.EN, in.Body.ZH)
	return &textOut{viewText(t)}, err
}

type exportIn struct {
	ByRef
	Format Format `query:"format" enum:"json,csv" default:"json" doc:"How it is written."`
}

// getExport streams. What goes wrong once it has begun can only cut it: a reader sees a
// JSON or ZIP without an end.
func (s *Service) getExport(ctx context.Context, in *exportIn) (*huma.StreamResponse, error) {
	ref, err := in.parse()
	if err != nil {
		return nil, err
	}
	return s.Download(ctx, ref, in.Format)
}

// Download is the export of a person as a file that a browser keeps.
func (s *Service) Download(ctx context.Context, ref member.Ref, f Format) (*huma.StreamResponse, error) {
	who, err := s.Begin(ctx, ref, f)
	if err != nil {
		return nil, err
	}
	kind, ending := "application/json", "json"
	if f == CSV {
		kind, ending = "application/zip", "zip"
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", kind)
		hc.SetHeader("Content-Disposition", fmt.Sprintf(`attachment; filename="%s.%s"`, who.ID, ending))
		hc.SetHeader("Cache-Control", "no-store")
		hc.SetStatus(http.StatusOK)
		if err := s.Export(hc.Context(), who, f, hc.BodyWriter()); err != nil {
			s.o.Log.Error("an export was cut short", "member", int64(who.ID), "error", err)
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

type eraseIn struct {
	ByRef
	Body struct {
		Reason  string `json:"reason" enum:"request,consent_withdrawn,retention,law,mistake" doc:"Why; one word, since the trail keeps it for ever."`
		Forfeit bool   `json:"forfeit,omitempty" doc:"Give up stored value too. Without it a member who has some is refused: pay it out first."`
	}
}

type eraseOut struct {
	Body struct {
		Member  member.ID   `json:"member_id" doc:"The member; the number stays, and leads to nobody."`
		Erased  time.Time   `json:"erased_at" doc:"When it was decided."`
		Records []member.ID `json:"records" doc:"All records that were erased."`
		Done    bool        `json:"done" doc:"false where the rest is left to a job, which goes on until it is done."`
	}
}

func (s *Service) postErase(ctx context.Context, in *eraseIn) (*eraseOut, error) {
	ref, err := in.parse()
	if err != nil {
		return nil, err
	}
	e, err := s.Erase(ctx, ref, in.Body.Reason, in.Body.Forfeit)
	if err != nil {
		return nil, err
	}
	out := &eraseOut{}
	out.Body.Member, out.Body.Erased, out.Body.Records, out.Body.Done = e.ID, e.At.UTC(), e.Records, e.Done
	return out, nil
}

type keysOut struct {
	Body struct {
		Primary string `json:"primary" doc:"Number of the key that is used for what is new."`
		Keys    int    `json:"keys" doc:"How many there are: more than one while a rotation is under way."`
	}
}

func (s *Service) getKeys(context.Context, *struct{}) (*keysOut, error) {
	out := &keysOut{}
	k := s.Keys()
	out.Body.Primary, out.Body.Keys = k.Primary, k.Count
	return out, nil
}

type rotateOut struct {
	Body struct {
		Job string `json:"job" doc:"The job that does it."`
	}
}

func (s *Service) postRotate(ctx context.Context, _ *struct{}) (*rotateOut, error) {
	id, err := s.Rotate(ctx)
	if err != nil {
		return nil, err
	}
	out := &rotateOut{}
	out.Body.Job = id.String()
	return out, nil
}
