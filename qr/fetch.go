package qr

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vippsvending/vipps"
)

// Image is an image of a code.
type Image struct {
	Format Format // SVG or PNG
	Data   []byte
}

// FetchOptions are the choices of [FetchImage]. The zero value is good.
type FetchOptions struct {
	// HTTPClient has the transport and the timeout that are used; its cookies and redirects are not. Set it where many images are
	// fetched, to keep connections. Nil is one of its own, with 30 seconds.
	HTTPClient *http.Client
	// MaxBytes is the largest image that is read. 0 is 4 MiB.
	MaxBytes int64
}

const (
	fetchTimeout = 30 * time.Second
	fetchMax     = 4 << 20
	fetchHops    = 5
)

// FetchImage fetches the image of a code from the address that an answer gave: ImageURL of a code, or the RedirectURL of an
// ePayment payment with UserFlow QR. It sends no credentials, no cookies and no referrer.
//
// The address must be https, or http on loopback, where an emulator runs, and so must be every address that it leads to. What
// comes must be a PNG or an SVG, by its content and by its content type if that says anything.
//
// A one-time code that has expired is a [vipps.ErrNotFound]. Errors do not show the address, since whoever knows that of a
// one-time code can pay. The call is not repeated; it changes nothing, so it may be.
func FetchImage(ctx context.Context, address string, options FetchOptions) (*Image, error) {
	const op = "qr.FetchImage"
	u, err := url.Parse(address)
	var f findings
	f.require(err == nil && safe(u), "address: must be an https address without a user")
	f.require(options.MaxBytes >= 0, "FetchOptions.MaxBytes: must not be negative")
	if err := f.err(op); err != nil {
		return nil, err
	}
	transport, timeout := http.RoundTripper(nil), fetchTimeout
	if options.HTTPClient != nil {
		transport = options.HTTPClient.Transport
		if options.HTTPClient.Timeout > 0 {
			timeout = options.HTTPClient.Timeout
		}
	}
	if transport == nil {
		own := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
		defer own.CloseIdleConnections()
		transport = own
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	most := options.MaxBytes
	if most == 0 {
		most = fetchMax
	}
	image, err := fetch(limited, transport, u, most)
	if failed, ok := errors.AsType[*vipps.Error](err); ok {
		failed.Op = op
		return nil, failed
	}
	return image, in(op, err)
}

// fetch follows redirects itself: http.Client puts addresses into its errors.
func fetch(ctx context.Context, transport http.RoundTripper, u *url.URL, most int64) (*Image, error) {
	for range fetchHops {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return nil, errors.New("the address cannot be asked")
		}
		request.Header.Set("Accept", "image/png, image/svg+xml")
		request.Header.Set("User-Agent", "vippsvending-go/"+vipps.Version)
		response, err := transport.RoundTrip(request)
		if err != nil {
			return nil, withoutAddress(err, u)
		}
		if location := response.Header.Get("Location"); isRedirect(response.StatusCode) && location != "" {
			_ = response.Body.Close() // what is in it does not matter
			next, err := u.Parse(location)
			if err != nil || !safe(next) || u.Scheme == "https" && next.Scheme != "https" {
				return nil, errors.New("the address leads to one that is not https")
			}
			u = next
			continue
		}
		image, err := read(response, most)
		return image, withoutAddress(err, u)
	}
	return nil, errors.New("the address leads on and on")
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

func safe(u *url.URL) bool {
	if u.Hostname() == "" || u.User != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	loopback := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && loopback
}

// withoutAddress is an error whose text does not say what was asked for.
func withoutAddress(err error, u *url.URL) error {
	for {
		wrapped, ok := errors.AsType[*url.Error](err)
		if !ok {
			break
		}
		err = wrapped.Err
	}
	if err != nil && len(u.RequestURI()) > 1 && strings.Contains(err.Error(), u.RequestURI()) {
		return errors.New("no answer")
	}
	return err
}

func read(response *http.Response, most int64) (_ *Image, err error) {
	defer func() {
		if closing := response.Body.Close(); err == nil && closing != nil {
			err = closing
		}
	}()
	if response.StatusCode != http.StatusOK {
		return nil, &vipps.Error{Status: response.StatusCode}
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("the image is larger than %d bytes", most)
	}
	format := formatOf(data)
	if format == "" {
		return nil, errors.New("what came is neither a PNG nor an SVG")
	}
	if !fits(format, response.Header.Get("Content-Type")) {
		return nil, fmt.Errorf("what came is an %s of another content type", format)
	}
	return &Image{Format: format, Data: data}, nil
}

// formatOf looks at the first bytes of a PNG, and for the outermost element of an SVG.
func formatOf(data []byte) Format {
	if bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")) {
		return PNG
	}
	decoder := xml.NewDecoder(bytes.NewReader(data))
	for {
		token, err := decoder.RawToken()
		if err != nil {
			return ""
		}
		switch t := token.(type) {
		case xml.StartElement:
			if t.Name.Local == "svg" {
				return SVG
			}
			return ""
		case xml.CharData:
			if len(bytes.TrimSpace(bytes.TrimPrefix(t, []byte("\xef\xbb\xbf")))) > 0 {
				return ""
			}
		}
	}
}

// fits says whether a content type agrees with a format. Types that say nothing do.
func fits(format Format, contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	switch {
	case contentType == "" || err == nil && (media == "application/octet-stream" || media == "binary/octet-stream"):
		return true
	case format == PNG:
		return media == "image/png"
	default:
		return media == "image/svg+xml" || media == "application/xml" || media == "text/xml"
	}
}
