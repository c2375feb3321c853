package staff

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// maxNetworks bounds the list of a key: it is gone through at every request.
const maxNetworks = 20

var (
	// ErrNetworks refuses a list of what are no networks.
	ErrNetworks = errs.New(errs.Invalid, "staff.networks", "Up to {most} addresses or networks, as in 203.0.113.7 or 203.0.113.0/24.", "最多 {most} 个 IP 地址或网段，如 203.0.113.7 或 203.0.113.0/24。")
	// ErrNetwork refuses a key outside of its networks. It says so: whoever bears the key knows
	// it is one, and an operator has to find out why it does not work.
	ErrNetwork = errs.New(errs.Forbidden, "staff.network", "This key may not be used from this address.", "此密钥不允许从该地址使用。")
)

// parseNetworks reads addresses and networks, without doubles, sorted.
func parseNetworks(texts []string) ([]netip.Prefix, error) {
	bad := ErrNetworks.With("most", maxNetworks).At("body.networks")
	if len(texts) > maxNetworks {
		return nil, bad
	}
	var list []netip.Prefix
	for _, text := range texts {
		p, err := parseNetwork(text)
		if err != nil || p.Addr().Is4In6() {
			return nil, bad
		}
		list = append(list, p.Masked())
	}
	slices.SortFunc(list, func(a, b netip.Prefix) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(list), nil
}

// parseNetwork reads a network, or an address as the network that is it alone. A zone is of
// no meaning elsewhere, and is refused.
func parseNetwork(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		return netip.ParsePrefix(text) // takes no zone
	}
	a, err := netip.ParseAddr(text)
	if err == nil && a.Zone() != "" {
		err = ErrNetworks
	}
	return netip.PrefixFrom(a, a.BitLen()), err
}

// networkTexts writes networks as people do.
func networkTexts(list []netip.Prefix) []string {
	out := make([]string, len(list))
	for i, p := range list {
		out[i] = p.String()
	}
	return out
}

// networkColumn and columnNetworks are how the table keeps them.
func networkColumn(list []netip.Prefix) string {
	b, err := json.Marshal(networkTexts(list))
	if err != nil {
		panic("staff: " + err.Error()) // texts always marshal
	}
	return string(b)
}

func columnNetworks(text string) ([]netip.Prefix, error) {
	var texts []string
	if err := json.Unmarshal([]byte(text), &texts); err != nil {
		return nil, err
	}
	list, err := parseNetworks(texts)
	if err != nil {
		return nil, fmt.Errorf("networks %q", text)
	}
	return list, nil
}

// within reports whether an address lies in one of the networks; in none where it is no
// address. Without networks every address does.
func within(list []netip.Prefix, ip string) bool {
	if len(list) == 0 {
		return true
	}
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return false
	}
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}
