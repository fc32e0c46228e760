package landing

import (
	"html/template"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Site is the pages of all machines: an http.Handler to be mounted at Config.Path. It is safe for concurrent use, keeps
// nothing that another process would need, and has nothing to close unless it is to be left quickly; see [Site.Close].
type Site struct {
	config    Config
	mux       *http.ServeMux
	origin    *http.CrossOriginProtection
	templates *template.Template
	assets    assets
	addresses *limiter[netip.Addr]
	networks  *limiter[netip.Addr] // of many addresses
	places    *limiter[place]
	viewers   seats
	secure    bool   // customers come over https
	policy    string // for the content of pages
	closed    chan struct{}
	close     sync.Once
}

// New checks the configuration, tries the templates and makes a Site. The error names every field that is wrong and matches
// [vipps.ErrInvalidRequest].
func New(config Config) (*Site, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	config.setDefaults()
	s := &Site{
		config:    config,
		mux:       http.NewServeMux(),
		origin:    http.NewCrossOriginProtection(),
		assets:    newAssets(config.Logo),
		addresses: newLimiter[netip.Addr](config.Limits.Address),
		networks:  newLimiter[netip.Addr](Rate{wideShare * config.Limits.Address.Burst, config.Limits.Address.Every / wideShare}),
		places:    newLimiter[place](config.Limits.Machine),
		viewers:   seats{all: config.Limits.Live, each: config.Limits.LivePerAddress, near: map[netip.Addr]int{}, wide: map[netip.Addr]int{}},
		secure:    strings.HasPrefix(config.Operator.ReturnURL(), "https:"),
		closed:    make(chan struct{}),
	}
	actions := "'self' https:" // after paying, the form is redirected to the app, whose addresses may change
	if !s.secure {
		actions += " http:" // to an emulator
	}
	s.policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action " + actions + "; base-uri 'none'; frame-ancestors 'none'"
	var err error
	if s.templates, err = readTemplates(config.Templates); err != nil {
		return nil, err
	}
	if err := s.tryTemplates(); err != nil {
		return nil, err
	}
	s.origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.refuse(w, r, Machine{}, "", foreign) }))
	for pattern, handle := range map[string]http.HandlerFunc{
		// A machine has one path segment and everything else two or more, so that a machine may have any name.
		"GET {path}/{machine}":           s.showMachine,
		"POST {path}/{machine}":          s.pay,
		"GET {path}/live/{machine}":      s.followMachine,
		"GET {path}/s/{token}":           s.showStatus,
		"GET {path}/s/{token}/live":      s.followStatus,
		"POST {path}/s/{token}/continue": s.continuePaying,
		"POST {path}/s/{token}/cancel":   s.giveUp,
		"POST {path}/s/{token}/done":     s.complete,
		"GET {path}/s/{token}/{button}":  s.showButton, // a link to another language, on the page that a button has answered
		"GET {path}/assets/{name}":       s.assets.serve,
		"GET {path}/{machine}/{$}":       s.tidy,
		"GET {path}/":                    s.nowhere,
	} {
		s.mux.HandleFunc(strings.Replace(pattern, "{path}", config.Path, 1), handle)
	}
	return s, nil
}

// Close ends the connections that keep pages up to date. They would hold up [http.Server.Shutdown], which does not end them:
// give it to RegisterOnShutdown. Pages that are open ask again by themselves.
func (s *Site) Close() { s.close.Do(func() { close(s.closed) }) }

// maxQuery and maxBody bound what a browser sends.
const (
	maxQuery = 1 << 10
	maxBody  = 64 << 10
)

// ServeHTTP answers a request for one of the pages.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 { // whoever sends a byte at a time does not keep a connection, read or not
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(formTime)) // not every server has one
	}
	header := w.Header()
	header.Set("Content-Security-Policy", s.policy)
	header.Set("Referrer-Policy", "same-origin") // the address of a status page is a secret
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Robots-Tag", "noindex")
	header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	header.Set("Cache-Control", "no-store")
	header.Set("Vary", "Accept-Language, Cookie")
	if len(r.URL.RawQuery) > maxQuery {
		http.Error(w, http.StatusText(http.StatusRequestURITooLong), http.StatusRequestURITooLong)
		return
	}
	s.origin.Handler(s.mux).ServeHTTP(w, r)
}
