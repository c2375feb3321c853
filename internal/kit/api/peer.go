package api

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the networks of the proxies whose word counts: what they say in
// X-Forwarded-For and X-Forwarded-Proto is believed, and from nobody else.
type Proxies []netip.Prefix

// Has reports whether an address belongs to a named proxy.
func (p Proxies) Has(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(a) })
}

// maxHops bounds how many proxies are followed. Nobody has more in a row.
const maxHops = 16

// PeerAddr is the other end of the connection of a request; the zero Addr where it is none
// of IP. Whose request it is says RequestInfo.
func PeerAddr(req *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(req.RemoteAddr)
	if err != nil {
		host = req.RemoteAddr
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap()
}

// arrive finds out where a request comes from. This is the one place that reads addresses:
// limits, networks of keys and the audit trail go by what it finds.
//
// Of X-Forwarded-For only the part that named proxies wrote is read, from the right: each
// proxy adds the address that it was called from. The first that is no named proxy is the
// caller; what stands left of it the caller may have made up.
func (p Proxies) arrive(req *http.Request, in *Info) {
	peer := PeerAddr(req)
	in.IP, in.Secure = peer.String(), req.TLS != nil
	if !peer.IsValid() {
		in.IP = req.RemoteAddr
	}
	in.Here = peer.IsLoopback() && !forwarded(req.Header)
	if !p.Has(peer) {
		return
	}
	in.Here = false
	in.IP = p.caller(peer, req.Header["X-Forwarded-For"]).String()
	said := last(req.Header["X-Forwarded-Proto"])
	in.Secure = strings.EqualFold(said, "https") || said == "" && req.TLS != nil
}

// caller follows the proxies back from the one that called.
func (p Proxies) caller(peer netip.Addr, lines []string) netip.Addr {
	rest := strings.Join(lines, ",")
	for range maxHops {
		if !p.Has(peer) || rest == "" {
			break
		}
		var one string
		if i := strings.LastIndexByte(rest, ','); i >= 0 {
			rest, one = rest[:i], rest[i+1:]
		} else {
			rest, one = "", rest
		}
		before, err := netip.ParseAddr(strings.TrimSpace(one))
		if err != nil {
			if with, err := netip.ParseAddrPort(strings.TrimSpace(one)); err == nil { // some proxies add the port
				before = with.Addr()
			} else {
				break // not an address: whoever wrote it is as far as it goes
			}
		}
		peer = before.Unmap().WithZone("")
	}
	return peer
}

// last is the last of a list in a header: the others may come from whoever was before the
// proxy that we know.
func last(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	list := lines[len(lines)-1]
	return strings.TrimSpace(list[strings.LastIndexByte(list, ',')+1:])
}

// forwarded reports whether a proxy, named or not, has passed a request on.
func forwarded(h http.Header) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"} {
		if h.Get(name) != "" {
			return true
		}
	}
	return false
}
