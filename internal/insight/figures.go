package insight

import (
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/program"
)

// Unit says how a figure is read.
type Unit string

// The units.
const (
	Count  Unit = "count"
	Money  Unit = "money"        // minor units of the report's currency
	Points Unit = "points"       // the smallest unit of the report's point currency
	Share  Unit = "basis_points" // hundredths of a percent
)

// Term is what is said of a figure or report: in a word, in a line, and at length.
type Term struct{ title, definition, explanation [2]string } // English, Chinese

// pick is 0 for English and 1 for Chinese.
func pick(lang string) int {
	if lang == "en" {
		return 0
	}
	return 1
}

// figure is one number of the dashboard.
type figure struct {
	key  string
	unit Unit
	Term
	formula string
	// of gives the figure over days, both included; false where it has none.
	of func(d *daily, from, to program.Day) (int64, bool)
	// whole: only for the programme as a whole. one: only for a single store or merchant, or
	// for all.
	whole, one bool
}

func sumOf(t table, of func(r *row) int64) func(*daily, program.Day, program.Day) (int64, bool) {
	return func(d *daily, from, to program.Day) (n int64, _ bool) {
		for day := from; day <= to; day++ {
			if r := d.sums[t][day]; r != nil {
				n += of(r)
			}
		}
		return n, true
	}
}

