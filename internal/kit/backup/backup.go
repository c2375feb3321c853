// Package backup writes a database into one encrypted file and reads it back.
//
// Life of a backup: Write takes a frozen database and writes it, packed and encrypted with
// age, beside its name; when all of it is on the disk it gets its name (or, where whoever
// made it finds it bad, the ending ".bad"). Open reads it again: the header first, then
// the parts, then the end. A Shelf is a folder of backups made by the calendar, in which
// old ones make way.
//
// Laws:
//   - Nothing is ever held in memory whole.
//   - A file under its final name is complete. A file is never written over.
//   - What was altered anywhere, or cut anywhere, is refused, and by the end of reading at
//     the latest: nothing that was read counts before Reader.End has returned nil.
//   - A backup and one secret, the age identity, are enough: the key file of personal data
//     lies inside.
//   - Pruning removes files of this shelf's own naming only, and never the newest good one.
//
// The format: age, and in it gzip, and in that frames of one letter, a length of four bytes
// and content: h (header), then for each part p (which), d (its content, in pieces), e (its
// end), and z (the end: counts and a SHA-256 of everything before it).
package backup

import (
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// formatVersion is that of the frames and their JSON. A reader refuses a higher one.
const formatVersion = 1

// Header says what a backup is of.
type Header struct {
	Format    int       `json:"format"`
	Program   string    `json:"program"`   // version that wrote it
	Programme string    `json:"programme"` // which installation; see Name of Shelf
	Engine    string    `json:"engine"`
	Schema    []int     `json:"schema"` // the migrations that the database has had
	At        time.Time `json:"at"`     // when the database was as it is in here
	Bytes     int64     `json:"bytes"`  // about how much room the database takes
	Keys      []byte    `json:"keys"`   // the key file of personal data
}

// end is the last frame.
type end struct {
	Parts  int    `json:"parts"`
	SHA256 []byte `json:"sha256"` // of all frames before it
}

// partEnd ends a part.
type partEnd struct {
	Rows int64 `json:"rows"`
}

// The refusals.
var (
	ErrExists = errs.New(errs.Conflict, "backup.exists",
		"{path} is there already, and a backup never writes over a file.", "{path} 已存在，备份不会覆盖已有文件。")
	ErrWrite = errs.New(errs.Conflict, "backup.write",
		"{path} cannot be written: {why}.", "无法写入 {path}：{why}。")
	ErrRead = errs.New(errs.NotFound, "backup.read",
		"{path} cannot be read: {why}.", "无法读取 {path}：{why}。")
	ErrForeign = errs.New(errs.Invalid, "backup.foreign",
		"{path} is no backup of Patron.", "{path} 不是常客的备份文件。")
	ErrKey = errs.New(errs.Invalid, "backup.key",
		"The key does not open {path}: it was encrypted for another one. Name the right one with --identity.",
		"密钥无法打开 {path}：该备份是用另一把密钥加密的。请用 --identity 指定正确的密钥。")
	ErrDamaged = errs.New(errs.Invalid, "backup.damaged",
		"{path} is damaged, or a part of it is missing. Nothing was changed; use another backup.",
		"{path} 已损坏或不完整。数据没有改动，请使用其他备份。")
	ErrFormat = errs.New(errs.Conflict, "backup.format",
		"{path} was written by a newer version of this program ({program}). Install that version or a later one.",
		"{path} 由更新版本的程序（{program}）写入，请安装相同或更新的版本。")
	ErrNoKey = errs.New(errs.NotFound, "backup.no_key",
		"There is no key for backups in {path}. Name its copy with --identity.",
		"{path} 中没有备份密钥，请用 --identity 指定其副本。")
	ErrKeyFile = errs.New(errs.Invalid, "backup.key_file",
		"{path} holds no key for backups (AGE-SECRET-KEY-…).", "{path} 中没有备份密钥（AGE-SECRET-KEY-…）。")
	ErrKeyMode = errs.New(errs.Invalid, "backup.key_mode",
		"The key file {path} can be read by other users of this machine. Set it right with: chmod 600 {path}",
		"密钥文件 {path} 可被本机其他用户读取。请执行：chmod 600 {path}")
	ErrRecipient = errs.New(errs.Invalid, "backup.recipient",
		"backup_recipient is no public key of age (age1…).", "backup_recipient 不是 age 公钥（age1…）。")
)
