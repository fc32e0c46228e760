package qr_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/qr"
)

const svg = `<?xml version="1.0" encoding="utf-8"?>` + "\n" + `<svg xmlns="http://www.w3.org/2000/svg"></svg>`

func pngImage(t *testing.T) string {
	t.Helper()
	var buffer bytes.Buffer
	if err := png.Encode(&buffer, image.NewGray(image.Rect(0, 0, 10, 10))); err != nil {
		t.Fatal(err)
	}
	return buffer.String()
}

func TestFetchImage(t *testing.T) {
	t.Parallel()
	drawn := pngImage(t)
	for name, test := range map[string]struct {
		status      int
		contentType string
		body        string
		most        int64
		want        qr.Format
		text        string
	}{
		"PNG":              {200, "image/png", drawn, 0, qr.PNG, ""},
		"SVG":              {200, "image/svg+xml; charset=utf-8", svg, 0, qr.SVG, ""},
		"SVG with a mark":  {200, "text/xml", "\xef\xbb\xbf<!-- c -->" + svg[strings.Index(svg, "<svg"):], 0, qr.SVG, ""},
		"bytes":            {200, "application/octet-stream", drawn, 0, qr.PNG, ""},
		"just right":       {200, "image/png", drawn, int64(len(drawn)), qr.PNG, ""},
		"too large":        {200, "image/png", drawn, int64(len(drawn)) - 1, "", "larger than"},
		"page":             {200, "text/html", "<html><svg/></html>", 0, "", "neither"},
		"page as an image": {200, "image/png", "<html>", 0, "", "neither"},
		"image as a page":  {200, "text/html", drawn, 0, "", "another content type"},
		"SVG as a PNG":     {200, "image/png", svg, 0, "", "another content type"},
		"broken type":      {200, "image/", svg, 0, "", "another content type"},
		"JPEG":             {200, "image/jpeg", "\xff\xd8\xff\xe0", 0, "", "neither"},
		"text":             {200, "text/plain", "CANARY", 0, "", "neither"},
		"empty":            {200, "image/png", "", 0, "", "neither"},
		"no content":       {204, "", "", 0, "", "204"},
		"expired":          {404, "text/html", "CANARY", 0, "", "404"},
		"failed":           {500, "", "", 0, "", "500"},
		"moved nowhere":    {302, "", "", 0, "", "302"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{test.contentType}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}))
			t.Cleanup(server.Close)
			got, err := qr.FetchImage(t.Context(), server.URL+"/qr.png?token=CANARY", qr.FetchOptions{MaxBytes: test.most})
			if test.want != "" {
				if err != nil || got.Format != test.want || string(got.Data) != test.body {
					t.Errorf("%v, %v", got, err)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), "qr.FetchImage: ") || !strings.Contains(err.Error(), test.text) || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("%v", err)
			}
			if errors.Is(err, vipps.ErrNotFound) != (test.status == 404) || errors.Is(err, vipps.ErrOutcomeUnknown) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestFetchImageRedirects follows only what is safe, and tells nobody where it comes from.
func TestFetchImageRedirects(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		first, location, text string
	}{
		{"https://a.example/x", "https://b.example/end", ""},
		{"https://a.example/x", "/end", ""},
		{"http://127.0.0.1:1/x", "http://localhost/end", ""},
		{"http://[::1]/x", "https://b.example/end", ""},
		{"https://a.example/x", "http://b.example/CANARY", "not https"},
		{"https://a.example/x", "http://localhost/CANARY", "not https"},
		{"https://a.example/x", "file:///etc/CANARY", "not https"},
		{"https://a.example/x", "https://CANARY@b.example/end", "not https"},
		{"https://a.example/x", "%zzCANARY", "not https"},
		{"https://a.example/x", "https://a.example/x", "on and on"},
	} {
		transport := roundTrip(func(r *http.Request) (*http.Response, error) {
			recorder := httptest.NewRecorder()
			for _, name := range []string{"Authorization", "Referer", "Cookie", "Ocp-Apim-Subscription-Key", "Merchant-Serial-Number"} {
				if r.Header.Get(name) != "" {
					t.Errorf("%s is sent", name)
				}
			}
			if r.URL.Path == "/end" {
				_, _ = io.WriteString(recorder, svg)
			} else {
				recorder.Header().Set("Location", test.location)
				recorder.WriteHeader(http.StatusFound)
			}
			return recorder.Result(), nil
		})
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		jar.SetCookies(&url.URL{Scheme: "https", Host: "a.example", Path: "/"}, []*http.Cookie{{Name: "a", Value: "b"}})
		_, err = qr.FetchImage(t.Context(), test.first, qr.FetchOptions{HTTPClient: &http.Client{Transport: transport, Jar: jar}})
		if (err == nil) != (test.text == "") || err != nil && (!strings.Contains(err.Error(), test.text) || strings.Contains(err.Error(), "CANARY")) {
			t.Errorf("%s to %s: %v", test.first, test.location, err)
		}
	}
}

func TestFetchImageRefuses(t *testing.T) {
	t.Parallel()
	transport := roundTrip(func(r *http.Request) (*http.Response, error) {
		t.Errorf("sent %s", r.URL)
		return nil, io.EOF
	})
	options := qr.FetchOptions{HTTPClient: &http.Client{Transport: transport}}
	for _, address := range []string{
		"", "qr.vipps.no/CANARY", "http://qr.vipps.no/CANARY", "http://localhost.example/CANARY", "https:///CANARY", "file:///CANARY",
		"data:image/png;base64,CANARY", "https://user:CANARY@qr.vipps.no/", "https://qr.vipps.no/%zzCANARY",
	} {
		_, err := qr.FetchImage(t.Context(), address, options)
		if !errors.Is(err, vipps.ErrInvalidRequest) || !strings.Contains(err.Error(), "address: ") || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %v", address, err)
		}
	}
	options.MaxBytes = -1
	if _, err := qr.FetchImage(t.Context(), "https://a.example", options); !errors.Is(err, vipps.ErrInvalidRequest) {
		t.Errorf("%v", err)
	}
}

// TestFetchImageFails has a transport that says too much.
func TestFetchImageFails(t *testing.T) {
	t.Parallel()
	const address = "https://a.example/qr.png?token=CANARY"
	for name, test := range map[string]struct {
		err  error
		want error
	}{
		"wrapped": {&url.Error{Op: "Get", URL: address, Err: io.EOF}, io.EOF},
		"said":    {fmt.Errorf("cannot get %s", address), nil},
	} {
		transport := roundTrip(func(*http.Request) (*http.Response, error) { return nil, test.err })
		_, err := qr.FetchImage(t.Context(), address, qr.FetchOptions{HTTPClient: &http.Client{Transport: transport}})
		if err == nil || test.want != nil && !errors.Is(err, test.want) || strings.Contains(fmt.Sprintf("%v %#v", err, err), "CANARY") {
			t.Errorf("%s: %v", name, err)
		}
	}
	slow := roundTrip(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	_, err := qr.FetchImage(t.Context(), address, qr.FetchOptions{HTTPClient: &http.Client{Transport: slow, Timeout: time.Millisecond}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}