// figures are those of the dashboard, in their order.
var figures = []figure{
	{
		key: "sales_total", unit: Money, formula: "Σ sale.total − Σ return.total",
		Term: Term{
			title:      [2]string{"Sales", "销售额"},
			definition: [2]string{"Purchases less returns, with and without members.", "销售减退货，含会员与非会员。"},
			explanation: [2]string{
				"What was paid for purchases made in the period, less what was given back for returns made in it, whenever their sale was. In one currency of money; sales in others are not in it. A sale that was recorded late counts on the day on which it was made.",
				"期间内销售的实付金额，减去期间内退货的退款金额（不论原销售发生在何时）。只含一种货币，其他货币的销售不计入。补录的销售计入其实际发生的那一天。",
			},
		},
		of: sumOf(daySale, func(r *row) int64 { return r[total] - r[returned] }),
	},
	{
		key: "sales_count", unit: Count, formula: "count(sale)",
		Term: Term{
			title:      [2]string{"Purchases", "销售笔数"},
			definition: [2]string{"Sale documents, returns not taken off.", "销售单据数，不扣减退货。"},
			explanation: [2]string{
				"How many purchases were made in the period in this currency, with and without members. A purchase that was returned later is still one.",
				"期间内以该货币成交的销售笔数，含会员与非会员。事后退货的销售仍计一笔。",
			},
		},
		of: sumOf(daySale, func(r *row) int64 { return r[sales] }),
	},
	{
		key: "returns_total", unit: Money, formula: "Σ return.total",
		Term: Term{
			title:      [2]string{"Returns", "退货额"},
			definition: [2]string{"Given back for returns, on the day of the return.", "退货退款额，按退货当天计。"},
			explanation: [2]string{
				"What was given back for returns made in the period, whenever their sale was. Returns that wait for their sale, and lines that match no sale, are not in it.",
				"期间内退货的退款金额，不论原销售发生在何时。等待原销售的退货和未匹配的行不计入。",
			},
		},
		of: sumOf(daySale, func(r *row) int64 { return r[returned] }),
	},
	{
		key: "participation", unit: Share, formula: "(member sales − member returns) ÷ (sales − returns), by money",
		Term: Term{
			title:      [2]string{"Member share", "会员销售占比"},
			definition: [2]string{"Part of sales, by money, that members made.", "会员销售额占全部销售额的比例。"},
			explanation: [2]string{
				"Purchases less returns of members, divided by purchases less returns of everybody, by money. A sale that is assigned to a member later counts as theirs on the day of the sale.",
				"会员的销售减退货，除以全部销售减退货，按金额计。事后认领的销售从销售当天起算作该会员的。",
			},
		},
		of: func(d *daily, from, to program.Day) (int64, bool) {
			all, _ := sumOf(daySale, func(r *row) int64 { return r[total] - r[returned] })(d, from, to)
			mine, _ := sumOf(daySale, func(r *row) int64 { return r[memberTotal] - r[memberReturned] })(d, from, to)
			return share(mine, all)
		},
	},
	{
		key: "members_joined", unit: Count, formula: "count(member by joined_at)",
		Term: Term{
			title:      [2]string{"Members joined", "新增会员"},
			definition: [2]string{"Records by the day on which they joined.", "按入会日期计的会员数。"},
			explanation: [2]string{
				"How many members joined in the period, by the date of joining, which an import may set in the past. Of a store: those who joined in it. Records that were merged or erased later stay counted.",
				"期间内入会的会员数，按入会日期计（导入可写入过去的日期）。按门店查看时为在该店入会的会员。之后合并或删除的记录仍计入。",
			},
		},
		of: sumOf(dayMember, func(r *row) int64 { return r[0] }),
	},
	{
		key: "active_members", unit: Count, formula: "count(distinct member with a purchase)", one: true,
		Term: Term{
			title:      [2]string{"Active members", "活跃会员"},
			definition: [2]string{"Different members with at least one purchase.", "至少有一笔销售的会员数，去重。"},
			explanation: [2]string{
				"How many different members bought something in the period, each counted once however often. Of a month, it is exact, not the sum of its days. A purchase that was returned later still counts. It is not given for a choice of several stores.",
				"期间内有过销售的会员数，每人只计一次。按月时为精确去重数，不是每日之和。事后退货的销售仍计入。同时选多家门店时不提供。",
			},
		},
		of: func(d *daily, from, to program.Day) (n int64, _ bool) {
			if d.active == nil {
				return 0, false
			}
			if from == to {
				return d.active[to][0], true
			}
			for day := from; day <= to; day++ {
				n += d.active[day][1]
			}
			return n, true
		},
	},
	{
		key: "points_issued", unit: Points, formula: "Σ earn + Σ topup",
		Term: Term{
			title:      [2]string{"Points issued", "发放积分"},
			definition: [2]string{"Granted and pending, before anything was taken back.", "已发放与待入账，未扣减收回。"},
			explanation: [2]string{
				"What members were granted in the period: earned by sales, by events and by hand, and paid in; usable at once or later. Opening balances, corrections and transfers are not in it, and what returns took back is shown by itself.",
				"期间内发给会员的积分：销售、事件、人工获得以及充值；含待入账。期初、人工调整与转赠不计入，退货收回的另列。",
			},
		},
		of: sumOf(dayPoint, func(r *row) int64 { return r[issued] }),
	},
	{
		key: "points_clawed_back", unit: Points, formula: "Σ clawback",
		Term: Term{
			title:      [2]string{"Points taken back", "收回积分"},
			definition: [2]string{"Taken back by returns.", "因退货收回的积分。"},
			explanation: [2]string{
				"What returns made in the period took back of what their sales had earned, also where the member owes it now.",
				"期间内退货所收回的、原销售获得的积分，含形成欠分的部分。",
			},
		},
		of: sumOf(dayPoint, func(r *row) int64 { return r[clawed] }),
	},
	{
		key: "points_redeemed", unit: Points, formula: "Σ spend + Σ capture − Σ restore",
		Term: Term{
			title:      [2]string{"Points used", "使用积分"},
			definition: [2]string{"Used and captured from holds, less what returns gave back.", "使用与冻结扣取，减退货退回。"},
			explanation: [2]string{
				"What members used in the period, also out of holds, less what returns made in it gave back to them. What expired is not in it.",
				"期间内会员使用的积分（含从冻结中扣取），减去退货退回的积分。到期的不计入。",
			},
		},
		of: sumOf(dayPoint, func(r *row) int64 { return r[redeemed] - r[restored] }),
	},
	{
		key: "points_expired", unit: Points, formula: "Σ expire", whole: true,
		Term: Term{
			title:      [2]string{"Points expired", "到期积分"},
			definition: [2]string{"Ended unused.", "未使用而到期的积分。"},
			explanation: [2]string{
				"What ended unused in the period, on the day on which it ended. Written down by the hourly run, so the last hour may be missing. Points do not expire in a store: it is given for the programme only.",
				"期间内未使用而到期的积分，计入到期当天。由每小时任务入账，因此最近一小时可能尚未计入。到期不属于任何门店，只按整个计划提供。",
			},
		},
		of: sumOf(dayPoint, func(r *row) int64 { return r[expired] }),
	},
	{
		key: "points_outstanding", unit: Points, formula: "Σ net of all entries up to the end of the period", whole: true,
		Term: Term{
			title:      [2]string{"Points owed", "未使用积分"},
			definition: [2]string{"Pending, usable and held, less debts, at the end of the period.", "期末待入账、可用与冻结之和，减欠分。"},
			explanation: [2]string{
				"What the programme owes its members at the end of the period: all that was ever granted, less all that was used, expired or taken back. It is the sum of all wallets, and agrees with net of the liability report. A member may use points in any store, so it is given for the programme only.",
				"期末计划欠会员的积分：累计发放减去累计使用、到期与收回，等于所有钱包之和，与负债报表的净额一致。会员可在任何门店使用积分，因此只按整个计划提供。",
			},
		},
		of: func(d *daily, from, to program.Day) (n int64, _ bool) {
			for day, r := range d.sums[dayPoint] {
				if day <= to {
					n += r[net]
				}
			}
			return n + d.netBefore, true
		},
	},
}

// share is a part of a whole in hundredths of a percent, rounded half up; none of nothing.
func share(part, all int64) (int64, bool) {
	if all <= 0 || part < 0 || part > all {
		return 0, false
	}
	return money.MulDiv(part, 10_000, all, money.HalfUp)
}

// figureOf finds a figure by its key.
func figureOf(key string) *figure {
	for i := range figures {
		if figures[i].key == key {
			return &figures[i]
		}
	}
	panic("insight: no figure " + key)
}

// charted are the figures that are shown day by day.
var charted = []string{"sales_total", "sales_count", "members_joined", "active_members", "points_issued", "points_redeemed", "points_expired"}
