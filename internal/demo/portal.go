package demo

import (
	"context"

	"github.com/patron-loyalty/patron/internal/privacy"
	"github.com/patron-loyalty/patron/internal/program"
)

// consentTexts are what members of the shop are asked.
var consentTexts = []struct {
	purpose privacy.Purpose
	en, zh  string
}{
	{privacy.Marketing, "Yes, write to me about offers and new things. I can stop it at any time.", "我同意接收优惠与新品信息，可随时取消。"},
	{privacy.Profiling, "Yes, choose offers for me by what I have bought.", "我同意根据我的消费记录为我推荐优惠。"},
}

// invite opens the portal: the programme says that it is a demonstration, in which codes are
// shown to everybody, and names the member who is best to sign in as.
func (s *shop) invite(ctx context.Context) error {
	for _, t := range consentTexts {
		if _, err := s.app.Privacy.PutText(ctx, t.purpose, t.en, t.zh); err != nil {
			return err
		}
	}
	var best *person
	for _, p := range s.people[:s.here] {
		if !p.gone && p.enrol.Phone != "" && (best == nil || p.points > best.points) {
			best = p
		}
	}
	if best == nil {
		return nil // this programme takes no telephones that nobody has
	}
	s.made.Phone = best.enrol.Phone
	name := "phone:" + best.enrol.Phone
	if _, err := s.app.Program.ChangeSettings(ctx, program.SettingsChange{Demo: &name}); err != nil {
		return err
	}
	return s.app.Audit.Chain(ctx) // else what waits since the shop was opened would look forgotten
}
