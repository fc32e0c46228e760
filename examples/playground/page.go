package main

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"rsc.io/qr"

	"github.com/vippsvending/vipps/vending"
)

//go:embed page
var files embed.FS

var index = template.Must(template.New("index.html").Funcs(template.FuncMap{
	"price": func(value int64) string { return fmt.Sprintf("%d.%02d", value/100, value%100) },
	"keys":  func() []string { return strings.Split("ABCD123", "") },
}).ParseFS(files, "page/*.html"))

// policy lets the page load what this server has and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors "

// pages is what the browser sees.
func (p *playground) pages() http.Handler {
	static, err := fs.Sub(files, "page")
	if err != nil {
		panic(err) // the folder is embedded
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.index)
	mux.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(static)))
	mux.Handle("GET /favicon.ico", http.RedirectHandler("/static/icon.svg", http.StatusSeeOther))
	mux.HandleFunc("GET /events", p.events)
	mux.HandleFunc("GET /code", p.draw)
	mux.HandleFunc("POST /do", p.pressed)
	mux.HandleFunc("GET /landing", p.landing)
	mux.Handle(pagesPath+"/", p.proxy())
	return arrived(p.guard(mux))
}

// What the front takes: the longest form of a page is shorter.
const (
	bodyTime = 10 * time.Second
	maxForm  = 64 << 10
)

// arrived waits for what is sent with a request, so that whoever sends a byte at a time does not keep a connection. A timeout of
// the server would end the streams of events too.
func arrived(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 {
			next.ServeHTTP(w, r)
			return
		}
		connection := http.NewResponseController(w)
		_ = connection.SetReadDeadline(time.Now().Add(bodyTime)) // a test's has none
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
		if err != nil { // the limit stays, since the server would read the rest
			http.Error(w, "this has not arrived, or is too long", http.StatusBadRequest)
			return
		}
		_ = connection.SetReadDeadline(time.Time{}) // as above
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		next.ServeHTTP(w, r)
	})
}

// guard keeps other sites out.
func (p *playground) guard(next http.Handler) http.Handler {
	sameSite := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy+"'none'")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		fromOutside := p.public != "" && r.Host == p.public && strings.HasPrefix(r.URL.Path, pagesPath+"/") // a customer's own phone
		if !ownName(r.Host) && !fromOutside {
			http.Error(w, "this page is for people on this machine", http.StatusMisdirectedRequest)
			return
		}
		if err := sameSite.Check(r); err != nil {
			http.Error(w, "this request belongs to another site", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ownName says that the page was asked for by a name of this machine: a site whose name is made to point here is somebody
// else's, although the browser takes it for the same.
func ownName(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	ip := net.ParseIP(strings.Trim(name, "[]"))
	return name == "localhost" || ip != nil && ip.IsLoopback()
}

func (p *playground) index(w http.ResponseWriter, _ *http.Request) {
	type group struct {
		Name, Line string
		Faults     []fault
	}
	var groups []group
	for _, f := range faultList {
		if f.Emulator && p.emulator == nil {
			continue
		}
		if len(groups) == 0 || groups[len(groups)-1].Name != f.Group {
			groups = append(groups, group{Name: f.Group, Line: faultGroups[f.Group]})
		}
		last := &groups[len(groups)-1]
		last.Faults = append(last.Faults, f)
	}
	var page bytes.Buffer
	if err := index.Execute(&page, map[string]any{
		"Doors": doors, "Catalog": catalog, "Groups": groups, "Emulator": p.emulator != nil, "Where": p.where, "Number": number,
		"States": []vending.State{vending.Opening, vending.Waiting, vending.Choosing, vending.Vending, vending.Settling, vending.Closed},
	}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = page.WriteTo(w) // a browser that has gone does not read it
}

// events sends the view whenever it is another one.
func (p *playground) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	answer := http.NewResponseController(w)
	tick := time.NewTicker(time.Second) // the screen changes by itself too
	defer tick.Stop()
	var sent []byte
	for {
		next := p.moved()
		view, err := json.Marshal(p.view())
		if err != nil {
			return
		}
		if !bytes.Equal(view, sent) {
			if _, err := fmt.Fprintf(w, "data: %s\n\n", view); err != nil {
				return
			}
			if err := answer.Flush(); err != nil {
				return
			}
			sent = view
		}
		select { // at most so often
		case <-time.After(40 * time.Millisecond):
		case <-r.Context().Done():
			return
		}
		select {
		case <-next:
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

// pressed is a button of the page.
func (p *playground) pressed(w http.ResponseWriter, r *http.Request) {
	var a action
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		http.Error(w, "send application/json", http.StatusUnsupportedMediaType)
		return
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<12)).Decode(&a); err != nil {
		http.Error(w, "this is no action", http.StatusBadRequest)
		return
	}
	var said struct {
		Error string `json:"error,omitzero"`
	}
	if err := p.act(a); err != nil {
		said.Error = err.Error() // an answer as any other: for a status of 4xx browsers log an error, and there is none
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(said) // a browser that has gone does not read it
}

// mark stands for what a code says, which is not for the address of a picture.
func mark(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:8])
}

// draw gives the code that a mark stands for, as long as there is one. The page may be a door behind.
func (p *playground) draw(w http.ResponseWriter, r *http.Request) {
	wanted := r.URL.Query().Get("mark")
	content := ""
	p.mu.Lock()
	for _, code := range p.code {
		if mark(code) == wanted {
			content = code
		}
	}
	for _, s := range p.sales {
		if s.Code != "" && mark(s.Code) == wanted {
			content = s.Code
		}
	}
	p.mu.Unlock()
	if content == "" {
		http.NotFound(w, r)
		return
	}
	code, err := qr.Encode(content, qr.L)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(picture(code)) // as above
}

// picture draws a code with the border that a scanner needs.
func picture(code *qr.Code) []byte {
	const border = 4
	size := code.Size + 2*border
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%[1]dv%[1]dH0z"/><path d="`, size, size)
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x+border, y+border)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.Bytes()
}

// landing is where a page sends the browser to pay: the app opens.
func (p *playground) landing(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", policy+"'self'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if err := p.opened(r.URL.Query().Get("token")); err != nil {
		w.WriteHeader(http.StatusNotFound)
		_ = index.ExecuteTemplate(w, "small.html", "This payment is not known.") // as above
		return
	}
	_ = index.ExecuteTemplate(w, "small.html", "The app opens…") // as above
}

// pagesPath is where the operator's pages are.
const pagesPath = "/m"

// proxy brings the customer's browser to the controller's pages, which are meant to stand alone: the phone's frame is ours.
func (p *playground) proxy() http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: p.child.address()})
			r.Out.Host = r.In.Host
		},
		Transport:     p.client.Transport,
		FlushInterval: -1,
		ModifyResponse: func(r *http.Response) error {
			own := r.Header.Get("Content-Security-Policy")
			r.Header.Set("Content-Security-Policy", strings.Replace(own, "frame-ancestors 'none'", "frame-ancestors 'self'", 1))
			r.Header.Del("X-Frame-Options")
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.Header().Set("Content-Security-Policy", policy+"'self'")
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Refresh", "1")
			w.WriteHeader(http.StatusBadGateway)
			_ = index.ExecuteTemplate(w, "small.html", "The machine has no power. Trying again…") // as above
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		clear(w.Header()) // the pages bring their own
		proxy.ServeHTTP(w, r)
	})
}
