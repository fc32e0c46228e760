package qr

import (
	"net/http"
	"net/url"
	"strconv"
)

// Format is what a code comes as.
type Format string

// The formats. The empty Format is SVG.
const (
	SVG Format = "SVG"
	PNG Format = "PNG"
	// TargetURL is the text to draw a code of, for designs of one's own, which Vipps MobilePay has to approve.
	TargetURL Format = "TARGET_URL"
)

// ImageOptions says the form in which a code is wanted. It is the same for every kind of code, though the API has two ways to
// say it. The zero ImageOptions is an SVG.
type ImageOptions struct {
	Format Format
	// Size is the width in pixels of a PNG, 100 to 2000. 0 leaves it to the API: 1024, and 800 in older descriptions.
	Size int
}

func (f *findings) image(o ImageOptions) {
	f.require(o.Format == "" || o.Format == SVG || o.Format == PNG || o.Format == TargetURL, "ImageOptions.Format: must be SVG, PNG or TargetURL")
	f.require(o.Size == 0 || o.Size >= 100 && o.Size <= 2000, "ImageOptions.Size: must be 100 to 2000")
	f.require(o.Size == 0 || o.Format == PNG, "ImageOptions.Size: must be 0 unless Format is PNG")
}

func (f *findings) whiteBorder(border *int, o ImageOptions) {
	f.require(border == nil || *border >= 0 && *border <= 100, "WhiteBorder: must be 0 to 100 pixels")
	f.require(border == nil || o.Format != TargetURL, "WhiteBorder: must be nil for TargetURL")
}

// header is how one-time and redirect codes are told.
func (o ImageOptions) header() http.Header {
	accept := "image/svg+xml"
	switch o.Format {
	case PNG:
		accept = "image/png"
	case TargetURL:
		accept = "text/targetUrl"
	case SVG:
	}
	if o.Size == 0 {
		return header("Accept", accept)
	}
	return header("Accept", accept, "Size", strconv.Itoa(o.Size))
}

// query is how callback codes are told. They always say their text, so there is no format for it.
func (o ImageOptions) query() url.Values {
	if o.Format != PNG {
		return url.Values{"QrImageFormat": {"SVG"}}
	}
	query := url.Values{"QrImageFormat": {"PNG"}}
	if o.Size != 0 {
		query.Set("QrImageSize", strconv.Itoa(o.Size))
	}
	return query
}

// imageBody is what newer descriptions put into the body. Nobody has said whether unknown fields are refused, so it is
// left out unless it is needed for the border.
type imageBody struct {
	Size        int  `json:"size,omitzero"`
	WhiteBorder *int `json:"whiteBorder,omitzero"`
}

func newImageBody(border *int, o ImageOptions) imageBody {
	if border == nil {
		return imageBody{}
	}
	return imageBody{Size: o.Size, WhiteBorder: border}
}
