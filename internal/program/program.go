// Package program holds the settings of the loyalty programme and the places where it is
// run: merchants, their stores, the tills of a store, and the rates of foreign money.
//
// Life: the first start writes one programme, one merchant and one store ("main").
// From then on staff change settings and add places. A place is never deleted, since
// sales name it for ever; it is closed, and may be opened again.
//
// Laws:
//   - There is one programme, with a version that grows by one with every change of
//     settings or places, in the transaction of the change.
//   - Everyone reads an immutable Snapshot from memory. After a change this process has
//     the new one before the change is answered; other processes have it within two
//     seconds, because Run asks for the version every second.
//   - The code of a place is unique and fixed; names, address and zone may change.
//   - A caller who is limited to merchants or stores neither sees nor changes others.
package program

import (
	"strings"
	"time"
	_ "time/tzdata" // zones are known even on a machine without zone files

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/money"
)

// Settings say how the programme is run. They are one row, read and changed as a whole.
type Settings struct {
	NameEN       string   `json:"name_en"`
	NameZH       string   `json:"name_zh"`
	Zone         string   `json:"zone"`          // IANA name; the days of the programme begin at its midnight
	Currency     string   `json:"currency"`      // ISO 4217; money without a currency is in it, reports are in it
	Languages    []string `json:"languages"`     // what members are written to in; the first is the default
	DefaultStore int64    `json:"default_store"` // where a sale without a store was made
	Earning      Earning  `json:"earning"`
	Limits       Limits   `json:"limits"`
	Brand        Brand    `json:"brand"`

	// Demo names a member that visitors may sign in as ("phone:+86…"), where the programme is
	// a demonstration and nobody in it exists: the codes of the portal are then shown to
	// everybody. Only the demo writes it.
	Demo    string  `json:"demo,omitempty"`
	Modules Modules `json:"modules"`
	Offline Offline `json:"offline"`
}

// Offline bounds what tills may give while the line is down. Who has said nothing has it off.
type Offline struct {
	Hours     int    `json:"hours" minimum:"0" maximum:"168" doc:"For how many hours a till may take vouchers and points by what it took along; 0: no till takes them without a line."`
	PerMember int64  `json:"per_member" minimum:"0" maximum:"1000000000000" doc:"The most that vouchers and points of one member may pay or take off on one snapshot, in minor units of the programme's currency; 0 for no bound. Tills keep to it; what is beyond is noted as a conflict."`
	PerStore  int64  `json:"per_store" minimum:"0" maximum:"1000000000000" doc:"The same for all members of one store and day."`
	Policy    Policy `json:"policy" enum:"honour,store,review" doc:"Who bears what was given twice. honour: the programme. store: the store whose till gave it. review: nobody until a person has said so."`
}

// Policy says who bears what tills gave twice.
type Policy string

// The policies.
const (
	Honour Policy = "honour"
	Charge Policy = "store"
	Review Policy = "review"
)

// maxOfflineHours is a week: what is known of a member is older than that by then.
const maxOfflineHours = 168

func (o Offline) check() error {
	const most = 1_000_000_000_000
	switch {
	case o.Hours < 0 || o.Hours > maxOfflineHours:
		return ErrOffline.At("body.offline.hours")
	case o.PerMember < 0 || o.PerMember > most:
		return ErrOffline.At("body.offline.per_member")
	case o.PerStore < 0 || o.PerStore > most:
		return ErrOffline.At("body.offline.per_store")
	case o.Policy != "" && o.Policy != Honour && o.Policy != Charge && o.Policy != Review:
		return ErrOffline.At("body.offline.policy")
	}
	return nil
}

// settled is the same with the policy that holds where nobody has chosen one.
func (o Offline) settled() Offline {
	if o.Policy == "" {
		o.Policy = Honour
	}
	return o
}

// OfflineRules are the bounds that hold.
func (s *Snapshot) OfflineRules() Offline { return s.Settings.Offline.settled() }

// Earning is the base rule: Points for every Per minor units of the programme's currency.
type Earning struct {
	Currency    string         `json:"currency" minLength:"1" maxLength:"40" doc:"Code of the point currency that sales earn." example:"points"`
	Points      int64          `json:"points" minimum:"0" maximum:"1000000" doc:"Points earned for every 'per'. Zero: sales earn nothing by themselves."`
	Per         int64          `json:"per" minimum:"1" maximum:"1000000000" doc:"Money that earns 'points', in minor units of the programme's currency."`
	Rounding    money.Rounding `json:"rounding" enum:"floor,half_up,half_even,ceil" doc:"What becomes of a fraction of a point."`
	Excluded    []string       `json:"excluded_categories" maxItems:"500" doc:"Paths of categories whose lines earn nothing, with all below them."`
	PendingDays int            `json:"pending_days" minimum:"0" maximum:"365" doc:"Days until earned points may be spent; 0 is at once."`
}

