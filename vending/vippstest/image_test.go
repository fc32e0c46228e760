package vippstest_test

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"maps"
	"strings"
	"testing"

	"github.com/vippsvending/vipps/vending/vippstest"
)

// drawn is an image of some kind and height, filled up to length bytes.
func drawn(t *testing.T, kind string, height, length int) string {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 10, height))
	var b bytes.Buffer
	switch kind {
	case "png":
		must(t, png.Encode(&b, m))
	case "jpeg":
		must(t, jpeg.Encode(&b, m, nil))
	case "gif":
		must(t, gif.Encode(&b, m, nil))
	}
	b.Write(make([]byte, max(0, length-b.Len())))
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func TestImages(t *testing.T) {
	t.Parallel()
	good := drawn(t, "png", 167, 0)
	for name, test := range map[string]struct {
		changes fields
		status  int
		want    string
	}{
		"png":           {fields{}, 200, ""},
		"jpeg":          {fields{"src": drawn(t, "jpeg", 167, 0)}, 200, ""},
		"largest":       {fields{"src": drawn(t, "png", 500, 2<<20)}, 200, ""},
		"large":         {fields{"src": drawn(t, "png", 500, 2<<20+1)}, 400, "Src"},
		"enormous":      {fields{"src": strings.Repeat("A", 4<<20)}, 413, ""},
		"low":           {fields{"src": drawn(t, "png", 166, 0)}, 400, "Src"},
		"low jpeg":      {fields{"src": drawn(t, "jpeg", 166, 0)}, 400, "Src"},
		"gif":           {fields{"src": drawn(t, "gif", 167, 0)}, 400, "Src"},
		"text":          {fields{"src": base64.StdEncoding.EncodeToString([]byte("socks"))}, 400, "Src"},
		"empty":         {fields{"src": ""}, 400, "Src"},
		"data":          {fields{"src": "data:image/png;base64," + good}, 400, "Src"},
		"URL":           {fields{"src": "https://shop.example/a.png"}, 400, "Src"},
		"type":          {fields{"type": "url"}, 400, "Type"},
		"longest id":    {fields{"imageId": repeat(128)}, 200, ""},
		"long id":       {fields{"imageId": repeat(129)}, 400, "ImageId"},
		"id":            {fields{"imageId": "a/b"}, 400, "ImageId"},
		"empty id":      {fields{"imageId": ""}, 400, "ImageId"},
		"unknown field": {fields{"name": "a"}, 400, "Name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMerchant(t, vippstest.Options{})
			body := fields{"imageId": "socks-orange_1.2", "src": good, "type": "base64"}
			maps.Copy(body, test.changes)
			a := m.send(request{method: "POST", path: "/order-management/v1/images/", body: body})
			if a.status != test.status || a.params() != test.want {
				t.Fatalf("%d %q %s", a.status, a.params(), a.raw)
			}
			id, _ := body["imageId"].(string)
			raw, ok := m.server.Image(id)
			if ok != (a.status == 200) {
				t.Errorf("kept %v", ok)
			}
			if !ok {
				return
			}
			if a.text("imageId") != id || base64.StdEncoding.EncodeToString(raw) != body["src"] {
				t.Errorf("%s", a.raw)
			}
			a = m.send(request{method: "POST", path: "/order-management/v1/images", body: body})
			if a.status != 409 || !strings.Contains(a.text("detail"), "duplicate") {
				t.Errorf("again: %d %s", a.status, a.raw)
			}
			requests := m.server.Requests()
			if r := requests[len(requests)-1]; r.Op != "image" || r.Reference != id || len(r.Body) > 1<<20 {
				t.Errorf("%s %s: %d bytes in the books", r.Op, r.Reference, len(r.Body))
			}
		})
	}
}
