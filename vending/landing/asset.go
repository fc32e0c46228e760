package landing

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed assets
var assetFiles embed.FS

const (
	styleName  = "site.css"
	scriptName = "site.js"
	iconName   = "icon.svg"
	logoName   = "logo"
)

// asset is a file that a page needs. Its name changes with its content, so that browsers may keep it.
type asset struct {
	name, kind string
	content    []byte
}

// assets are all of them, by their plain names.
type assets map[string]asset

func newAssets(logo []byte) assets {
	all := assets{}
	for name, kind := range map[string]string{
		styleName: "text/css; charset=utf-8", scriptName: "text/javascript; charset=utf-8", iconName: "image/svg+xml",
	} {
		content, err := assetFiles.ReadFile("assets/" + name)
		if err != nil {
			panic(err) // the package was built without its assets
		}
		all.add(name, kind, content)
	}
	if len(logo) > 0 {
		all.add(logoName, imageType(logo), bytes.Clone(logo))
	}
	return all
}

func (a assets) add(name, kind string, content []byte) {
	sum := sha256.Sum256(content)
	extension := path.Ext(name)
	a[name] = asset{strings.TrimSuffix(name, extension) + "-" + hex.EncodeToString(sum[:6]) + extension, kind, content}
}

// asset is the address of an asset; empty if there is none.
func (s *Site) asset(name string) string {
	a, ok := s.assets[name]
	if !ok {
		return ""
	}
	return s.config.Path + "/assets/" + a.name
}

func (a assets) serve(w http.ResponseWriter, r *http.Request) {
	for _, asset := range a {
		if asset.name == r.PathValue("name") {
			header := w.Header()
			header.Set("Content-Type", asset.kind)
			header.Set("Cache-Control", "public, max-age=31536000, immutable")
			header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox") // an SVG can hold scripts
			header.Del("Vary")
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(asset.content))
			return
		}
	}
	http.NotFound(w, r)
}