// Limits bound what one request may carry. They may be set lower than the most that the
// program takes, never higher.
type Limits struct {
	SaleLines  int `json:"sale_lines" minimum:"1" maximum:"1000" doc:"Lines of one sale."`
	BatchSales int `json:"batch_sales" minimum:"1" maximum:"200" doc:"Sales of one batch."`
	Attributes int `json:"attributes" minimum:"1" maximum:"200" doc:"Attributes of one sale, line, event or member."`
}

// The most that Limits may say. One sale of 1,000 lines stays under the body limit.
const (
	maxSaleLines  = 1000
	maxBatchSales = 200
	maxAttributes = 200
)

// What a programme may have. All of it is held in memory: a hundred thousand tills take
// about 30 MB. The count is taken from the snapshot, so a few may slip past it together.
const (
	maxMerchants = 5_000
	maxStores    = 20_000
	maxTills     = 100_000
	maxExcluded  = 500
	maxPending   = 365
)

// Defaults are the settings of the first start: one point for every yuan.
func Defaults() Settings {
	return Settings{
		NameEN: "Patron", NameZH: "常客",
		Zone: "Asia/Shanghai", Currency: "CNY", Languages: []string{"zh-CN", "en"},
		Earning: Earning{Currency: "points", Points: 1, Per: 100, Rounding: money.Floor, Excluded: []string{}},
		Limits:  Limits{SaleLines: 500, BatchSales: maxBatchSales, Attributes: 50},
		Modules: Modules{StoredValue: true, Transfers: true, Portal: true, Tasks: true, Till: true},
		Offline: Offline{PerMember: 20_000, PerStore: 1_000_000, Policy: Honour},
	}
}

// Merchant is a company that takes part: it owns stores and issues points. The JSON of
// places is what the audit trail holds.
type Merchant struct {
	ID     int64  `json:"-"`
	Code   string `json:"code"` // unique in the programme
	NameEN string `json:"name_en"`
	NameZH string `json:"name_zh"`
	Open   bool   `json:"open"`
}

// Store is a place of sale, in a street or on a screen.
type Store struct {
	ID       int64  `json:"-"`
	Merchant int64  `json:"merchant_id"`
	Code     string `json:"code"` // unique in the programme
	NameEN   string `json:"name_en"`
	NameZH   string `json:"name_zh"`
	Zone     string `json:"zone"` // "" = the programme's
	Address  string `json:"address"`
	Open     bool   `json:"open"`
}

// Till is a checkout of a store.
type Till struct {
	ID    int64  `json:"-"`
	Store int64  `json:"store_id"`
	Code  string `json:"code"` // unique in its store
	Open  bool   `json:"open"`
}

// The prefixes of public ids.
const (
	merchantPrefix = "mer_"
	storePrefix    = "sto_"
	tillPrefix     = "til_"
)

// MerchantID, StoreID and TillID give the public id of a row.
func MerchantID(n int64) string { return id.Encode(merchantPrefix, 0, n) }

// StoreID gives the public id of a store.
func StoreID(n int64) string { return id.Encode(storePrefix, 0, n) }

// TillID gives the public id of a till.
func TillID(n int64) string { return id.Encode(tillPrefix, 0, n) }

// The refusals.
var (
	ErrNoMerchant = errs.New(errs.NotFound, "program.no_merchant", "There is no such merchant.", "没有这个商户。")
	ErrNoStore    = errs.New(errs.NotFound, "program.no_store", "There is no such store.", "没有这个门店。")
	ErrNoTill     = errs.New(errs.NotFound, "program.no_till", "There is no such till.", "没有这个收银台。")
	ErrCodeTaken  = errs.New(errs.Conflict, "program.code_taken", "Another one has this code already.", "这个编码已被使用。")
	ErrTooMany    = errs.New(errs.Conflict, "program.too_many", "There may be no more than {most} of these.", "数量不能超过 {most} 个。")
	ErrChanged    = errs.New(errs.Conflict, "program.changed", "The settings were changed by someone else; read them again.", "设置已被他人修改，请重新读取。")
	ErrDefault    = errs.New(errs.Conflict, "program.default_store", "The default store stays open, and so does its merchant; choose another default store first.", "默认门店及其商户不能关闭，请先选择其他默认门店。")
	ErrClosed     = errs.New(errs.Conflict, "program.closed", "This place is closed; open it first.", "该商户或门店已关闭，请先启用。")

	ErrZone     = errs.New(errs.Invalid, "program.zone", "{zone} is not a time zone of the IANA list, like Asia/Shanghai.", "{zone} 不是 IANA 时区名称（例如 Asia/Shanghai）。")
	ErrLanguage = errs.New(errs.Invalid, "program.language", "Languages are zh-CN and en, at least one, each once.", "语言只能是 zh-CN 和 en，至少一种，且不得重复。")
	ErrName     = errs.New(errs.Invalid, "program.name", "A name of at most 200 characters is needed in English or Chinese.", "需要英文或中文名称，且不超过 200 个字符。")
	ErrCode     = errs.New(errs.Invalid, "program.code", "A code is 1 to 40 letters, digits, dots, dashes or underscores, and begins with a letter or digit.", "编码由 1 至 40 个字母、数字、点、横线或下划线组成，并以字母或数字开头。")
	ErrEarning  = errs.New(errs.Invalid, "program.earning", "The earning rule has a value out of its range.", "积分规则中有超出范围的值。")
	ErrLimits   = errs.New(errs.Invalid, "program.limits", "A limit is out of its range.", "限额超出范围。")
	ErrOffline  = errs.New(errs.Invalid, "program.offline", "A bound for tills without a line is out of its range.", "离线收银的限制超出范围。")
	ErrAddress  = errs.New(errs.Invalid, "program.address", "An address has at most 500 characters.", "地址不能超过 500 个字符。")
)

