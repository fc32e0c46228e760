package webhooks

import (
	"errors"
	"net"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// address is a registered URL in the form in which signatures cover it.
type address struct {
	scheme string
	host   string // lower case, with the port if it is not the scheme's own
	target string // path and query, as sent
}

// parseAddress reads a registered URL. Its errors name the field URL and never contain the address.
func parseAddress(raw string) (address, error) {
	if raw == "" {
		return address{}, errors.New("URL: must be set")
	}
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || !printable(raw) {
		return address{}, errors.New("URL: must be an absolute URL of printable ASCII")
	}
	host := strings.ToLower(u.Hostname())
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	a := address{scheme: u.Scheme, host: host, target: u.EscapedPath()}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	ownPort := u.Scheme == "https" && port == 443 || u.Scheme == "http" && port == 80
	if u.Port() != "" && !ownPort {
		a.host += ":" + strconv.FormatUint(port, 10)
	}
	if a.target == "" {
		a.target = "/"
	}
	plain := path.Clean(a.target)
	switch {
	case u.Port() != "" && (err != nil || port == 0):
		return address{}, errors.New("URL: the port must be from 1 to 65535")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return address{}, errors.New("URL: must be https, or http on loopback")
	case u.User != nil:
		return address{}, errors.New("URL: must not have a user or a password")
	case strings.Contains(raw, "#"):
		return address{}, errors.New("URL: must not have a fragment")
	case strings.Contains(a.target, "%"):
		return address{}, errors.New("URL: the path must not have percent-encoding, which breaks Vipps MobilePay's signatures")
	case plain != a.target && (plain == "/" || plain+"/" != a.target), strings.Contains(a.target, `\`):
		return address{}, errors.New("URL: the path must not have empty parts, dots as parts or backslashes")
	case u.ForceQuery:
		return address{}, errors.New("URL: must not end with a question mark")
	}
	if u.RawQuery != "" {
		a.target += "?" + u.RawQuery
	}
	return a, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
