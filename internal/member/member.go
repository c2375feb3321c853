// Package member keeps the people of the programme: how they are found, what is known of
// them, and which records turned out to be one person.
//
// Life: a member is created with at least one identifier, changes, is found by any of them,
// may be merged into another record and taken out again. Erasure empties the record and
// leaves its number, under which the books stay whole; nothing brings it back.
//
// Laws:
//
//   - An identifier belongs to at most one member, whatever happens at the same time.
//   - Two spellings of one identifier are one identifier: values are normalised before they
//     are compared, and normalising twice changes nothing.
//   - Personal values (name, phone, e-mail, address, full birthday, identifiers, personal
//     attributes) are at rest in one sealed record per member, under that member's own key.
//     They never stand in an event, a log line or an error.
//   - A merge rewrites nothing. It points the one record at the other; reads follow the
//     pointer, and taking the pointer away gives back what was there.
//   - A pointer leads from a root to a root, so pointers never make a ring, and a chain of
//     them has at most maxMergeHeight links.
//
// What a member owns (points, coupons, standing) belongs to higher nouns. They show it on
// the member's page through Card, and take part in a merge through Merger.
package member

import (
	"strconv"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// ID is a member's number inside. Outside it is the opaque text "mem_…".
type ID int64

const idPrefix = "mem_"

// firstNumber is what a member's number for people is counted from: seven digits that read
// well aloud.
const firstNumber = 8_000_000

// Shard is the shard that the member's rows lie in.
func (m ID) Shard() int16 { return id.Shard(int64(m)) }

// String is the public id.
func (m ID) String() string { return id.Encode(idPrefix, int64(m), 0) }

// Number is the member's number for people, "8000123".
func (m ID) Number() string { return strconv.FormatInt(firstNumber+int64(m), 10) }

// MarshalText writes the public id, in JSON too.
func (m ID) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads the public id.
func (m *ID) UnmarshalText(text []byte) error {
	got, err := ParseID(string(text))
	if err != nil {
		return err
	}
	*m = got
	return nil
}

// ParseID reads a public id, or fails with ErrNotFound.
func ParseID(text string) (ID, error) {
	who, seq, err := id.Decode(idPrefix, text)
	if err != nil || seq != 0 || who < 1 {
		return 0, ErrNotFound
	}
	return ID(who), nil
}

// Member is a person of the programme as one record, with what was merged into it.
type Member struct {
	ID          ID
	Version     int64 // grows by one at every change
	Name        string
	Identifiers []Identifier // own ones first, in the order they were added
	Gender      Gender
	Birthday    Birthday
	Address     string
	City        string
	Language    string
	StoreID     int64  // where they joined; 0 for none
	Source      string // where they came from, as in "web" or "import"
	Attributes  map[string]any
	Tags        []string // sorted
	Advisor     string   // the colleague who is responsible, "stf_…"; "" for nobody
	Tier        string   // code of the tier in the main scheme; in lists only
	JoinedAt    time.Time
	CreatedAt   time.Time
	ErasedAt    time.Time // zero but for one who was erased, of whom nothing else is left
	MergedInto  ID        // 0 for a record that stands for itself
	Merged      []ID      // the records that point here, directly or through others
}

// First returns the first identifier of a kind, own ones before those of merged records,
// or "".
func (m Member) First(k Kind) string {
	for _, i := range m.Identifiers {
		if i.Kind == k {
			return i.Value
		}
	}
	return ""
}

// Identifier is one way to find a member.
type Identifier struct {
	Kind       Kind
	Value      string // normalised
	VerifiedAt time.Time
	Source     string
	From       ID // the merged record that it belongs to; 0 for the member's own
}

// Gender is what the member says it is.
type Gender string

// The genders. Unknown is the value of a member who has not said.
const (
	Female  Gender = "female"
	Male    Gender = "male"
	Other   Gender = "other"
	Unknown Gender = "unknown"
)

// Enrolment is what a member is created from. At least one identifier must be there.
type Enrolment struct {
	External, Phone, Email, Card, WeChat string
	Verified                             bool // the identifiers were proved, not only told
	Name                                 string
	Gender                               Gender
	Birthday                             string
	Address                              string
	City                                 string
	Language                             string
	StoreID                              int64
	Source                               string
	Attributes                           map[string]any
	Tags                                 []string
	Consents                             []string  // purposes, with a channel or without: see Consents
	JoinedAt                             time.Time // zero for now
	History                              bool      // from the past: the event says so, and nobody is greeted
}

// The refusals.
var (
	ErrNotFound = errs.New(errs.NotFound, "member.not_found",
		"There is no such member.", "没有这位会员。")
	ErrIdentifierTaken = errs.New(errs.Conflict, "member.identifier_taken",
		"This {kind} already belongs to a member.", "该{kind}已属于某位会员。")
	ErrIdentifierNeeded = errs.New(errs.Invalid, "member.identifier_needed",
		"A member needs at least one identifier: external_id, phone, email, card or wechat.",
		"会员至少需要一个标识：external_id、phone、email、card 或 wechat。")
	ErrIdentifierLast = errs.New(errs.Conflict, "member.identifier_last",
		"This is the member's last identifier and cannot be removed.", "这是该会员的最后一个标识，不能删除。")
	ErrIdentifierUnknown = errs.New(errs.NotFound, "member.identifier_unknown",
		"The member has no such identifier.", "该会员没有这个标识。")
	ErrIdentifierMany = errs.New(errs.Invalid, "member.identifier_many",
		"A member has at most {max} identifiers.", "一位会员最多有 {max} 个标识。")
	ErrKind = errs.New(errs.Invalid, "member.identifier_kind",
		"The kind of an identifier is one of: phone, email, card, ext, wechat.",
		"标识类型须为：phone、email、card、ext、wechat。")
	ErrRef = errs.New(errs.Invalid, "member.ref",
		"A member is named as mem_…, no:8000123, ext:source/id, phone:+86…, email:…, card:…, wechat:… or qr:….",
		"会员的写法为：mem_…、no:8000123、ext:来源/编号、phone:+86…、email:…、card:…、wechat:… 或 qr:…。")
	ErrQR = errs.New(errs.Invalid, "member.qr",
		"This code has expired, or is not one of the portal. Ask the member to show a fresh one.",
		"此二维码已失效或不是会员门户的码，请会员出示新的二维码。")
	ErrPhone = errs.New(errs.Invalid, "member.phone",
		"This is not a valid phone number. Outside mainland China, begin with + and the country code.",
		"手机号码无效。中国大陆以外的号码请以 + 和国家代码开头。")
	ErrEmail = errs.New(errs.Invalid, "member.email",
		"This is not a valid e-mail address.", "电子邮箱地址无效。")
	ErrCard = errs.New(errs.Invalid, "member.card",
		"A card number has 1 to {max} characters and no spaces or control characters inside.",
		"卡号须为 1 至 {max} 个字符，中间不含空格或控制字符。")
	ErrExternal = errs.New(errs.Invalid, "member.external_id",
		"An external id is namespace/value: the namespace has letters, digits, - _ . (at most {ns}), the value at most {max} characters.",
		"外部编号写作 命名空间/值：命名空间由字母、数字和 - _ . 组成（最多 {ns} 个字符），值最多 {max} 个字符。")
	ErrText = errs.New(errs.Invalid, "member.text",
		"This text is longer than {max} characters or holds control characters.",
		"文字超过 {max} 个字符或含有控制字符。")
	ErrGender = errs.New(errs.Invalid, "member.gender",
		"The gender is one of: female, male, other, unknown.", "性别须为：female、male、other、unknown。")
	ErrLanguage = errs.New(errs.Invalid, "member.language",
		"The language is a tag such as zh-CN or en.", "语言须为 zh-CN、en 这样的代码。")
	ErrBirthday = errs.New(errs.Invalid, "member.birthday",
		"The birthday is a date of the calendar, YYYY-MM-DD or --MM-DD, from 1900 and not in the future.",
		"生日须为有效日期，格式 YYYY-MM-DD 或 --MM-DD，不早于 1900 年且不晚于今天。")
	ErrJoined = errs.New(errs.Invalid, "member.joined_at",
		"The time of joining is an RFC 3339 time or a date, from 1900 and not in the future.",
		"加入时间须为 RFC 3339 时间或日期，不早于 1900 年且不晚于现在。")
	ErrTag = errs.New(errs.Invalid, "member.tag",
		"A tag has 1 to {max} characters, without control characters; a member has at most {many} tags.",
		"标签须为 1 至 {max} 个字符，不含控制字符；一位会员最多 {many} 个标签。")
	ErrConsent = errs.New(errs.Invalid, "member.consent",
		"A consent names a purpose of the programme, and may name a channel behind it: marketing, marketing_email.",
		"同意项须为计划内的用途名称，其后可带渠道：marketing、marketing_email。")
	ErrErased = errs.New(errs.NotFound, "member.erased",
		"The data of this member were erased.", "该会员的资料已被删除。")
	ErrChanged = errs.New(errs.Conflict, "member.changed",
		"The member has been changed meanwhile. Read it again and repeat the change.",
		"该会员资料刚被修改过，请重新读取后再提交修改。")
	ErrMergeSelf = errs.New(errs.Conflict, "member.merge_self",
		"Both are the same member.", "两者是同一位会员。")
	ErrMerged = errs.New(errs.Conflict, "member.merged",
		"This record has been merged into another member.", "该记录已合并到另一位会员。")
	ErrNotMerged = errs.New(errs.Conflict, "member.not_merged",
		"This record is not merged into another member.", "该记录没有合并到其他会员。")
	ErrMergeDeep = errs.New(errs.Conflict, "member.merge_deep",
		"Too many records have been merged one into the next.", "连续合并的记录过多。")
	ErrSwitches = errs.New(errs.Invalid, "member.switches",
		"Say which to change, earn or spend, or leave both out to change both; give a reason of at most {max} characters.",
		"请指明 earn 或 spend，均不填则两者都改；原因最多 {max} 个字符。")
	ErrNoWallets = errs.New(errs.Unavailable, "member.no_wallets",
		"Members cannot be blocked here: this server keeps no wallets.", "此服务器没有账户功能，无法冻结会员。")
	ErrKeyFile = errs.New(errs.Invalid, "member.key_file",
		"The key file is not the one that this database was written with. Put the right patron.keys in place.",
		"密钥文件与此数据库不匹配。请放回正确的 patron.keys。")
)
