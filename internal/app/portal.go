package app

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/portal"
)

// openPortal builds the members' face on everything below it.
func (a *App) openPortal(o Options) error {
	p := portal.Options{
		DB: a.DB, Box: a.Box, Clock: a.Clock, Log: a.Log, Jobs: a.Jobs,
		Program: a.Program, Members: a.Members, Privacy: a.Privacy, Ledger: a.Ledger, Sales: a.Sales, Tiers: a.Tiers, Plans: a.Plans,
		Inbox: o.Config.PortalInbox, Codes: o.Config.PortalCodes, PublicURL: o.Config.PublicURL, Realm: o.Name,
	}
	if o.Config.SMTPURL != "" {
		mail, err := portal.NewMail(o.Config.SMTPURL, o.Config.SMTPFrom)
		if err != nil {
			return fmt.Errorf("open the portal: %w", err)
		}
		p.Mail = mail
	}
	a.Portal = portal.New(p)
	return nil
}

// resolveQR finds the member of a code of the portal: members are below it.
func (a *App) resolveQR(ctx context.Context, code string) (member.ID, error) {
	return a.Portal.Resolve(ctx, code)
}
