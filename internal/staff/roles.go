package staff

import (
	"slices"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/program"
)

// The permissions. A route needs one of them; a role gives a set; an API key names its
// own. The words are kept in keys, so they never change their meaning.
const (
	ReadMembers   api.Permission = "members.read"   // see people, their identifiers and their timeline
	ServeMembers  api.Permission = "members.write"  // enrol people and change what they say of themselves
	ManageMembers api.Permission = "members.manage" // merge, block, erase, change the attribute schema

	ReadSales  api.Permission = "sales.read"  // see purchases and returns
	WriteSales api.Permission = "sales.write" // record purchases and returns, assign a purchase to a member

	ReadPoints    api.Permission = "points.read"    // see wallets, entries and statements
	MovePoints    api.Permission = "points.write"   // earn, spend, hold, transfer, top up
	AdjustPoints  api.Permission = "points.adjust"  // correct a balance with a reason
	ApprovePoints api.Permission = "points.approve" // be the second person for a large correction

	ReadCatalog  api.Permission = "catalog.read"  // see products, categories and prices
	WriteCatalog api.Permission = "catalog.write" // change products, categories and prices

	ReadRules  api.Permission = "rules.read"  // see rules, offers, tiers and plans
	WriteRules api.Permission = "rules.write" // change, publish and end them

	ReadEvents  api.Permission = "events.read"  // follow the domain events
	WriteEvents api.Permission = "events.write" // tell of visits and other happenings

	ReadReports api.Permission = "reports.read" // run reports; no person is named in them

	ExportLists api.Permission = "lists.export" // write the lists that one may read to files
	ImportLists api.Permission = "lists.import" // bring files in

	ManageProgram                = program.Manage   // change settings, merchants, stores and tills
	ManageStaff   api.Permission = "staff.manage"   // add, limit and disable staff, end their sessions
	ManageKeys    api.Permission = "keys.manage"    // make and revoke API keys
	ReadAudit     api.Permission = "audit.read"     // read the audit trail
	Operate       api.Permission = "system.operate" // back up, verify, run jobs by hand
)

// Role is the name of a set of permissions.
type Role string

// The roles, in the order of the columns of the table.
const (
	Owner      Role = "owner"      // everything; there is always one
	Manager    Role = "manager"    // runs the business, not the accounts
	Cashier    Role = "cashier"    // serves at a till
	Agent      Role = "agent"      // answers members; corrects small mistakes
	Analyst    Role = "analyst"    // reads figures, never people
	Auditor    Role = "auditor"    // reads everything, changes nothing
	Integrator Role = "integrator" // connects other systems
)

// grant is one row of the table: a permission, what it is called, and who has it.
type grant struct {
	roles      string // "x" or "." for each role, in order
	Permission api.Permission
	EN, ZH     string
}

// table is the one place that says which role may do what.
var table = []grant{
	// owner, manager, cashier, agent, analyst, auditor, integrator
	{"x x x x . x x", ReadMembers, "See members", "查看会员"},
	{"x x x x . . x", ServeMembers, "Enrol and edit members", "登记和编辑会员"},
	{"x x . . . . .", ManageMembers, "Merge, block and erase members", "合并、冻结和删除会员"},
	{"x x x x x x x", ReadSales, "See sales", "查看交易"},
	{"x x x . . . x", WriteSales, "Record sales and returns", "录入交易和退货"},
	{"x x x x x x x", ReadPoints, "See points", "查看积分"},
	{"x x x . . . x", MovePoints, "Earn, spend and transfer points", "发放、使用和转赠积分"},
	{"x x . x . . .", AdjustPoints, "Adjust points", "调整积分"},
	{"x x . . . . .", ApprovePoints, "Approve adjustments", "审批积分调整"},
	{"x x x x x x x", ReadCatalog, "See products", "查看商品"},
	{"x x . . . . x", WriteCatalog, "Edit products", "编辑商品"},
	{"x x x x x x x", ReadRules, "See rules, offers, tiers and plans", "查看规则、活动、等级与付费会员"},
	{"x x . . . . .", WriteRules, "Edit rules, offers, tiers and plans", "编辑规则、活动、等级与付费会员"},
	{"x x . x x x x", ReadEvents, "Follow events", "查看事件"},
	{"x x x . . . x", WriteEvents, "Send events", "发送事件"},
	{"x x . . x x .", ReadReports, "Run reports", "查看报表"},
	{"x x . . x x .", ExportLists, "Export lists", "导出列表"},
	{"x x . . . . .", ImportLists, "Import files", "导入文件"},
	{"x x . . . . .", ManageProgram, "Manage programme and stores", "管理计划和门店"},
	{"x . . . . . .", ManageStaff, "Manage staff", "管理员工"},
	{"x . . . . . x", ManageKeys, "Manage API keys", "管理 API 密钥"},
	{"x . . . . x .", ReadAudit, "Read the audit trail", "查看审计日志"},
	{"x . . . . . .", Operate, "Operate the system", "系统运维"},
}

// columns are the roles in the order of the table, with their names for people.
var columns = []struct {
	Role   Role
	EN, ZH string
}{
	{Owner, "Owner", "所有者"},
	{Manager, "Manager", "经理"},
	{Cashier, "Cashier", "收银员"},
	{Agent, "Service agent", "客服"},
	{Analyst, "Analyst", "分析员"},
	{Auditor, "Auditor", "审计员"},
	{Integrator, "Integrator", "集成人员"},
}

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool { return r.column() >= 0 }

func (r Role) column() int {
	for i, c := range columns {
		if c.Role == r {
			return i
		}
	}
	return -1
}

// Can is the set of permissions of a role, in a map of its own; empty for no role.
func (r Role) Can() map[api.Permission]bool {
	can := map[api.Permission]bool{}
	column := r.column()
	for _, g := range table {
		if column >= 0 && strings.Fields(g.roles)[column] == "x" {
			can[g.Permission] = true
		}
	}
	return can
}

// Permissions lists every permission, in the order of the table.
func Permissions() []api.Permission {
	list := make([]api.Permission, len(table))
	for i, g := range table {
		list[i] = g.Permission
	}
	return list
}

// All is the scope of an API key that may do everything, also what later versions add.
const All = "all"

// scope is the set of permissions that the scopes of a key name.
func scope(names []string) map[api.Permission]bool {
	if slices.Contains(names, All) {
		return Owner.Can()
	}
	can := map[api.Permission]bool{}
	for _, name := range names {
		can[api.Permission(name)] = true
	}
	return can
}

// covers reports whether have holds all of want: nobody gives what they do not have.
func covers(have, want map[api.Permission]bool) bool {
	for p := range want {
		if !have[p] {
			return false
		}
	}
	return true
}
