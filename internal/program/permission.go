package program

import "github.com/patron-loyalty/patron/internal/kit/api"

// Manage lets a caller change settings, merchants, stores and tills. It stands here, and
// not with the other permissions in staff, because staff is the higher noun: it lists this
// one in its table as ManageProgram, so that there is one table of all of them.
const Manage api.Permission = "program.manage"
