package portal

import (
	"context"
	"time"

	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/privacy"
)

// word is what a member says about one purpose.
type word struct {
	Purpose     privacy.Purpose `json:"purpose" minLength:"1" maxLength:"40" doc:"What for." example:"marketing"`
	Channel     privacy.Channel `json:"channel,omitempty" enum:"any,sms,email,wechat,push,phone,post" default:"any" doc:"How; any for all channels."`
	Granted     bool            `json:"granted" doc:"true gives the consent, false takes it back."`
	TextVersion int64           `json:"text_version,omitempty" minimum:"1" doc:"Version of the text that was shown; the latest where absent."`
}

func words(list []word) (out []privacy.Word) {
	for _, w := range list {
		channel := w.Channel
		if channel == "" {
			channel = privacy.Any
		}
		out = append(out, privacy.Word{Purpose: w.Purpose, Channel: channel, Granted: w.Granted, Version: w.TextVersion, Source: "portal"})
	}
	return out
}

// PurposeView is a purpose with its latest text, and how a member stands to it.
type PurposeView struct {
	Purpose privacy.Purpose `json:"purpose" doc:"The name in requests."`
	NameEN  string          `json:"name_en" doc:"What people read, in English."`
	NameZH  string          `json:"name_zh" doc:"What people read, in Chinese."`
	Version int64           `json:"text_version,omitempty" doc:"Version of the text; absent where the programme has none."`
	TextEN  string          `json:"text_en,omitempty" doc:"What is agreed to, in English."`
	TextZH  string          `json:"text_zh,omitempty" doc:"What is agreed to, in Chinese."`
}

type standingView struct {
	Channel     privacy.Channel `json:"channel" doc:"How; any stands for all channels that are not listed beside it."`
	Granted     bool            `json:"granted" doc:"Whether one agrees."`
	Since       time.Time       `json:"since" doc:"When one said so."`
	TextVersion int64           `json:"text_version,omitempty" doc:"Version of the text that was shown."`
}

type consentView struct {
	PurposeView
	Current []standingView `json:"current" doc:"How things stand; empty: nothing was said, so nothing is agreed to."`
}

type consentsOut struct {
	Body struct {
		Items []consentView `json:"items" doc:"All purposes."`
	}
}

// purposes lists all purposes with their latest texts.
func (s *Service) purposes(ctx context.Context) ([]PurposeView, error) {
	texts, err := s.o.Privacy.Texts(ctx)
	if err != nil {
		return nil, err
	}
	var list []PurposeView
	for _, n := range privacy.Purposes() {
		v := PurposeView{Purpose: n.Purpose, NameEN: n.EN, NameZH: n.ZH}
		for _, t := range texts {
			if t.Purpose == n.Purpose && t.Version > v.Version {
				v.Version, v.TextEN, v.TextZH = t.Version, t.EN, t.ZH
			}
		}
		list = append(list, v)
	}
	return list, nil
}

func (s *Service) getConsents(ctx context.Context, _ *struct{}) (*consentsOut, error) {
	m, err := me(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.o.Privacy.Of(ctx, member.RefID(m))
	if err != nil {
		return nil, err
	}
	return s.viewConsents(ctx, c)
}

func (s *Service) viewConsents(ctx context.Context, c privacy.Consents) (*consentsOut, error) {
	all, err := s.purposes(ctx)
	if err != nil {
		return nil, err
	}
	out := &consentsOut{}
	for _, p := range all {
		v := consentView{p, []standingView{}}
		for _, st := range c.Current {
			if st.Purpose == p.Purpose {
				v.Current = append(v.Current, standingView{st.Channel, st.Granted, st.Since, st.TextVersion})
			}
		}
		out.Body.Items = append(out.Body.Items, v)
	}
	return out, nil
}

type consentsIn struct {
	Body struct {
		Consents []word `json:"consents" minItems:"1" maxItems:"20" doc:"What is said, in this order."`
	}
}

func (s *Service) postConsents(ctx context.Context, in *consentsIn) (*consentsOut, error) {
	m, err := me(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.o.Privacy.Speak(ctx, member.RefID(m), words(in.Body.Consents))
	if err != nil {
		return nil, err
	}
	return s.viewConsents(ctx, c)
}
