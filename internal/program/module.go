package program

import "github.com/patron-loyalty/patron/internal/kit/errs"

// Modules say which parts of the programme are in use. One that is off is not offered, and
// takes nothing new; what it has stays and can be read.
type Modules struct {
	StoredValue bool `json:"stored_value" doc:"Members pay in stored value."`
	Transfers   bool `json:"transfers" doc:"Members give points to each other."`
	Portal      bool `json:"portal" doc:"Members have a portal of their own."`
	Tasks       bool `json:"tasks" doc:"Staff have follow-up tasks."`
	Till        bool `json:"till" doc:"The page for tills is used, with its shifts."`
}

// The modules, as refusals name them.
var (
	StoredValueModule = module{"stored_value", errs.Word{EN: "stored value", ZH: "储值"}, func(m Modules) bool { return m.StoredValue }}
	TransfersModule   = module{"transfers", errs.Word{EN: "transfers", ZH: "转赠"}, func(m Modules) bool { return m.Transfers }}
	PortalModule      = module{"portal", errs.Word{EN: "the portal", ZH: "会员门户"}, func(m Modules) bool { return m.Portal }}
	TasksModule       = module{"tasks", errs.Word{EN: "tasks", ZH: "跟进任务"}, func(m Modules) bool { return m.Tasks }}
	TillModule        = module{"till", errs.Word{EN: "the till", ZH: "收银台"}, func(m Modules) bool { return m.Till }}
)

type module struct {
	name  string
	title errs.Word
	on    func(Modules) bool
}

// ErrOff refuses what belongs to a module that the programme does not use.
var ErrOff = errs.New(errs.Conflict, "program.module_off", "This programme does not use {module}. It is switched on in the settings.", "本计划未启用{module}，可在设置中开启。")

// Uses refuses with ErrOff where a module is off.
func (s *Snapshot) Uses(m module) error {
	if m.on(s.Settings.Modules) {
		return nil
	}
	return ErrOff.With("module", m.title)
}