const (
	maxName    = 200
	maxAddress = 500
	maxCode    = 40
)

// check returns why s cannot be the settings, or nil.
func (s Settings) check() error {
	if err := checkNames(s.NameEN, s.NameZH); err != nil {
		return err
	}
	if _, err := loadZone(s.Zone); err != nil {
		return err
	}
	if _, err := money.Decimals(s.Currency); err != nil {
		return errs.As(err).At("body.currency")
	}
	if !knownLanguages(s.Languages) {
		return ErrLanguage.At("body.languages")
	}
	if err := s.Earning.check(); err != nil {
		return err
	}
	if err := s.Brand.check(); err != nil {
		return err
	}
	if err := s.Offline.check(); err != nil {
		return err
	}
	return s.Limits.check()
}

func (e Earning) check() error {
	switch {
	case !goodCode(e.Currency):
		return ErrCode.At("body.earning.currency")
	case e.Points < 0 || e.Points > 1_000_000:
		return ErrEarning.At("body.earning.points")
	case e.Per < 1 || e.Per > 1_000_000_000:
		return ErrEarning.At("body.earning.per")
	case !e.Rounding.Valid():
		return ErrEarning.At("body.earning.rounding")
	case len(e.Excluded) > maxExcluded:
		return ErrEarning.At("body.earning.excluded_categories")
	case e.PendingDays < 0 || e.PendingDays > maxPending:
		return ErrEarning.At("body.earning.pending_days")
	}
	for _, c := range e.Excluded {
		if c == "" || len(c) > maxName {
			return ErrEarning.At("body.earning.excluded_categories")
		}
	}
	return nil
}

func (l Limits) check() error {
	switch {
	case l.SaleLines < 1 || l.SaleLines > maxSaleLines:
		return ErrLimits.At("body.limits.sale_lines")
	case l.BatchSales < 1 || l.BatchSales > maxBatchSales:
		return ErrLimits.At("body.limits.batch_sales")
	case l.Attributes < 1 || l.Attributes > maxAttributes:
		return ErrLimits.At("body.limits.attributes")
	}
	return nil
}

// loadZone refuses "" and "Local", which Go would read as UTC and as the server's zone.
func loadZone(name string) (*time.Location, error) {
	bad := ErrZone.With("zone", name).At("body.zone")
	if name == "" || name == "Local" || len(name) > 60 {
		return nil, bad
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, bad.Because(err)
	}
	return zone, nil
}

func knownLanguages(list []string) bool {
	seen := map[string]bool{}
	for _, l := range list {
		if l != "zh-CN" && l != "en" || seen[l] {
			return false
		}
		seen[l] = true
	}
	return len(seen) > 0
}

// checkNames wants one name at least; fillNames makes the other.
func checkNames(en, zh string) error {
	if en == "" && zh == "" || len([]rune(en)) > maxName || len([]rune(zh)) > maxName {
		return ErrName.At("body.name_en")
	}
	return nil
}

// fillNames gives a place that is named in one language only the same name in the other.
func fillNames(en, zh string) (string, string) {
	en, zh = strings.TrimSpace(en), strings.TrimSpace(zh)
	if en == "" {
		en = zh
	}
	if zh == "" {
		zh = en
	}
	return en, zh
}

func goodCode(c string) bool {
	if c == "" || len(c) > maxCode {
		return false
	}
	for i, r := range c {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		mark := i > 0 && strings.ContainsRune("._-", r)
		if !letter && !mark {
			return false
		}
	}
	return true
}
