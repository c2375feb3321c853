// Package staff knows who may act: the people who work with the program, their sessions,
// the API keys of machines, and the trail of what all of them changed.
//
// Life: a first start without an owner makes a one-time link, good for a day; who follows
// it becomes the owner and adds the others. An account is never deleted, since the trail
// names it for ever; it is disabled. A session lives until it is ended, idle for twelve
// hours, or thirty days old. A key lives until it is revoked or its time is up.
//
// Laws:
//   - Secrets (passwords, tokens, keys, the link) are kept as hashes only and shown once.
//   - Nobody gives away, or touches, more rights than they have. There is always an
//     active owner, once there has been one.
//   - A right that is taken away is gone at once in this process and within one second in
//     the others (auth.go says how).
//   - To a stranger, an account that does not exist, one that is disabled and a wrong
//     password look the same, in text and in time.
//   - The audit trail only grows, and holds no personal data: accounts are named by id.
package staff

import (
	"net/mail"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// Account is one person who works with the program.
type Account struct {
	ID                int64
	Email             string // folded; unique
	Name              string
	Role              Role
	Active            bool
	Merchants, Stores []int64 // where they may act; both empty = everywhere
	Created           time.Time

	password string // PHC string
}

// The prefixes of public ids.
const (
	accountPrefix = "stf_"
	sessionPrefix = "ses_"
	keyPrefix     = "key_"
	entryPrefix   = "aud_"
)

// PublicID is what the outside calls the account.
func (a Account) PublicID() string { return id.Encode(accountPrefix, 0, a.ID) }

// The refusals.
var (
	ErrNoAccount  = errs.New(errs.NotFound, "staff.no_account", "There is no such account.", "没有这个账号。")
	ErrEmailTaken = errs.New(errs.Conflict, "staff.email_taken", "Another account has this e-mail address.", "该邮箱已被其他账号使用。")
	ErrLastOwner  = errs.New(errs.Conflict, "staff.last_owner", "There has to be an active owner; make another one first.", "必须保留至少一位启用的所有者，请先添加另一位。")
	ErrTooHigh    = errs.New(errs.Forbidden, "staff.too_high", "This would give or touch rights that you do not have yourself.", "此操作涉及您自己没有的权限。")
	ErrSandbox    = errs.New(errs.Forbidden, "staff.sandbox", "A test key cannot manage accounts or live keys.", "测试密钥不能管理账号或正式密钥。")

	ErrEmail  = errs.New(errs.Invalid, "staff.email", "This is not an e-mail address.", "这不是邮箱地址。")
	ErrName   = errs.New(errs.Invalid, "staff.name", "A name has 1 to 100 characters.", "名称为 1 至 100 个字符。")
	ErrRole   = errs.New(errs.Invalid, "staff.role", "There is no such role.", "没有这个角色。")
	ErrPlaces = errs.New(errs.Invalid, "staff.places", "At most {most} merchants and stores may be named, all of which have to exist.", "最多可指定 {most} 个商户和门店，且必须存在。")
)

const (
	maxEmail  = 254 // RFC 5321
	maxName   = 100
	maxPlaces = 200 // limits are searched one by one
)

// foldEmail writes an address the way it is kept, or gives ErrEmail. Capitals do not make
// another account.
func foldEmail(text string) (string, error) {
	folded := strings.ToLower(strings.TrimSpace(text))
	at, err := mail.ParseAddress(folded)
	if err != nil || at.Address != folded || len(folded) > maxEmail {
		return "", ErrEmail.At("body.email")
	}
	return folded, nil
}

func checkName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if n := len([]rune(name)); n == 0 || n > maxName {
		return "", ErrName.At("body.name")
	}
	return name, nil
}
