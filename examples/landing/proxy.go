package main

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// clientAddress is what customers are told apart by: behind a proxy by what it has seen, else by their connections.
func clientAddress(proxied bool) func(*http.Request) netip.Addr {
	if proxied {
		return forwarded
	}
	return nil
}

// forwarded is where the proxy's connection came from: the last of X-Forwarded-For, which the proxy has appended. What is before
// it anybody can have written. Of a proxy that says nothing all customers are one.
func forwarded(r *http.Request) netip.Addr {
	listed := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	address, _ := netip.ParseAddr(strings.TrimSpace(listed[len(listed)-1]))
	return address
}

// ownHost answers what was asked of the shop's own name. Another name that leads here is somebody else's, whose pages a browser
// would take for the same site.
func ownHost(public string, pages http.Handler) http.Handler {
	own, err := url.Parse(public)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err != nil || !strings.EqualFold(r.Host, own.Host) {
			http.Error(w, http.StatusText(http.StatusMisdirectedRequest), http.StatusMisdirectedRequest)
			return
		}
		pages.ServeHTTP(w, r)
	})
}
