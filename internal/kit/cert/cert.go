// Package cert has the certificates that the server speaks TLS with. They come from files
// that somebody else renews (Files), from an authority on the Internet or in the house that
// speaks ACME (ACME), or from a small authority of our own for a shop's network, whose root
// the tablets are told to trust (Authority).
//
// Life: open one of the three, give its Config to the listener, and let Run watch over it
// until the server ends.
//
// Laws:
//   - A certificate is exchanged under the eyes of nobody: connections that are open stay
//     so, and the next handshake gets the new one.
//   - What cannot be read or does not belong together never takes the place of one that works.
//   - The key of our own authority leaves its file never, and can vouch for nothing but
//     private addresses and the names that the authority was made with.
package cert

import (
	"crypto/tls"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// The refusals.
var (
	ErrFiles = errs.New(errs.Invalid, "cert.files",
		"The certificate {cert} and the key {key} cannot be used ({cause}).", "无法使用证书 {cert} 和密钥 {key}（{cause}）。")
	ErrAuthority = errs.New(errs.Invalid, "cert.authority",
		"The local authority in {path} cannot be used ({cause}).", "无法使用 {path} 中的本地证书颁发机构（{cause}）。")
	ErrMode = errs.New(errs.Invalid, "cert.mode",
		"The file {path} can be read by other users of this machine. Set it right with: chmod 600 {path}", "文件 {path} 可被本机其他用户读取。请执行：chmod 600 {path}")
	ErrOutside = errs.New(errs.Invalid, "cert.outside",
		"The local authority was made without the name {name}, and cannot vouch for it. Remove {path} to make a new one; every tablet then has to fetch the root again.",
		"本地证书颁发机构创建时不含名称 {name}，无法为其签发。删除 {path} 可重新创建，之后每台设备须重新安装根证书。")
	ErrRoot = errs.New(errs.Invalid, "cert.acme_root", "The root certificate {path} cannot be used ({cause}).", "无法使用根证书 {path}（{cause}）。")
)

// lookEvery is how often files and addresses are looked at.
const lookEvery = 10 * time.Second

// config is what all sources have in common. Go's own choice of ciphers is better kept than
// ours would be.
func config(get func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: get}
}
